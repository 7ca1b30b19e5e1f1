import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { admit, answering, calling, data, planning, run } from './executors.ts';

const document = '{"result":"0123456789"}';

test('an output of exactly the limit is taken, one byte more is not', async () => {
  const module = answering(document);
  const fits = await run(module, { limits: { outputBytes: document.length } });
  assert.equal(fits.status, 'ok');
  const exceeds = await run(module, { limits: { outputBytes: document.length - 1 } });
  assert.equal(exceeds.status, 'output-limit');
  assert.equal(exceeds.problem?.code, 'output-limit');
  assert.equal(exceeds.output, undefined);
});

test('10,485,760 bytes of output are the limit, whatever they are', async () => {
  const body = (bytes: number) => `(call $set_output (i32.const 0) (i32.const ${bytes}))`;
  const over = await run(planning(body(10_485_761), { pages: 161 }));
  assert.equal(over.status, 'output-limit');
  const exact = await run(planning(body(10_485_760), { pages: 161 }));
  assert.equal(exact.problem?.code, 'invalid-output');
  assert.equal(exact.output?.length, 10_485_760);
});

test('an output over the limit after one within it leaves none', async () => {
  const ok = data('{"result":1}');
  const body = `(call $set_output (i32.const 0) (i32.const ${ok.length}))
    (call $set_output (i32.const 0) (i32.const 60000))`;
  const outcome = await run(planning(body, { fields: ok.field }), { limits: { outputBytes: 100 } });
  assert.equal(outcome.status, 'output-limit');
  assert.equal(outcome.output, undefined);
});

test('log messages together are bounded, and those before stay', async () => {
  const body = `(loop $again (call $log (i32.const 2) (i32.const 0) (i32.const 9)) (br $again))`;
  const outcome = await run(planning(body), { limits: { logBytes: 100 } });
  assert.equal(outcome.status, 'log-limit');
  assert.equal(outcome.logs.length, 10);
});

test('empty log messages are bounded too', async () => {
  const body = `(loop $again (call $log (i32.const 2) (i32.const 0) (i32.const 0)) (br $again))`;
  const outcome = await run(planning(body), { limits: { logBytes: 1000 } });
  assert.equal(outcome.status, 'log-limit');
  assert.equal(outcome.logs.length, 1000);
});

test('constructed directives are bounded before they are decoded', async () => {
  const module = calling('llm_call', '{}', '{}', 'not JSON');
  const outcome = await run(module, { limits: { directives: 2 } });
  assert.equal(outcome.status, 'directive-limit');
  assert.deepEqual(outcome.directives, []);
});

test('directives of the output count with the constructed ones', async () => {
  const output = data('{"directives":[{"type":"a"},{"type":"b"}],"result":1}', 8);
  const parameters = data('{}', 0);
  const body = `(call $llm_call (i32.const 0) (i32.const 2))
    (call $set_output (i32.const 8) (i32.const ${output.length}))`;
  const module = planning(body, { fields: output.field + parameters.field });
  assert.equal((await run(module, { limits: { directives: 3 } })).directives.length, 3);
  const outcome = await run(module, { limits: { directives: 2 } });
  assert.equal(outcome.status, 'directive-limit');
  assert.deepEqual(outcome.directives, []);
  assert.equal(outcome.result, null);
});

test('the parameters of all constructors together are bounded like the output', async () => {
  const module = calling('llm_call', '{"a":1}', '{"a":2}', '{"a":3}');
  assert.equal((await run(module, { limits: { outputBytes: 21 } })).status, 'ok');
  const outcome = await run(module, { limits: { outputBytes: 20 } });
  assert.equal(outcome.status, 'output-limit');
});

test('a memory that is larger from the start is not run', async () => {
  const module = planning('unreachable', { pages: 3 });
  const outcome = await run(module, { limits: { memoryPages: 2 } });
  assert.equal(outcome.status, 'memory-limit');
  assert.deepEqual(outcome.completed, ['gate', 'instantiate']);
});

test('a memory that grew beyond the limit is found at the next host call, and at the end', async () => {
  const ok = data('{"result":1}');
  const grow = '(drop (memory.grow (i32.const 2)))';
  const output = `(call $set_output (i32.const 0) (i32.const ${ok.length}))`;
  for (const body of [grow + output, output + grow]) {
    const module = planning(body, { fields: ok.field });
    assert.equal((await run(module, { limits: { memoryPages: 3 } })).status, 'ok');
    const outcome = await run(module, { limits: { memoryPages: 2 } });
    assert.equal(outcome.status, 'memory-limit');
  }
});

for (const value of [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 53]) {
  test(`a limit of ${value} is refused`, async () => {
    const executor = await admit(answering('{"result":1}'));
    const limits = { ...DEFAULT_LIMITS, outputBytes: value };
    await assert.rejects(runExecutor(executor, { input: {}, limits }, inThread), RangeError);
  });
}

test('a wall clock that no timer can hold is refused', async () => {
  await assert.rejects(
    run(answering('{"result":1}'), { limits: { timeoutMs: 2 ** 31 } }),
    RangeError,
  );
});
