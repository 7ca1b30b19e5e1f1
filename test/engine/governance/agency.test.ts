import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import type { JsonValue } from '../../../engine/encoding/json.ts';
import { outputTokens, parseAgency } from '../../../engine/governance/agency.ts';

const KEY = 'sk-canary-7Qd2vXo9';

const OPENAI = {
  name: 'openai',
  kind: 'openai',
  endpoint: 'https://api.openai.com/v1',
  apiKey: { secret: 'OPENAI_KEY' },
};
const OLLAMA = { name: 'local', kind: 'ollama', endpoint: 'http://127.0.0.1:11434' };
const MODEL = { name: 'fast', provider: 'openai', model: 'gpt-5-mini' };

type Fields = Record<string, JsonValue>;

function parse(document: Fields) {
  return parseAgency(JSON.stringify({ format: 'agency/1', ...document }), 'agency.json');
}

const withProvider = (provider: Fields) =>
  parse({ providers: [{ ...OPENAI, ...provider }], models: [] }).providers.get('openai');
const withModel = (model: Fields) =>
  parse({ providers: [OPENAI], models: [{ ...MODEL, ...model }] }).models.get('fast');

function rejects(make: () => unknown, message: RegExp): void {
  assert.throws(make, (error: unknown) => {
    assert(error instanceof InputError);
    assert.equal(error.code, 'invalid-agency');
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /canary/);
    assert.doesNotMatch(error.message, /\n/);
    return true;
  });
}

describe('an agency', () => {
  it('is read with all that it may say', () => {
    const agency = parse({
      providers: [
        { ...OPENAI, headers: { 'x-team': 'a', 'api-key': { secret: 'K2' } } },
        OLLAMA,
        { name: 'copilot', kind: 'editor' },
      ],
      models: [
        {
          ...MODEL,
          parameters: { temperature: 0, topP: 0.9, maxTokens: 500, seed: 7, stop: ['END'] },
          timeoutMs: 5_000,
          price: { input: 0.25, output: 2 },
          contextTokens: 100_000,
        },
        { name: 'own', provider: 'local', model: 'llama3' },
        { name: 'editor', provider: 'copilot', model: 'gpt-4o' },
      ],
      default: 'own',
    });
    assert.equal(agency.default, 'own');
    assert.deepEqual([...agency.providers.keys()], ['openai', 'local', 'copilot']);
    const fast = agency.models.get('fast');
    assert.equal(fast?.parameters.temperature, 0);
    assert.equal(fast && outputTokens(fast), 500);
  });

  it('needs no default, no parameters and no models', () => {
    const agency = parse({ providers: [], models: [] });
    assert.equal(agency.default, undefined);
    assert.deepEqual(withModel({})?.parameters, {});
  });

  it('names secrets, and does not repeat a value that stands in their place', () => {
    rejects(
      () => withProvider({ apiKey: KEY }),
      /^agency\.json is not an agency: providers\.0\.apiKey: /,
    );
    rejects(() => withProvider({ apiKey: { secret: `${KEY}!` } }), /providers\.0\.apiKey\.secret/);
    rejects(() => withProvider({ apiKey: { secret: 'A', value: KEY } }), /providers\.0\.apiKey/);
    rejects(
      () => withProvider({ headers: { Authorization: `Bearer ${KEY}` } }),
      /providers\.0\.headers\.Authorization: this header holds a key/,
    );
    rejects(() => withProvider({ headers: { 'API-Key': KEY } }), /headers\.API-Key/);
    rejects(
      () => withProvider({ headers: { 'x-a': [KEY] } }),
      /providers\.0\.headers\.x-a: a header is/,
    );
    rejects(() => withProvider({ headers: { 'x-a': `${KEY}\r\nx: y` } }), /headers\.x-a/);
    rejects(
      () => withProvider({ endpoint: `https://u:${KEY}@api.openai.com/v1` }),
      /endpoint: .*no user/,
    );
    rejects(
      () => withProvider({ endpoint: `https://api.openai.com/v1?key=${KEY}` }),
      /endpoint: .*no "\?"/,
    );
    rejects(() => withProvider({ endpoint: `https://${KEY} x/` }), /providers\.0\.endpoint/);
    rejects(() => withProvider({ kind: KEY }), /providers\.0\.kind/);
    rejects(() => parse({ format: KEY, providers: [], models: [] }), /format/);
  });

  it('refuses fields that nobody reads, wherever they stand', () => {
    rejects(() => parse({ providers: [], models: [], extra: 1 }), /extra/);
    rejects(() => withProvider({ key: 'x' }), /key/);
    rejects(() => withModel({ price: { input: 1, output: 1, cached: 1 } }), /cached/);
    rejects(() => withModel({ parameters: { top_k: 1 } }), /models\.0\.parameters: .*top_k/);
    rejects(
      () =>
        parse({ providers: [{ name: 'e', kind: 'editor', endpoint: 'https://a.b/' }], models: [] }),
      /endpoint/,
    );
  });

  it('refuses headers of the request itself', () => {
    rejects(() => withProvider({ headers: { Host: 'evil' } }), /headers\.Host: .*request itself/);
    rejects(() => withProvider({ headers: { 'content-length': '0' } }), /content-length/);
  });

  it('checks what refers to something else', () => {
    rejects(
      () => withModel({ provider: 'nobody' }),
      /models\.0\.provider: no provider is named "nobody"/,
    );
    rejects(
      () => parse({ providers: [OPENAI], models: [MODEL], default: 'x' }),
      /default: no model/,
    );
    rejects(
      () => parse({ providers: [OPENAI, OPENAI], models: [] }),
      /providers\.1\.name: .*twice/,
    );
    rejects(
      () => parse({ providers: [OPENAI], models: [MODEL, MODEL] }),
      /models\.1\.name: .*twice/,
    );
    rejects(() => withModel({ price: { input: 1, output: 1 } }), /models\.0\.price: .*maxTokens/);
  });

  it('writes this machine as an address, so that no name is resolved for it', () => {
    const endpoint = (text: string, kind = 'ollama') => {
      const found = parse({ providers: [{ ...OLLAMA, kind, endpoint: text }], models: [] });
      const provider = found.providers.get('local');
      return provider?.kind === 'editor' ? undefined : provider?.endpoint;
    };
    assert.equal(endpoint('http://localhost:11434'), 'http://127.0.0.1:11434');
    assert.equal(endpoint('http://LOCALHOST:11434/'), 'http://127.0.0.1:11434');
    assert.equal(endpoint('http://llm.localhost:1'), 'http://127.0.0.1:1');
    assert.equal(endpoint('http://127.1:1'), 'http://127.0.0.1:1');
    assert.equal(endpoint('http://[::1]:1/'), 'http://[::1]:1');
    assert.equal(endpoint('https://evillocalhost/'), 'https://evillocalhost');
    assert.equal(endpoint('https://api.openai.com', 'openai'), 'https://api.openai.com/v1');
    assert.equal(endpoint('https://a.b/openai/', 'openai'), 'https://a.b/openai');
  });

  it('lets no key cross a network in the clear', () => {
    const plain = /providers\.0\.endpoint: plain http:/;
    rejects(() => withProvider({ endpoint: 'http://api.openai.com/v1' }), plain);
    rejects(() => withProvider({ endpoint: 'http://localhost.evil.com/v1' }), plain);
    rejects(() => withProvider({ endpoint: 'http://127.0.0.1.evil.com/v1' }), plain);
    rejects(() => withProvider({ endpoint: 'http://10.0.0.5/v1' }), plain);
    rejects(
      () => withProvider({ endpoint: 'http://10.0.0.5/v1', addresses: ['10.1.0.0/16'] }),
      plain,
    );
    // A name may lead anywhere, whatever addresses are granted.
    rejects(
      () => withProvider({ endpoint: 'http://gpu.lan/v1', addresses: ['10.0.0.0/8'] }),
      plain,
    );
    assert.ok(withProvider({ endpoint: 'http://10.0.0.5/v1', addresses: ['10.0.0.0/8'] }));
    assert.ok(withProvider({ endpoint: 'http://[fd00::5]:8000/v1', addresses: ['fd00::/8'] }));
    rejects(() => withProvider({ endpoint: 'ftp://a.b/' }), /endpoint is a URL/);
    rejects(() => withProvider({ endpoint: 'file:///etc/passwd' }), /endpoint is a URL/);
    rejects(() => withProvider({ addresses: ['10.0.0.0/99'] }), /providers\.0\.addresses\.0/);
  });
});
