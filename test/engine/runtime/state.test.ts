import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../../engine/encoding/input-error.ts';
import type { AdmittedExecutor } from '../../../engine/gate/admit.ts';
import { createProcessIsolation } from '../../../engine/platform/node/process-isolation.ts';
import { type Isolation, inThread } from '../../../engine/runtime/isolation.ts';
import { type RunRequest, runExecutor } from '../../../engine/runtime/run.ts';
import { readState } from '../../../engine/runtime/state.ts';
import { DEFAULT_LIMITS, type Outcome } from '../../../engine/runtime/types.ts';
import { flipBit } from '../../support/bytes.ts';
import { COUNTER, counted } from '../../support/counter.ts';
import { assemble } from '../../support/wat.ts';
import { bundleHost } from '../platform/process-support.ts';
import { admit, data, planning } from './executors.ts';

const folder = await mkdtemp(join(tmpdir(), 'state-'));
const host = join(folder, 'host.js');
await writeFile(host, await bundleHost('../../../engine/platform/node/process-main.ts'));
const ownProcess = createProcessIsolation({ script: pathToFileURL(host) });
after(async () => {
  await ownProcess.close();
  await rm(folder, { recursive: true, force: true });
});

const RUNS = 5;

async function runAfter(
  executor: AdmittedExecutor,
  before: Uint8Array | undefined,
  isolation: Isolation = inThread,
  more: Partial<RunRequest> = {},
): Promise<Outcome> {
  const request = { input: {}, limits: DEFAULT_LIMITS, state: { before }, ...more };
  return runExecutor(executor, request, isolation);
}

/** Runs one after the other, each with the state that the one before left. */
async function runMany(executor: AdmittedExecutor, isolations: readonly Isolation[]) {
  const outcomes: Outcome[] = [];
  for (const isolation of isolations) {
    const outcome = await runAfter(executor, outcomes.at(-1)?.state, isolation);
    assert.equal(outcome.status, 'ok', outcome.problem?.message);
    outcomes.push(outcome);
  }
  return outcomes;
}

/** The answers of one instance of the plain module that V8 calls again and again. */
function callLive(bytes: Uint8Array, calls: number): { answers: string[]; memory: Uint8Array } {
  const answers: string[] = [];
  let memory = new Uint8Array();
  const setOutput = (at: number, length: number) => {
    memory = new Uint8Array((instance.exports.memory as WebAssembly.Memory).buffer);
    answers.push(new TextDecoder().decode(memory.subarray(at, at + length)));
  };
  const module = new WebAssembly.Module(Uint8Array.from(bytes));
  const instance = new WebAssembly.Instance(module, { mashin: { set_output: setOutput } });
  for (let i = 0; i < calls; i++) (instance.exports.plan as () => void)();
  return { answers, memory };
}

test('runs with a state answer as one instance that is called as often, wherever they run', async () => {
  const executor = await admit(COUNTER);
  const live = callLive(COUNTER, RUNS);
  const mixed = Array.from({ length: RUNS }, (_, i) => (i % 2 === 0 ? inThread : ownProcess));
  for (const isolations of [Array(RUNS).fill(inThread), Array(RUNS).fill(ownProcess), mixed]) {
    const outcomes = await runMany(executor, isolations);
    const texts = outcomes.map(({ output }) => new TextDecoder().decode(output));
    assert.deepEqual(texts, live.answers);
    assert.deepEqual(
      outcomes.map(({ result }) => result),
      Array.from({ length: RUNS }, (_, i) => counted(i + 1)),
    );
  }
});

test('the state holds the memory of the live instance, byte for byte, and nothing that is zero', async () => {
  const outcomes = await runMany(await admit(COUNTER), Array(RUNS).fill(inThread));
  const bytes = outcomes.at(-1)?.state ?? new Uint8Array();
  assert.ok(bytes.length < 9_000, `${bytes.length} bytes for two pages`);
  const { pages, size, runs, blocks } = readState(bytes);
  assert.deepEqual([pages, size], [2, 2]);
  const memory = new Uint8Array(pages * 65_536);
  let at = 0;
  for (const { first, count } of runs) {
    memory.set(blocks.subarray(at, at + count * 4_096), first * 4_096);
    at += count * 4_096;
  }
  assert.deepEqual(memory, callLive(COUNTER, RUNS).memory);
});

test('equal runs leave equal states and use equal fuel, in this thread and in a process', async () => {
  const executor = await admit(COUNTER);
  const [here, there] = [inThread, ownProcess].map((place) => runMany(executor, [place, place]));
  assert.deepEqual(await here, await there);
});

test('a run without a state leaves none', async () => {
  const executor = await admit(COUNTER);
  const outcome = await runExecutor(executor, { input: {}, limits: DEFAULT_LIMITS }, inThread);
  assert.equal(outcome.status, 'ok');
  assert.equal(outcome.state, undefined);
});

const OUTPUT = data('{"result":1}', 2_000);
const SAY = `(call $set_output (i32.const 2000) (i32.const ${OUTPUT.length}))`;

test('a run that did not end well leaves no state', async () => {
  const trapping = await admit(planning(`${SAY} unreachable`, { fields: OUTPUT.field }));
  assert.equal((await runAfter(trapping, undefined)).state, undefined);
  const error = data('{"error":{"message":"no"}}', 2_000);
  const failing = await admit(
    planning(`(call $set_output (i32.const 2000) (i32.const ${error.length}))`, {
      fields: error.field,
    }),
  );
  const outcome = await runAfter(failing, undefined);
  assert.equal(outcome.status, 'error');
  assert.equal(outcome.state, undefined);
});

/** Runs twice a module with one global of a type; answers the bits that the second run finds. */
async function carry(type: 'f32' | 'f64', bits: string): Promise<bigint> {
  const int = type === 'f32' ? 'i32' : 'i64';
  const fields = `${OUTPUT.field} (global $g (mut ${type}) (${type}.const 0))
    (global $again (mut i32) (i32.const 0))`;
  const body = `(if (global.get $again) (then
      (${int}.store (i32.const 0) (${int}.reinterpret_${type} (global.get $g)))
      (call $log (i32.const 2) (i32.const 0) (i32.const 0))))
    (if (i32.eqz (global.get $again)) (then
      (global.set $g (${type}.reinterpret_${int} (${int}.const ${bits})))))
    (global.set $again (i32.const 1)) ${SAY}`;
  const executor = await admit(planning(body, { fields }));
  const [, second] = await runMany(executor, [inThread, inThread]);
  const { blocks } = readState(second?.state ?? new Uint8Array());
  const view = new DataView(blocks.buffer, blocks.byteOffset);
  return type === 'f32' ? BigInt(view.getUint32(0, true)) : view.getBigUint64(0, true);
}

for (const bits of ['0x80000000', '0x7f800000', '0xff800000', '0x00000001', '0x3f800001']) {
  test(`an f32 global keeps the bits ${bits}`, async () => {
    assert.equal(await carry('f32', bits), BigInt(bits));
  });
}
for (const bits of ['0x8000000000000000', '0x7ff0000000000000', '0x0000000000000001']) {
  test(`an f64 global keeps the bits ${bits}`, async () => {
    assert.equal(await carry('f64', bits), BigInt(bits));
  });
}
test('a NaN in a global becomes the canonical one, whatever its bits', async () => {
  assert.equal(await carry('f32', '0xffa00001'), 0x7fc0_0000n);
  assert.equal(await carry('f32', '0x7fc01234'), 0x7fc0_0000n);
  assert.equal(await carry('f64', '0xfff4000000000001'), 0x7ff8_0000_0000_0000n);
});

const UNSAVEABLE: readonly (readonly [what: string, fields: string, body: string])[] = [
  ['a mutable reference', '(global (mut funcref) (ref.null func))', ''],
  ['a mutable vector', '(global (mut v128) (v128.const i64x2 0 0))', ''],
  ['table.set', '(table 1 funcref)', '(table.set 0 (i32.const 0) (ref.null func))'],
  ['table.grow', '(table 1 funcref)', '(drop (table.grow 0 (ref.null func) (i32.const 1)))'],
  ['table.fill', '(table 1 funcref)', '(table.fill 0 (i32.const 0) (ref.null func) (i32.const 1))'],
  ['table.copy', '(table 1 funcref)', '(table.copy (i32.const 0) (i32.const 0) (i32.const 1))'],
  ['data.drop', '(data $d "x")', '(data.drop $d)'],
];
for (const [what, fields, body] of UNSAVEABLE) {
  test(`${what} cannot be saved: the run says so before anything runs`, async () => {
    const module = planning(`${body} ${SAY}`, { fields: fields + OUTPUT.field });
    const executor = await admit(module);
    const outcome = await runAfter(executor, undefined);
    assert.equal(outcome.problem?.code, 'state-not-saveable', JSON.stringify(outcome.problem));
    assert.deepEqual(outcome.completed, ['gate']);
    const plain = await runExecutor(executor, { input: {}, limits: DEFAULT_LIMITS }, inThread);
    assert.equal(plain.status, 'ok', 'without a state it runs');
  });
}

test('a table that no code changes, and a passive segment that none drops, are no state', async () => {
  const fields = `(table 1 funcref) (elem (i32.const 0) func $plan) (data $d "x") ${OUTPUT.field}`;
  const body = `(memory.init $d (i32.const 0) (i32.const 0) (i32.const 1)) ${SAY}`;
  await runMany(await admit(planning(body, { fields })), [inThread, inThread]);
});

test('a state of another program, or larger than the limit, is not begun with', async () => {
  const executor = await admit(COUNTER);
  const [first] = await runMany(executor, [inThread]);
  const other = await admit(planning(SAY, { fields: OUTPUT.field }));
  const mismatch = await runAfter(other, first?.state);
  assert.equal(mismatch.problem?.code, 'state-mismatch');
  const limits = { ...DEFAULT_LIMITS, memoryPages: 1 };
  const small = await runAfter(executor, first?.state, inThread, { limits });
  assert.equal(small.status, 'memory-limit');
  const profile = await runAfter(executor, first?.state, inThread, { memoryProfile: 'edge' });
  assert.equal(profile.problem?.code, 'state-mismatch');
});

test('with a memory profile a state is carried as well', async () => {
  const executor = await admit(COUNTER);
  let before: Uint8Array | undefined;
  for (let n = 1; n <= 3; n++) {
    const outcome = await runAfter(executor, before, inThread, { memoryProfile: 'edge' });
    assert.equal(outcome.result, counted(n));
    before = outcome.state;
  }
  const { pages, size } = readState(before ?? new Uint8Array());
  assert.deepEqual([pages, size], [4, 2]);
});

test('a restored memory counts against what it may still grow by', async () => {
  const fields = `${OUTPUT.field}`;
  const grow = await admit(planning(`(drop (memory.grow (i32.const 1))) ${SAY}`, { fields }));
  const limits = { ...DEFAULT_LIMITS, memoryPages: 3 };
  let before: Uint8Array | undefined;
  for (const status of ['ok', 'ok', 'memory-limit']) {
    const outcome = await runAfter(grow, before, inThread, { limits });
    assert.equal(outcome.status, status);
    before = outcome.state ?? before;
  }
});

test('bytes that are no state, or not the only bytes of one, are refused', async () => {
  const executor = await admit(COUNTER);
  const [first] = await runMany(executor, [inThread]);
  const good = first?.state ?? new Uint8Array();
  const refused = (bytes: Uint8Array) =>
    assert.throws(
      () => readState(bytes),
      (e: unknown) => e instanceof InputError && e.code === 'invalid-snapshot',
    );
  for (const length of [0, 7, 23, 24, 60, good.length - 1]) refused(good.subarray(0, length));
  refused(new Uint8Array([...good, 0]));
  for (let bit = 0; bit < 64; bit++) refused(flipBit(good, bit));
  // Whatever is flipped, what is read is within what was given, or it is refused.
  for (let bit = 64; bit < 8 * 100; bit++) {
    try {
      const { runs, blocks, pages } = readState(flipBit(good, bit));
      const stored = runs.reduce((sum, { count }) => sum + count, 0);
      assert.equal(stored * 4_096, blocks.length);
      assert.ok(runs.every(({ first: at, count }) => at + count <= pages * 16));
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
    }
  }
  await assert.rejects(runAfter(executor, good.subarray(1)), InputError);
});

test('a place that answers no state, or nonsense for one, is not believed', async () => {
  const executor = await admit(COUNTER);
  for (const state of [undefined, new Uint8Array(5)]) {
    const lying: Isolation = {
      mode: 'process',
      execute: async (job, options) => {
        const { state: _, ...outcome } = await inThread.execute(job, options);
        return { ...outcome, ...(state && { state }) };
      },
      close: async () => {},
    };
    const outcome = await runAfter(executor, undefined, lying);
    assert.equal(outcome.problem?.code, 'host-crashed');
    assert.equal(outcome.state, undefined);
  }
});

test('a state that nobody asked for is not taken', async () => {
  const executor = await admit(COUNTER);
  const [first] = await runMany(executor, [inThread]);
  const giving: Isolation = {
    mode: 'process',
    execute: async (job, options) => ({
      ...(await inThread.execute(job, options)),
      ...(first?.state && { state: first.state }),
    }),
    close: async () => {},
  };
  const outcome = await runExecutor(executor, { input: {}, limits: DEFAULT_LIMITS }, giving);
  assert.equal(outcome.problem?.code, 'host-crashed');
});

test('a module without memory cannot be stateful', async () => {
  const executor = await admit(assemble('(module (func (export "plan")))'));
  assert.equal((await runAfter(executor, undefined)).problem?.code, 'state-not-saveable');
});
