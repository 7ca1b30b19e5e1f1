import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../../engine/runtime/types.ts';
import { assemble } from '../../support/wat.ts';
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
  assert.deepEqual(outcome.completed, ['gate']);
  assert.equal(outcome.fuel.used, 0);
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

/** Runs with a limit of exactly what is needed, and with one less; answers how both ended. */
async function atAndBeyond(module: string, name: keyof RunLimits, needed: number) {
  const at = await run(module, { limits: { [name]: needed } });
  const beyond = await run(module, { limits: { [name]: needed - 1 } });
  return { at, beyond };
}

const OK = data('{"result":1}');
const SAY = `(call $set_output (i32.const 0) (i32.const ${OK.length}))`;

test('fuel: a run with exactly what it uses ends ok, with one unit less out of fuel, each time', async () => {
  const fields = `${OK.field} (data (i32.const 100) "${'x'.repeat(800)}")
    (func $start (local $i i32) (loop $l
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 50)))))
    (start $start)`;
  const module = planning(SAY, { fields });
  const { used } = (await run(module)).fuel;
  assert.ok(used !== null);
  const { at, beyond } = await atAndBeyond(module, 'fuel', used);
  assert.equal(at.status, 'ok');
  assert.equal(at.fuel.used, used);
  assert.equal(beyond.status, 'out-of-fuel');
  assert.equal(beyond.problem?.code, 'out-of-fuel');
  assert.equal(beyond.fuel.used, used - 1);
  for (let i = 0; i < 3; i++) assert.equal((await run(module)).fuel.used, used);
});

test('fuel: start functions and active segments count', async () => {
  const usedBy = async (fields: string) =>
    (await run(planning(SAY, { fields: OK.field + fields }))).fuel.used ?? Number.NaN;
  const plain = await usedBy('');
  const segment = await usedBy(`(data (i32.const 100) "${'x'.repeat(8_000)}")`);
  assert.equal(segment - plain, 1_000, 'a unit for 8 bytes');
  const elements = await usedBy(
    '(table 4 funcref) (elem (i32.const 0) func $plan $plan $plan $plan)',
  );
  assert.equal(elements - plain, 32, '8 units for an element');
  const started = await usedBy(`(func $start (local $i i32) (loop $l
      (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 1000)))))
    (start $start)`);
  assert.ok(started - plain > 1_000, `a loop of 1,000 turns cost ${started - plain}`);
});

test('fuel: segments that cost more than there is end the run before anything is made', async () => {
  const fields = `${OK.field} (data (i32.const 100) "${'x'.repeat(8_000)}")`;
  const outcome = await run(planning(SAY, { fields }), { limits: { fuel: 900 } });
  assert.equal(outcome.status, 'out-of-fuel');
  assert.deepEqual(outcome.completed, ['gate']);
  assert.equal(outcome.fuel.used, 900);
});

test('memory pages: at the limit a run goes on, one page beyond ends it', async () => {
  const starting = await atAndBeyond(
    planning(SAY, { fields: OK.field, pages: 3 }),
    'memoryPages',
    3,
  );
  const growing = await atAndBeyond(
    planning(`(drop (memory.grow (i32.const 2))) ${SAY}`, { fields: OK.field }),
    'memoryPages',
    3,
  );
  for (const { at, beyond } of [starting, growing]) {
    assert.equal(at.status, 'ok');
    assert.equal(beyond.status, 'memory-limit');
    assert.equal(beyond.problem?.code, 'memory-limit');
  }
  assert.deepEqual(starting.beyond.completed, ['gate']);
  assert.deepEqual(growing.beyond.completed, ['gate', 'instantiate']);
});

test('table elements: at the limit a run goes on, one element beyond ends it', async () => {
  const starting = planning(SAY, { fields: `${OK.field} (table 3 funcref)` });
  const growing = planning(`(drop (table.grow 0 (ref.null func) (i32.const 2))) ${SAY}`, {
    fields: `${OK.field} (table 1 funcref)`,
  });
  for (const module of [starting, growing]) {
    const { at, beyond } = await atAndBeyond(module, 'tableElements', 3);
    assert.equal(at.status, 'ok');
    assert.equal(beyond.status, 'memory-limit');
    assert.equal(beyond.problem?.code, 'table-limit');
  }
});

test('call depth: the stack ends at the same call each time, and 8 bytes less end it there', async () => {
  const fields = `${OK.field} (func $down (param $n i32)
    (if (local.get $n) (then (call $down (i32.sub (local.get $n) (i32.const 1))))))`;
  const deep = (calls: number) => planning(`(call $down (i32.const ${calls})) ${SAY}`, { fields });
  let [enough, tooLittle] = [DEFAULT_LIMITS.stackBytes, 0];
  while (enough - tooLittle > 8) {
    const middle = ((enough + tooLittle) >>> 4) << 3;
    const { status } = await run(deep(100), { limits: { stackBytes: middle } });
    if (status === 'ok') enough = middle;
    else tooLittle = middle;
  }
  const { at } = await atAndBeyond(deep(100), 'stackBytes', enough);
  assert.equal(at.status, 'ok');
  const outcome = await run(deep(100), { limits: { stackBytes: enough - 8 } });
  assert.equal(outcome.status, 'call-depth');
  assert.equal(outcome.problem?.code, 'call-depth');
  assert.equal(typeof outcome.fuel.used, 'number');
  assert.deepEqual(await run(deep(100), { limits: { stackBytes: enough - 8 } }), outcome);
});

test('log bytes, directives and output bytes: exactly the limit is taken', async () => {
  const logging = planning(`(call $log (i32.const 2) (i32.const 0) (i32.const 9)) ${SAY}`, {
    fields: OK.field,
  });
  const log = await atAndBeyond(logging, 'logBytes', 10);
  assert.deepEqual([log.at.status, log.beyond.status], ['ok', 'log-limit']);
  const constructing = calling('llm_call', '{}', '{}', '{}');
  const directives = await atAndBeyond(constructing, 'directives', 3);
  assert.deepEqual([directives.at.status, directives.beyond.status], ['ok', 'directive-limit']);
  const output = await atAndBeyond(answering(document), 'outputBytes', document.length);
  assert.deepEqual([output.at.status, output.beyond.status], ['ok', 'output-limit']);
});

test('more stack than V8 has is refused', async () => {
  const limits = { stackBytes: 1_048_577 };
  await assert.rejects(run(answering(document), { limits }), RangeError);
});

test('traps are told at the names and offsets of the module as it was admitted', async () => {
  const fields = `${OK.field}
    (func $deepest (param $n i32) (loop $l
      (if (i32.eqz (local.get $n)) (then (drop (i32.load (i32.const -4)))))
      (local.set $n (i32.sub (local.get $n) (i32.const 1))) (br $l)))
    (func $middle (call $deepest (i32.const 20)))`;
  const bodies = ['(call $middle)', '(drop (i32.div_u (i32.const 1) (i32.load (i32.const 90))))'];
  for (const body of [...bodies, 'unreachable']) {
    const bytes = assemble(planning(`${body} ${SAY}`, { fields }));
    const { problem } = await run(bytes);
    const [, name, offset] = plainTrap(bytes);
    assert.equal(problem?.function, name);
    assert.equal(problem?.offset, Number(offset));
  }
});

/** Where V8 says that the plain module traps: the innermost frame's function and offset. */
function plainTrap(bytes: Uint8Array): readonly string[] {
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const names = WebAssembly.Module.imports(module).map(({ name }) => [name, () => 0]);
  const { exports } = new WebAssembly.Instance(module, { mashin: Object.fromEntries(names) });
  try {
    (exports.plan as () => void)();
  } catch (error) {
    const frame = /at (\w+) \(wasm:.*:(0x[0-9a-f]+)\)/.exec((error as Error).stack ?? '');
    assert.ok(frame, (error as Error).stack);
    return frame;
  }
  return assert.fail('it did not trap');
}
