import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { AdmissionError, type AdmittedExecutor } from '../../../engine/gate/admit.ts';
import { inputBytes } from '../../../engine/runtime/input.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import type { Job } from '../../../engine/runtime/job.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { assemble } from '../../support/wat.ts';
import { admit, answering, data, planning, run } from './executors.ts';

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const request = { input: {}, limits: DEFAULT_LIMITS };

test('the input is one document, whatever order or absence', () => {
  assert.equal(text(inputBytes({})), '{"context":{},"step_config":{}}');
  assert.equal(
    text(inputBytes({ step_config: [2], context: { b: 1, a: 2 } })),
    '{"context":{"a":2,"b":1},"step_config":[2]}',
  );
});

for (const input of [null, [], 'x', { other: 1 }, { context: [] }, { context: null }]) {
  test(`${JSON.stringify(input)} is no input`, async () => {
    await assert.rejects(run(answering('{"result":1}'), { input }), InputError);
  });
}

test('an input with a lone surrogate or a number that is not finite is refused', () => {
  assert.throws(() => inputBytes({ step_config: '\ud800' }), InputError);
  assert.throws(() => inputBytes({ step_config: Number.NaN }), InputError);
});

/** Counts in a global, in memory and in a table, and answers the sum it found before. */
const COUNTER = planning(
  `(if (i32.or (global.get $count) (i32.load (i32.const 1024))) (then unreachable))
   (if (i32.eqz (ref.is_null (table.get 0 (i32.const 0)))) (then unreachable))
   (if (i32.ne (memory.size) (i32.const 1)) (then unreachable))
   (global.set $count (i32.const 1))
   (i32.store (i32.const 1024) (i32.const 1))
   (table.set 0 (i32.const 0) (ref.func $plan))
   (drop (memory.grow (i32.const 1)))
   (call $log (i32.const 2) (i32.const 0) (i32.const 4))
   (call $llm_call (i32.const 40) (i32.const 2))
   (call $set_output (i32.const 0) (i32.const 12))`,
  {
    fields: `(global $count (mut i32) (i32.const 0)) (table 1 funcref) (elem declare func $plan)
      ${data('{"result":1}').field} ${data('{}', 40).field}`,
  },
);

test('two runs share nothing', async () => {
  const executor = await admit(COUNTER);
  const outcomes = [];
  for (let i = 0; i < 3; i++) outcomes.push(await runExecutor(executor, request, inThread));
  const [first] = outcomes;
  assert.equal(first?.status, 'ok');
  for (const outcome of outcomes) assert.deepEqual(outcome, first);
  assert.equal(first.logs.length, 1);
  assert.equal(first.directives.length, 1);
});

test('a run after one that trapped is as any other', async () => {
  const trapping = await admit(planning('unreachable'));
  const counting = await admit(COUNTER);
  assert.equal((await runExecutor(trapping, request, inThread)).status, 'trap');
  assert.equal((await runExecutor(counting, request, inThread)).status, 'ok');
});

test('an aborted signal cancels before the run begins', async () => {
  const outcome = await run(answering('{"result":1}'), { signal: AbortSignal.abort() });
  assert.equal(outcome.status, 'cancelled');
  assert.deepEqual(outcome.completed, ['gate']);
  assert.equal(outcome.fuel.used, null);
});

test('what the gate did not make is not run', async () => {
  const executor = await admit(answering('{"result":1}'));
  const forgeries = [
    { ...executor },
    Object.create(Object.getPrototypeOf(executor)),
    new Proxy(executor, {}),
    structuredClone({ ...executor }),
    new WebAssembly.Module(assemble(answering('{"result":1}')) as Uint8Array<ArrayBuffer>),
    null,
  ];
  for (const forgery of forgeries) {
    await assert.rejects(
      runExecutor(forgery as AdmittedExecutor, request, inThread),
      AdmissionError,
    );
  }
});

test('an isolation executes only jobs made of admitted executors', async () => {
  const contents = {
    module: new WebAssembly.Module(assemble(answering('{"result":1}')) as Uint8Array<ArrayBuffer>),
    input: new Uint8Array(),
    limits: DEFAULT_LIMITS,
    entry: 'plan',
  };
  for (const forgery of [contents, null, {}]) {
    const execution = inThread.execute(forgery as unknown as Job, { timeoutMs: 1000 });
    await assert.rejects(execution, AdmissionError);
  }
});
