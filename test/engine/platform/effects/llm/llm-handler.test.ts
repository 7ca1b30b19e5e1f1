import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ModelFailure,
  type ModelPiece,
  type ModelProvider,
} from '../../../../../engine/platform/node/effects/llm/model-provider.ts';
import {
  asFailed,
  asPerformed,
  call,
  KEY,
  makeEditorHandler,
  makeHandler,
  run,
  startStub,
  stream,
} from './stub.ts';

const PRICE = { price: { input: 2, output: 10 }, parameters: { maxTokens: 100 } };

/** Of a prompt of two bytes: with what a template may add to it, and the longest answer. */
const BOUND = ((2 + 64) * 2 + 100 * 10) / 1_000;

function answer(usage?: unknown): string {
  const choices = [{ message: { content: 'ok' }, finish_reason: 'stop' }];
  return JSON.stringify({ choices, usage });
}

function serves(complete: (signal: AbortSignal) => AsyncIterable<ModelPiece>): ModelProvider {
  return { complete: (_request, signal) => complete(signal) };
}

async function* pieces(...texts: string[]): AsyncGenerator<ModelPiece> {
  for (const text of texts) yield { text };
}

describe('the handler of llm_call', () => {
  it('judges what a directive asks', async (t) => {
    const stub = await startStub(t, (response) => response.end(answer()));
    const handler = makeHandler(t, {
      url: stub.url,
      grant: { models: ['m', 'gone'], promptBytes: 5 },
    });
    const judge = (model: string, user = 'hi', system = '') =>
      handler.judge?.(call(user, { model, system }))?.code;
    assert.equal(judge('m'), undefined);
    assert.equal(judge(''), undefined);
    assert.equal(judge('other'), 'model-not-granted');
    assert.equal(judge('gone'), 'model-unknown');
    assert.equal(judge('m', 'äöü'), 'too-large');
    assert.equal(judge('m', 'abc', 'def'), 'too-large');
    assert.equal(judge('m', 'ab', 'def'), undefined);
    const { outcome } = await run(handler, call('hi', { model: 'other' }));
    assert.equal(outcome.kind, 'refused');
    assert.equal(stub.seen.length, 0);
  });

  it('shows names from a directive so that they fool nobody', (t) => {
    const handler = makeHandler(t, {});
    const message = handler.judge?.(call('', { model: 'a\u202e\n\u001b[31m' }))?.message;
    assert.equal(message, 'the agency has no model "a\\u{202e}\\u{a}\\u{1b}[31m"');
    assert.equal(handler.judge?.(call('', { model: 'toString' }))?.code, 'model-unknown');
    assert.equal(handler.judge?.(call('', { model: '__proto__' }))?.code, 'model-unknown');
  });

  it('knows a model without a name only where the agency has a default', (t) => {
    assert.equal(makeHandler(t, {}).judge?.(call('', { model: '' })), undefined);
    const editor = makeEditorHandler(
      t,
      serves(() => pieces('x')),
    );
    assert.equal(editor.judge?.(call('', { model: '' }))?.code, 'model-unknown');
  });

  it('sends nothing without the secret that it needs', async (t) => {
    const stub = await startStub(t, (response) => response.end(answer()));
    const values: [() => Promise<string | undefined>, string][] = [
      [async () => undefined, 'secret-missing'],
      [() => Promise.reject(new Error(KEY)), 'secret-missing'],
      [async () => `${KEY}\r\nx-evil: 1`, 'secret-unusable'],
      [async () => `${KEY}\u{1F511}`, 'secret-unusable'],
    ];
    for (const [get, code] of values) {
      const handler = makeHandler(t, { url: stub.url, secrets: { get } });
      const { outcome } = await run(handler, call());
      assert(outcome.kind === 'refused');
      assert.equal(outcome.code, code);
    }
    assert.equal(stub.seen.length, 0);
  });

  it('tells the most that an answer may cost, and what it did cost', async (t) => {
    let usage: unknown;
    const stub = await startStub(t, (response) => response.end(answer(usage)));
    const handler = makeHandler(t, { url: stub.url, model: PRICE });
    assert.equal(handler.price?.(call()), BOUND);
    assert.equal(handler.price?.(call('', { model: 'unknown' })), 0);
    const money = async (claim: unknown) => {
      usage = claim;
      return asPerformed(await run(handler, call())).cost?.money;
    };
    const claim = (prompt_tokens: unknown, completion_tokens: unknown) => ({
      prompt_tokens,
      completion_tokens,
    });
    assert.equal(await money(claim(10, 3)), (10 * 2 + 3 * 10) / 1_000);
    assert.equal(await money(claim(0, 0)), undefined);
    for (const absurd of [
      undefined,
      null,
      'free',
      claim(-1_000_000, 3),
      claim(10, -3),
      claim(1e300, 1e300),
      claim('10', '3'),
      claim(1.5, 3),
      claim(undefined, 3),
      claim(9e15, 0),
    ]) {
      assert.equal(await money(absurd), BOUND, JSON.stringify(absurd));
    }
  });

  it('has no price where the agency has none', async (t) => {
    const stub = await startStub(t, (response) => response.end(answer()));
    const handler = makeHandler(t, { url: stub.url });
    assert.equal(handler.price?.(call()), 0);
    const { cost } = asPerformed(await run(handler, call()));
    assert.equal(cost?.money, undefined);
    assert(Number(cost?.bytes) > answer().length);
  });

  it('keeps to the money and the bytes that are left', async (t) => {
    const stub = await startStub(t, (response) => response.end(answer()));
    const handler = makeHandler(t, { url: stub.url, model: PRICE });
    const code = async (allowance: object) =>
      asFailed(await run(handler, call('x'.repeat(1_000)), { allowance })).code;
    assert.equal(await code({ money: BOUND }), 'money-exhausted');
    assert.equal(await code({ bytes: 900 }), 'bytes-exhausted');
    assert.equal(stub.seen.length, 0);
    const one = asPerformed(await run(handler, call('x'.repeat(1_000)))).cost?.bytes ?? 0;
    assert.equal(await code({ bytes: one - 1 }), 'bytes-exhausted');
    const enough = await run(handler, call('x'.repeat(1_000)), { allowance: { bytes: one } });
    assert.equal(asPerformed(enough).cost?.bytes, one);
  });

  it('counts the bound where it was asked and nothing came of it, not where nothing was', async (t) => {
    const stub = await startStub(t, (response) => response.end('oops'));
    const asked = asFailed(await run(makeHandler(t, { url: stub.url, model: PRICE }), call()));
    assert.equal(asked.cost?.money, BOUND);
    const refusing = await startStub(t, (response) => response.writeHead(400).end());
    const refused = asFailed(
      await run(makeHandler(t, { url: refusing.url, model: PRICE }), call()),
    );
    assert.equal(refused.cost?.money, undefined);
    const closed = await startStub(t, () => undefined);
    await closed.stop();
    const away = asFailed(await run(makeHandler(t, { url: closed.url, model: PRICE }), call()));
    assert.equal(away.code, 'provider-failed');
    assert.match(away.message, /^"p": the host refused the connection \(ECONNREFUSED\)$/);
    assert.equal(away.cost?.money, undefined);
  });

  it('bounds an answer, whole or streamed', async (t) => {
    const stub = await startStub(t, (response, { body }) => {
      const content = 'x'.repeat(60);
      if (body.stream !== true) {
        response.end(JSON.stringify({ choices: [{ message: { content: content.repeat(2) } }] }));
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const event = `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
      response.end(event + event);
    });
    const handler = makeHandler(t, { url: stub.url, grant: { responseBytes: 100 } });
    assert.equal(asFailed(await run(handler, call())).code, 'too-large');
    const streamed = await run(handler, stream());
    assert.equal(asFailed(streamed).code, 'too-large');
    assert.equal(streamed.emitted.length, 1);
  });

  it('cannot be flooded', async (t) => {
    const flood = (text: string) =>
      startStub(t, (response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const write = () => {
          while (!response.destroyed && response.write(text));
          response.once('drain', write);
        };
        write();
      });
    const code = async (text: string) => {
      const { url } = await flood(text);
      const grant = { responseBytes: 10_000 };
      return asFailed(await run(makeHandler(t, { url, grant }), stream())).code;
    };
    assert.equal(await code(': a comment\n\n'), 'too-large');
    assert.equal(await code('x'.repeat(65_536)), 'malformed-answer');
    assert.equal(await code('data: x\n'), 'malformed-answer');
    assert.equal(await code('data: {"choices":[]}\n\n'), 'too-large');
  });

  it('ends in time, and when it is cancelled, whatever the provider does', async (t) => {
    const silent = await startStub(t, () => undefined);
    const inTime = makeHandler(t, { url: silent.url, model: { ...PRICE, timeoutMs: 50 } });
    const late = asFailed(await run(inTime, call()));
    assert.equal(late.code, 'timeout');
    assert.equal(late.cost?.money, BOUND);

    const cancel = new AbortController();
    const half = await startStub(t, (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[{"delta":{"content":"half"}}]}\n\n');
    });
    const handler = makeHandler(t, { url: half.url });
    const cut = await run(handler, stream(), {
      signal: cancel.signal,
      onEmit: () => cancel.abort(),
    });
    assert.equal(asFailed(cut).code, 'cancelled');
    assert.deepEqual(cut.emitted, [{ text: 'half' }]);

    const before = await run(handler, call(), { signal: AbortSignal.abort() });
    assert.equal(asFailed(before).code, 'cancelled');
    assert.equal(half.seen.length, 1);
  });

  it('reaches its endpoint and nothing else', async (t) => {
    const handler = makeHandler(t, {
      url: 'https://10.0.0.5/v1',
    });
    const failure = asFailed(await run(handler, call()));
    assert.equal(failure.code, 'provider-failed');
    assert.match(failure.message, /not public \(private\)/);
  });

  it('may be asked a second time after it was cut off', (t) => {
    assert.equal(makeHandler(t, {}).isRepeatable?.(call()), true);
  });
});

describe('models of an editor', () => {
  it('answer like any other', async (t) => {
    let closed = 0;
    const provider: ModelProvider = {
      complete: async function* ({ model, system, user, isStreamed }) {
        yield { text: `${model.model} ${system} ${user} ${isStreamed}` };
        yield { finish: 'length', usage: { inputTokens: 1, outputTokens: 2 } };
      },
      close: async () => {
        closed++;
      },
    };
    const handler = makeEditorHandler(t, provider);
    const ran = await run(handler, stream('hi', { system: 's' }));
    const { result, cost } = asPerformed(ran);
    assert.deepEqual(result, {
      text: 'copilot s hi true',
      model: 'm',
      finish: 'length',
      usage: { inputTokens: 1, outputTokens: 2 },
    });
    assert.deepEqual(cost, { bytes: 3 + 17 });
    await handler.close?.();
    assert.equal(closed, 1);
  });

  it('cost the bound where nobody counts their tokens', async (t) => {
    const handler = makeEditorHandler(
      t,
      serves(() => pieces('a')),
      { model: PRICE },
    );
    assert.equal(asPerformed(await run(handler, call())).cost?.money, BOUND);
  });

  it('are missing where no editor offers them', (t) => {
    const handler = makeEditorHandler(t, undefined);
    assert.equal(handler.judge?.(call())?.code, 'provider-missing');
  });

  it('fail as data, whatever they throw', async (t) => {
    const throwing: [() => AsyncIterable<ModelPiece>, string, string][] = [
      [
        () => {
          throw new Error(KEY);
        },
        'provider-failed',
        '"e" failed',
      ],
      [
        async function* () {
          yield* pieces('a');
          throw KEY;
        },
        'provider-failed',
        '"e" failed',
      ],
      [
        // biome-ignore lint/correctness/useYield: it fails before its first piece
        async function* () {
          throw new ModelFailure('rate-limited', 'come back tomorrow', true);
        },
        'rate-limited',
        'come back tomorrow',
      ],
    ];
    for (const [complete, code, message] of throwing) {
      const failure = asFailed(await run(makeEditorHandler(t, serves(complete)), call()));
      assert.deepEqual([failure.code, failure.message], [code, message]);
    }
  });

  it('hold nobody up by never answering, nor by never ending', async (t) => {
    const never = serves(() => ({
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => undefined),
        return: () => new Promise<never>(() => undefined),
      }),
    }));
    const handler = makeEditorHandler(t, never, { grant: { timeoutMs: 30 } });
    assert.equal(asFailed(await run(handler, call())).code, 'timeout');
    const endless = serves(async function* () {
      for (;;) yield { text: 'x'.repeat(1_000) };
    });
    const bounded = makeEditorHandler(t, endless, { grant: { responseBytes: 10_000 } });
    const ran = await run(bounded, stream());
    assert.equal(asFailed(ran).code, 'too-large');
    assert.equal(ran.emitted.length, 10);
    const poor = await run(makeEditorHandler(t, endless), call(), { allowance: { bytes: 5_000 } });
    assert.equal(asFailed(poor).code, 'bytes-exhausted');
  });

  it('answer in well-formed text', async (t) => {
    const ran = await run(
      makeEditorHandler(
        t,
        serves(() => pieces('a\ud800', 'b')),
      ),
      stream(),
    );
    assert.equal((asPerformed(ran).result as { text: string }).text, 'a\ufffdb');
  });
});
