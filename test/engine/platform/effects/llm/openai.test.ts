import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { asFailed, asPerformed, call, KEY, makeHandler, run, startStub, stream } from './stub.ts';

const PIECES = ['Grü', 'ße, 世', '🌍'];
const TEXT = PIECES.join('');

function whole(content: unknown, more: object = {}): string {
  return JSON.stringify({
    id: 'x',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 },
    ...more,
  });
}

function chunk(content: string, finish: string | null = null): string {
  return JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] });
}

const USAGE = '{"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":5}}';

/** A stream as servers write it: comments, fields nobody needs, an event over two lines. */
function events(newline: string): string {
  const lines = [
    ': a comment',
    '',
    'id: 1',
    'event: message',
    'retry: 10',
    `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":null}}]}`,
    '',
    ...PIECES.flatMap((piece) => [`data:${chunk(piece)}`, '']),
    'data: {"choices":',
    'data: [{"index":0,"delta":{},"finish_reason":"stop"}]}',
    '',
    `data: ${USAGE}`,
    '',
    'data: [DONE]',
    '',
    '',
  ];
  return lines.join(newline);
}

async function sendIn(response: ServerResponse, parts: readonly Uint8Array[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
  for (const part of parts) {
    response.write(part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  response.end();
}

const RESULT = {
  text: TEXT,
  model: 'm',
  finish: 'stop',
  usage: { inputTokens: 12, outputTokens: 5 },
};

describe('an OpenAI-compatible provider', () => {
  it('is asked what the directive and the agency say', async (t) => {
    const stub = await startStub(t, (response) => response.end(whole(TEXT)));
    const handler = makeHandler(t, {
      url: stub.url,
      provider: { headers: { 'x-team': 'a' } },
      model: {
        parameters: { temperature: 0, topP: 0.5, maxTokens: 9, seed: 3, stop: ['END'] },
      },
    });
    const ran = await run(handler, call('hi', { system: 'be brief', model: '' }));
    assert.deepEqual(asPerformed(ran).result, RESULT);
    assert.deepEqual(ran.emitted, []);
    const [seen] = stub.seen;
    assert.equal(seen?.url, '/v1/chat/completions');
    assert.equal(seen?.headers.authorization, `Bearer ${KEY}`);
    assert.equal(seen?.headers['x-team'], 'a');
    assert.deepEqual(seen?.body, {
      model: 'real-model',
      messages: [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: 'hi' },
      ],
      temperature: 0,
      top_p: 0.5,
      max_tokens: 9,
      seed: 3,
      stop: ['END'],
    });
  });

  it('is asked for a stream, and told of tokens as it calls them', async (t) => {
    const stub = await startStub(t, (response) => sendIn(response, [Buffer.from(events('\n'))]));
    const handler = makeHandler(t, {
      url: stub.url,
      provider: { tokenLimit: 'max_completion_tokens' },
      model: { parameters: { maxTokens: 9 } },
    });
    await run(handler, stream());
    assert.deepEqual(stub.seen[0]?.body, {
      model: 'real-model',
      messages: [{ role: 'user', content: 'hi' }],
      max_completion_tokens: 9,
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it('streams pieces as they come, before the answer is over', async (t) => {
    let goOn: (() => void) | undefined;
    const stub = await startStub(t, async (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${chunk('one ')}\n\n`);
      // The rest comes once the first piece has been passed on.
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      response.end(`data: ${chunk('two', 'length')}\n\ndata: [DONE]\n\n`);
    });
    const ran = await run(makeHandler(t, { url: stub.url }), stream(), { onEmit: () => goOn?.() });
    assert.deepEqual(ran.emitted, [{ text: 'one ' }, { text: 'two' }]);
    assert.deepEqual(asPerformed(ran).result, { text: 'one two', model: 'm', finish: 'length' });
  });

  for (const [name, newline] of [
    ['LF', '\n'],
    ['CRLF', '\r\n'],
    ['CR', '\r'],
  ] as const) {
    it(`reads a stream that is split at any byte, lines ended by ${name}`, async (t) => {
      const bytes = Buffer.from(events(newline));
      let at = 0;
      const stub = await startStub(t, (response) =>
        sendIn(response, [bytes.subarray(0, at), bytes.subarray(at)]),
      );
      const handler = makeHandler(t, { url: stub.url });
      for (at = 1; at < bytes.length; at++) {
        const ran = await run(handler, stream());
        assert.deepEqual(asPerformed(ran).result, RESULT, `split at ${at}`);
        assert.equal(ran.emitted.map((piece) => (piece as { text: string }).text).join(''), TEXT);
      }
    });
  }

  it('reads a stream in pieces of any sizes', async (t) => {
    const bytes = Buffer.from(events('\r\n'));
    let cuts: readonly number[] = [];
    const stub = await startStub(t, (response) => {
      const ends = [...cuts].sort((a, b) => a - b);
      return sendIn(
        response,
        [0, ...ends].map((from, i) => bytes.subarray(from, ends[i])),
      );
    });
    const handler = makeHandler(t, { url: stub.url });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 40 }), async (some) => {
        cuts = some;
        assert.deepEqual(asPerformed(await run(handler, stream())).result, RESULT);
      }),
      { numRuns: 60 },
    );
  });

  it('takes a whole answer where it asked for a stream', async (t) => {
    const stub = await startStub(t, (response) => response.end(whole(TEXT)));
    const ran = await run(makeHandler(t, { url: stub.url }), stream());
    assert.deepEqual(asPerformed(ran).result, RESULT);
    assert.deepEqual(ran.emitted, [{ text: TEXT }]);
  });

  it('is content with a stream that ends after its finish, without [DONE]', async (t) => {
    const stub = await startStub(t, (response) =>
      sendIn(response, [Buffer.from(`data: ${chunk('a', 'stop')}\n\n`)]),
    );
    const ran = await run(makeHandler(t, { url: stub.url }), stream());
    assert.deepEqual(asPerformed(ran).result, { text: 'a', model: 'm', finish: 'stop' });
  });

  it('tells why a model stopped', async (t) => {
    let reason: unknown;
    const stub = await startStub(t, (response) =>
      response.end(
        JSON.stringify({ choices: [{ message: { content: null }, finish_reason: reason }] }),
      ),
    );
    const handler = makeHandler(t, { url: stub.url });
    for (const [said, meant] of [
      ['stop', 'stop'],
      ['length', 'length'],
      ['content_filter', 'filtered'],
      ['tool_calls', 'other'],
      [KEY, 'other'],
      [7, 'other'],
      [null, 'other'],
    ]) {
      reason = said;
      const ran = await run(handler, call());
      assert.deepEqual(asPerformed(ran).result, { text: '', model: 'm', finish: meant });
    }
  });

  for (const [name, body] of [
    ['nothing', ''],
    ['no JSON', 'oops'],
    ['a list', '[]'],
    ['no choices', '{}'],
    ['choices that are no list', '{"choices":{"0":{}}}'],
    ['an empty list of choices', '{"choices":[]}'],
    ['a choice that is no object', '{"choices":[7]}'],
    ['a message that is no object', '{"choices":[{"message":"x"}]}'],
    ['a content that is no text', '{"choices":[{"message":{"content":[1]}}]}'],
    ['a lone surrogate', '{"choices":[{"message":{"content":"\\ud800"}}]}'],
    ['a key twice', '{"choices":[{"message":{"content":"a","content":"b"}}]}'],
    ['nesting without end', '['.repeat(100_000)],
    ['half an answer', whole(TEXT).slice(0, -20)],
    ['the key', `"${KEY}"`],
  ] as const) {
    it(`cannot answer with ${name}`, async (t) => {
      const stub = await startStub(t, (response) => response.end(body));
      const failure = asFailed(await run(makeHandler(t, { url: stub.url }), call()));
      assert.equal(failure.code, 'malformed-answer');
    });
  }

  for (const [name, body] of [
    ['nothing', ''],
    ['comments alone', ': hi\n\n: ho\n\n'],
    ['an event that is no JSON', 'data: oops\n\n'],
    ['an event that is no object', 'data: 7\n\n'],
    ['a delta that is no text', 'data: {"choices":[{"delta":{"content":{}}}]}\n\n'],
    ['a part of an answer', `data: ${chunk('half')}\n\n`],
    ['what is no UTF-8', Buffer.from([0x64, 0x61, 0x74, 0x61, 0x3a, 0xff, 0x0a, 0x0a])],
    [
      'half a letter',
      Buffer.concat([Buffer.from(`data: ${chunk('a', 'stop')}\n\n`), Buffer.from([0xe2])]),
    ],
  ] as const) {
    it(`cannot stream ${name}`, async (t) => {
      const stub = await startStub(t, (response) => sendIn(response, [Buffer.from(body)]));
      const failure = asFailed(await run(makeHandler(t, { url: stub.url }), stream()));
      assert.equal(failure.code, 'malformed-answer');
    });
  }

  it('fails where its stream dies, or tells of an error', async (t) => {
    let end: (response: ServerResponse) => void = () => undefined;
    const stub = await startStub(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(`data: ${chunk('half')}\n\n`, () => end(response));
    });
    const handler = makeHandler(t, { url: stub.url });
    end = (response) => response.destroy();
    const died = await run(handler, stream());
    assert.equal(asFailed(died).code, 'provider-failed');
    assert.deepEqual(died.emitted, [{ text: 'half' }]);
    end = (response) =>
      response.end(
        `data: {"error":{"message":"${KEY}","code":"context_length_exceeded"}}\n\ndata: [DONE]\n\n`,
      );
    const told = asFailed(await run(handler, stream()));
    assert.equal(told.code, 'provider-failed');
    assert.match(told.message, /context_length_exceeded$/);
  });

  it('tells the status and no more of what it says with it than a known word', async (t) => {
    let [status, body] = [401, ''];
    const stub = await startStub(t, (response) => response.writeHead(status).end(body));
    const handler = makeHandler(t, { url: stub.url });
    const failWith = async (code: number, text: string) => {
      [status, body] = [code, text];
      const failure = asFailed(await run(handler, call()));
      assert.equal(failure.code, 'provider-failed');
      assert.deepEqual(Object.keys(failure.cost ?? {}), ['bytes']);
      return failure.message;
    };
    const answered = '"p" answered with status';
    assert.equal(
      await failWith(401, `{"error":{"message":"bad key ${KEY}","type":"invalid_api_key"}}`),
      `${answered} 401: invalid_api_key`,
    );
    assert.equal(await failWith(400, `{"error":{"code":"${KEY}"}}`), `${answered} 400`);
    assert.equal(await failWith(500, KEY), `${answered} 500`);
    assert.equal(await failWith(404, `"${'x'.repeat(200_000)}"`), `${answered} 404`);
    assert.equal(await failWith(418, '[['.repeat(5_000)), `${answered} 418`);
  });

  it('is not followed elsewhere', async (t) => {
    const other = await startStub(t, (response) => response.end(whole('stolen')));
    const stub = await startStub(t, (response) =>
      response.writeHead(307, { location: `${other.url}/v1/chat/completions` }).end(),
    );
    const failure = asFailed(await run(makeHandler(t, { url: stub.url }), call()));
    assert.equal(failure.message, '"p" answered with status 307');
    assert.equal(other.seen.length, 0);
  });

  it('is asked again, twice, when it is busy for the moment', async (t) => {
    for (const status of [429, 503]) {
      let refusals = 2;
      const stub = await startStub(t, (response) =>
        refusals-- > 0
          ? response.writeHead(status, { 'retry-after': '0' }).end('{}')
          : response.end(whole(TEXT)),
      );
      const handler = makeHandler(t, { url: stub.url });
      assert.deepEqual(asPerformed(await run(handler, call())).result, RESULT);
      assert.equal(stub.seen.length, 3);
      refusals = 3;
      const failure = asFailed(await run(handler, call()));
      assert.equal(failure.code, status === 429 ? 'rate-limited' : 'provider-failed');
      assert.equal(stub.seen.length, 6);
    }
  });

  it('is not asked again where that cannot help', async (t) => {
    let headers: Record<string, string> = {};
    let body = '';
    const stub = await startStub(t, (response) => response.writeHead(429, headers).end(body));
    const handler = makeHandler(t, { url: stub.url, grant: { timeoutMs: 60_000 } });
    for (const after of ['61', '999999999', new Date(Date.now() + 3_600_000).toUTCString()]) {
      headers = { 'retry-after': after };
      assert.equal(asFailed(await run(handler, call())).code, 'rate-limited');
    }
    headers = { 'retry-after': '0' };
    body = '{"error":{"code":"insufficient_quota"}}';
    assert.match(asFailed(await run(handler, call())).message, /429: insufficient_quota$/);
    assert.equal(stub.seen.length, 4);
  });

  it('gives up waiting when the call is cancelled', async (t) => {
    const cancel = new AbortController();
    const stub = await startStub(t, (response) => {
      response.writeHead(429, { 'retry-after': '30' }).end('{}', () => {
        setImmediate(() => cancel.abort());
      });
    });
    const handler = makeHandler(t, { url: stub.url });
    const failure = asFailed(await run(handler, call(), { signal: cancel.signal }));
    assert.equal(failure.code, 'cancelled');
    assert.equal(stub.seen.length, 1);
  });
});
