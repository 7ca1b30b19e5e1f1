import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asFailed, asPerformed, call, KEY, makeHandler, run, startStub, stream } from './stub.ts';

const LINES = [
  '{"model":"llama3","message":{"role":"assistant","content":"Grüße "},"done":false}',
  '',
  '{"model":"llama3","message":{"role":"assistant","content":"🌍"},"done":false}',
  '{"model":"llama3","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":8}',
];

const RESULT = {
  text: 'Grüße 🌍',
  model: 'm',
  finish: 'stop',
  usage: { inputTokens: 26, outputTokens: 8 },
};

describe('Ollama', () => {
  it('is asked what the directive and the agency say', async (t) => {
    const stub = await startStub(t, (response) =>
      response.end(
        '{"message":{"role":"assistant","content":"Grüße 🌍"},"done":true,"done_reason":"stop","prompt_eval_count":26,"eval_count":8}',
      ),
    );
    const handler = makeHandler(t, {
      kind: 'ollama',
      url: stub.url.replace('127.0.0.1', 'localhost'),
      model: {
        parameters: { temperature: 1, topP: 0.5, maxTokens: 9, seed: 3, stop: ['END'] },
        contextTokens: 8_192,
      },
    });
    assert.deepEqual(asPerformed(await run(handler, call('hi', { system: 's' }))).result, RESULT);
    assert.equal(stub.seen[0]?.url, '/api/chat');
    assert.equal(stub.seen[0]?.headers.authorization, `Bearer ${KEY}`);
    assert.deepEqual(stub.seen[0]?.body, {
      model: 'real-model',
      messages: [
        { role: 'system', content: 's' },
        { role: 'user', content: 'hi' },
      ],
      stream: false,
      options: {
        temperature: 1,
        top_p: 0.5,
        num_predict: 9,
        num_ctx: 8_192,
        seed: 3,
        stop: ['END'],
      },
    });
  });

  for (const newline of ['\n', '\r\n']) {
    it(`streams lines that are split at any byte, ended by ${JSON.stringify(newline)}`, async (t) => {
      const bytes = Buffer.from(LINES.join(newline));
      let at = 0;
      const stub = await startStub(t, async (response) => {
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        response.write(bytes.subarray(0, at));
        await new Promise((resolve) => setImmediate(resolve));
        response.end(bytes.subarray(at));
      });
      const handler = makeHandler(t, { kind: 'ollama', url: stub.url });
      for (at = 1; at < bytes.length; at++) {
        const ran = await run(handler, stream());
        assert.deepEqual(asPerformed(ran).result, RESULT, `split at ${at}`);
        assert.deepEqual(ran.emitted, [{ text: 'Grüße ' }, { text: '🌍' }]);
      }
    });
  }

  for (const [name, body, code] of [
    ['nothing', '', 'malformed-answer'],
    ['what is no JSON', 'oops\n', 'malformed-answer'],
    ['no message', '{"done":true}\n', 'malformed-answer'],
    ['a content that is no text', '{"message":{"content":7},"done":true}\n', 'malformed-answer'],
    ['a part of an answer', `${LINES[0]}\n`, 'malformed-answer'],
    ['an error in the midst', `${LINES[0]}\n{"error":"${KEY}"}\n`, 'provider-failed'],
  ] as const) {
    it(`cannot answer with ${name}`, async (t) => {
      const stub = await startStub(t, (response) => response.end(body));
      const handler = makeHandler(t, { kind: 'ollama', url: stub.url });
      assert.equal(asFailed(await run(handler, stream())).code, code);
    });
  }

  it('cannot hold a reader up with a line that does not end', async (t) => {
    const stub = await startStub(t, (response) => {
      const write = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        response.once('drain', write);
      };
      write();
    });
    const handler = makeHandler(t, {
      kind: 'ollama',
      url: stub.url,
      grant: { responseBytes: 100_000 },
    });
    assert.equal(asFailed(await run(handler, stream())).code, 'malformed-answer');
    assert.equal(asFailed(await run(handler, call())).code, 'too-large');
  });
});
