import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  answerBound,
  FAILURES,
} from '../../../../../engine/platform/node/effects/code-eval/evaluation.ts';
import { handWritten, READY } from '../../process-support.ts';
import {
  createHandler,
  directiveOf,
  evalHost,
  evaluate,
  failureFrom,
  fuelFrom,
  perform,
  valueFrom,
  writeScript,
} from './support.ts';

/** More than a test would wait for. */
const ENDLESS = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 3_600_000 };

test('an evaluation that takes too long is cut off, and the next has a process of its own', async () => {
  const handler = createHandler({ ...ENDLESS, timeoutMs: 2_000 });
  const fuel = await fuelFrom(handler, '1');
  const failure = await failureFrom(handler, 'for (;;);');
  assert.equal(failure.code, 'timeout');
  assert.equal(failure.message, 'the evaluation took longer than 2000 ms');
  assert.equal(await fuelFrom(handler, '1'), fuel);
});

test('a signal cuts an evaluation off in the middle, and one that waits before it begins', async () => {
  const handler = createHandler(ENDLESS);
  assert.equal(await valueFrom(handler, '1'), 1);
  const first = new AbortController();
  const second = new AbortController();
  const running = perform(handler, directiveOf('for (;;);'), first.signal);
  const waiting = perform(handler, directiveOf('2'), second.signal);
  const last = perform(handler, directiveOf('3'));
  setTimeout(() => {
    second.abort();
    first.abort();
  }, 50);
  for (const outcome of [await running, await waiting]) {
    assert.equal(outcome.kind === 'failed' && outcome.code, 'cancelled');
  }
  assert.equal((await last).kind, 'performed');
  const before = await perform(handler, directiveOf('1'), AbortSignal.abort());
  assert.equal(before.kind === 'failed' && before.code, 'cancelled');
});

test('evaluations that are asked for together do not see each other', async () => {
  const handler = createHandler();
  const codes = Array.from(
    { length: 20 },
    (_, i) => `globalThis.seen = (globalThis.seen ?? 0) + ${i}; seen`,
  );
  assert.deepEqual(
    await Promise.all(codes.map((code) => valueFrom(handler, code))),
    codes.map((_, i) => i),
  );
});

test('closing ends the process, and what it does', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async () => {
  const before = childrenOfThis();
  const handler = createHandler(ENDLESS);
  assert.equal(await valueFrom(handler, '1'), 1);
  const started = childrenOfThis().filter((pid) => !before.includes(pid));
  assert.equal(started.length, 1);
  const running = evaluate(handler, 'for (;;);');
  await handler.close?.();
  const outcome = await running;
  assert.equal(outcome.kind === 'failed' && outcome.code, 'cancelled');
  assert.deepEqual(
    childrenOfThis().filter((pid) => started.includes(pid)),
    [],
  );
  assert.equal((await failureFrom(handler, '1')).code, 'cancelled');
  await createHandler().close?.(); // one that never evaluated has no process
});

function childrenOfThis(): readonly string[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean);
}

test('code is not evaluated where nothing would keep its process from files', async () => {
  const handler = createHandler({}, { launch: { without: ['permissionModel', 'noDescriptors'] } });
  const failure = await failureFrom(handler, '1');
  assert.equal(failure.code, 'evaluator-unavailable');
  assert.match(failure.message, /keeps the process that evaluates code from files/);
});

test('parts that are missing are a failure that tells nothing of this machine', async () => {
  const missing = new URL('missing/file', import.meta.url);
  for (const options of [{ script: missing }, { quickjs: missing }]) {
    const failure = await failureFrom(createHandler({}, options), '1');
    assert.equal(failure.code, 'evaluator-unavailable');
    assert.doesNotMatch(failure.message, /missing|\//);
  }
  // A module that is another one, and a script that is none.
  for (const options of [
    { quickjs: await writeScript('no module') },
    { script: await writeScript('{') },
  ]) {
    const failure = await failureFrom(createHandler({}, options), '1');
    assert.equal(failure.code, 'evaluator-lost');
  }
});

test('the clock and the zone of the machine are none of the code', async () => {
  const elsewhere = `process.env.TZ = 'Asia/Kathmandu'; new Date().getTimezoneOffset();`;
  const script = await writeScript(`${elsewhere}\n${evalHost}`);
  const code = '[new Date(2020, 6, 1).getTimezoneOffset(), new Date().toString(), Math.random()]';
  const [here, there] = [createHandler(), createHandler({}, { script })];
  assert.deepEqual(await valueFrom(there, code), await valueFrom(here, code));
  assert.equal(await fuelFrom(there, code), await fuelFrom(here, code));
});

test('an answer that no evaluation could have given costs the process, and is not believed', async () => {
  const grant = { outputBytes: 100, fuel: 1_000 };
  const answers = [
    '{"fuel":1001,"value":1}',
    '{"fuel":-1,"value":1}',
    '{"fuel":0.5,"value":1}',
    '{"value":1}',
    '{"fuel":"1","value":1}',
    '{"fuel":1}',
    '{"failure":"timeout","detail":""}',
    '{"failure":"toString","detail":""}',
    '{"failure":"code-threw"}',
    '{"failure":"code-threw","detail":{}}',
    '{"fuel":1,"fuel":2,"value":1}',
    '{"fuel":1,"value":"\\ud800"}',
    '[1]',
    'null',
    '',
    '\xff',
    `{"fuel":1,"value":"${'x'.repeat(answerBound({ ...grant, memoryPages: 1_024 }))}"}`,
  ];
  for (const answer of answers) {
    const script = await writeScript(
      handWritten(
        `${READY} const { turn } = takeJob(); send(4, 0, turn, Buffer.from(${JSON.stringify(answer)}, 'latin1')); take();`,
      ),
    );
    const failure = await failureFrom(createHandler(grant, { script }), '1');
    assert.equal(failure.code, 'evaluator-lost', answer.slice(0, 60));
  }
});

test('what a process says of a failure is bounded and safe to show', async () => {
  for (const failure of FAILURES) {
    const answer = JSON.stringify({ failure, detail: '\u202e\n'.repeat(200) });
    const script = await writeScript(
      handWritten(
        `${READY} const { turn } = takeJob(); send(4, 0, turn, ${JSON.stringify(answer)}); take();`,
      ),
    );
    const outcome = await failureFrom(createHandler({}, { script }), '1');
    assert.equal(outcome.code, failure);
    assert.match(outcome.message, /^[ -~…]{1,4000}$/);
  }
});

test('each layer that a process can be started with is enough to evaluate in', async () => {
  for (const without of [
    'permissionModel',
    'noDescriptors',
    'networkNamespace',
    'unprivilegedUser',
  ] as const) {
    const handler = createHandler({}, { launch: { without: [without] } });
    assert.equal(await valueFrom(handler, '1 + 1'), 2, without);
  }
});
