import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, openSync, truncateSync } from 'node:fs';
import { describe, test } from 'node:test';
import { assertBadInput, assertExit, assertOneLine, KEYS, workspace } from './support.ts';

const nested = '['.repeat(100_000);

/** Documents by their readers: where one lies, and a command that reads it. */
const DOCUMENTS: Readonly<Record<string, readonly [file: string, args: readonly string[]]>> = {
  'a certificate': ['c.json', ['verify', 'echo', '--certificate', 'c.json']],
  'a manifest': ['echo/executor.json', ['check', 'echo/executor.json']],
  'an input': ['i.json', ['run', 'echo', '--input', '@i.json']],
};

/** The rest of the documents and commands, which share the first one's reader: one problem shows it. */
const ELSEWHERE: typeof DOCUMENTS = {
  'a trust store': ['t.json', ['verify', 'echo', '--trust', 't.json']],
  'a policy': ['p.json', ['run', 'echo', '--policy', 'p.json']],
  'a whitelist': ['w.json', ['check', 'echo', '--whitelist', 'w.json']],
  'a certificate to run by': ['c.json', ['run', 'echo', '--certificate', 'c.json']],
  'a certificate at hand': ['c.json', ['whitelist', 'diff', 'mashin@1', 'mashin@1', 'c.json']],
  'the trust store of the workspace': ['.touchstone/trust.json', ['check', 'echo']],
  'the policy of the workspace': ['.touchstone/policy.json', ['verify', 'echo']],
  'a trust store to add to': ['t.json', ['keys', 'trust', 'key.pub', '--trust', 't.json']],
  'a whitelist to certify by': [
    'w.json',
    ['certify', 'echo', '--key', 'k', '--whitelist', 'w.json'],
  ],
  'a whitelist to show': ['w.json', ['whitelist', 'show', 'w.json']],
  'a manifest to run': ['echo/executor.json', ['run', 'echo']],
};

/** What a document may hold instead, and what is said of it. */
const CONTENTS: Readonly<Record<string, readonly [string | Uint8Array, RegExp]>> = {
  'a key written twice': [
    '{"name":"a","name":"b","version":"1.0.0","artifact":"build/echo.wasm"}',
    /"name" is written twice|name: .*twice/,
  ],
  'invalid UTF-8': [Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d), /not valid UTF-8/],
  'nesting 100,000 deep': [nested, /nesting is deeper than|nested deeper than/],
  'a number beyond a double': [
    '{"name":"a","version":1e999,"artifact":"build/echo.wasm"}',
    /beyond the range of a double|executor\.json:1:\d+: version: /,
  ],
  'no JSON': [
    '{ "name": oops }',
    /it is not valid JSON here, line 1 column 11|executor\.json:1:\d+: /,
  ],
  nothing: ['', /it is empty|empty|executor\.json:1:1: /],
};

describe('a document that holds something else', { concurrency: 4 }, () => {
  const [duplicate = ''] = Object.keys(CONTENTS);
  const cases = [
    ...Object.keys(CONTENTS).map((problem) => [DOCUMENTS, problem] as const),
    [ELSEWHERE, duplicate] as const,
  ];
  for (const [documents, problem] of cases) {
    for (const [what, [file, args]] of Object.entries(documents)) {
      test(`${what}: ${problem}`, async (t) => {
        const [contents, said] = CONTENTS[problem] ?? ['', /^$/];
        const here = workspace(t);
        await here.certified('echo');
        here.write('key.pub', KEYS.public);
        here.write(file, contents);
        const result = await here.run(...args);
        assertBadInput(result, said);
        const name = file.split('/').at(-1) ?? '';
        assert.ok(result.stderr.includes(name), `names the file: ${result.stderr}`);
      });
    }
  }
});

describe('input', { concurrency: 4 }, () => {
  const inputs: readonly (readonly [string, string, RegExp])[] = [
    ['a key written twice', '{"context":{"a":1,"a":2}}', /the key "a" is written twice, line 1/],
    ['nesting', `{"context":${nested}`, /nesting is deeper than 200/],
    ['a lone surrogate', '{"context":{"a":"\\ud800"}}', /lone surrogate/],
    ['no object', '[1,2]', /input/],
    ['a field that no input has', '{"contxt":{}}', /it has a field other than/],
    ['a huge number', '{"context":{"n":1e999}}', /range of a double/],
  ];
  for (const [what, input, said] of inputs) {
    test(`on standard input: ${what}; nothing runs`, async (t) => {
      const here = workspace(t);
      await here.certified('echo');
      assertBadInput(await here.runWith({ input }, 'run', 'echo', '--input', '-'), said);
      assert.throws(() => here.read('.touchstone/receipts/echo.jsonl'), 'no receipt');
    });
  }

  test('more than 4 MB on standard input', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const input = Buffer.alloc(5_000_000, ' ');
    assertBadInput(
      await here.runWith({ input }, 'run', 'echo', '--input', '-'),
      /more than 4,194,304 bytes/,
    );
  });

  test('in place', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    assertBadInput(await here.run('run', 'echo', '--input', '{'), /--input: .*line 1 column 2/);
  });
});

test('one broken trust store is told once, however many executors there are', async (t) => {
  const here = workspace(t);
  await here.certified('echo');
  await here.certified('call');
  here.write('.touchstone/trust.json', '{');
  const result = await here.run('check', '.', '--format', 'json');
  assertExit(result, 2);
  assertOneLine(result, /trust\.json: it is not valid JSON/);
  assert.deepEqual(JSON.parse(result.stdout), { artifacts: [] });
});

test('a sparse file of 1 GB is no document, wherever one is read', async (t) => {
  const here = workspace(t);
  await here.certified('echo');
  closeSync(openSync(here.path('big.json'), 'w'));
  truncateSync(here.path('big.json'), 1_000_000_000);
  here.write('key.pem', KEYS.private);
  const commands: readonly (readonly string[])[] = [
    ['verify', 'echo', '--certificate', 'big.json'],
    ['verify', 'echo', '--trust', 'big.json'],
    ['run', 'echo', '--policy', 'big.json'],
    ['run', 'echo', '--input', '@big.json'],
    ['run', 'big.json'],
    ['check', 'echo', '--whitelist', 'big.json'],
    ['certify', 'echo', '--key', 'big.json'],
    ['keys', 'trust', 'big.json', '--trust', 't.json'],
    ['whitelist', 'show', 'big.json'],
    ['keys', 'show', 'big.json'],
  ];
  for (const args of commands) {
    assertBadInput(
      await here.run(...args),
      /big\.json: too large for a document: 1,000,000,000 bytes/,
    );
  }
});

describe('a wrong key', { concurrency: 4 }, () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ed448 = generateKeyPairSync('ed448');
  const pem = { type: 'pkcs8', format: 'pem' } as const;
  const encrypted = generateKeyPairSync('ed25519').privateKey.export({
    ...pem,
    cipher: 'aes-256-cbc',
    passphrase: 'secret',
  });
  const keys: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['the public half', KEYS.public, /is a public key; signing needs the private key/],
    ['RSA', rsa.privateKey.export(pem), /not a PEM key|another kind than Ed25519/],
    ['Ed448', ed448.privateKey.export(pem), /another kind than Ed25519/],
    ['encrypted', encrypted, /is encrypted; decrypt it first/],
    ['garbage', Buffer.from([1, 2, 3, 250]), /not valid UTF-8/],
    ['text', 'hunter2', /is not a PEM key/],
    ['nothing', '', /is not a PEM key/],
    ['half a PEM', String(KEYS.private).slice(0, 60), /is not a PEM key/],
  ];
  for (const [what, contents, said] of keys) {
    test(`to certify with: ${what}`, async (t) => {
      const here = workspace(t);
      here.write('key.pem', contents);
      const args = ['certify', here.example('echo'), '--key', 'key.pem'];
      const result = await here.run(...args);
      assertBadInput(result, said);
      assert.match(result.stderr, /key\.pem/);
      assert.doesNotMatch(result.stderr, /hunter2/, 'nothing of the file is shown');
      assert.throws(() => here.read('echo/build/echo.wasm.purity.json'));
    });
  }

  test('to trust: a private key, whose secret is not shown', async (t) => {
    const here = workspace(t);
    here.write('key.pem', KEYS.private);
    assertBadInput(
      await here.run('keys', 'trust', 'key.pem', '--trust', 't.json'),
      /is a private key; a public key is expected here/,
    );
    assert.throws(() => here.read('t.json'));
  });

  test('in the place of the environment’s: nothing runs', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('.touchstone/environment.pem', rsa.privateKey.export(pem));
    assertBadInput(await here.run('run', 'echo'), /environment\.pem/);
  });
});
