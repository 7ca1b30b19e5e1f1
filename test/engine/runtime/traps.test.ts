import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../../support/wat.ts';
import { answering, planning, run } from './executors.ts';

const TABLE =
  '(type $t (func)) (func $other (param i32)) (table 2 funcref) (elem (i32.const 1) $other)';

const TRAPS: readonly (readonly [code: string, body: string, fields?: string])[] = [
  ['unreachable', 'unreachable'],
  ['memory-out-of-bounds', '(drop (i32.load (i32.const -4)))'],
  ['memory-out-of-bounds', '(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))'],
  [
    'memory-out-of-bounds',
    '(memory.init $d (i32.const 0) (i32.const 2) (i32.const 9))',
    '(data $d "abc")',
  ],
  ['table-out-of-bounds', '(call_indirect (type $t) (i32.const 2))', TABLE],
  ['table-out-of-bounds', '(drop (table.get 0 (i32.const -1)))', TABLE],
  ['indirect-call-type-mismatch', '(call_indirect (type $t) (i32.const 1))', TABLE],
  ['indirect-call-type-mismatch', '(call_indirect (type $t) (i32.const 0))', TABLE],
  ['integer-divide-by-zero', '(drop (i32.div_s (i32.const 1) (i32.const 0)))'],
  ['integer-divide-by-zero', '(drop (i64.rem_u (i64.const 1) (i64.const 0)))'],
  ['integer-overflow', '(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))'],
  ['invalid-conversion', '(drop (i32.trunc_f64_s (f64.const nan)))'],
  ['invalid-conversion', '(drop (i64.trunc_f32_u (f32.const 1e30)))'],
  ['uncaught-exception', 'throw $tag', '(tag $tag)'],
];

for (const [code, body, fields = ''] of TRAPS) {
  test(`${body} is the trap ${code}`, async () => {
    const outcome = await run(planning(body, { fields }));
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, code);
    assert.equal(outcome.result, null);
    assert.deepEqual(outcome.completed, ['gate', 'instantiate']);
    assert.doesNotMatch(outcome.problem.message, /wasm:|file:|node:|\n/);
    if (code !== 'uncaught-exception') assert.equal(outcome.problem.function, 'plan');
  });
}

test('endless recursion ends with the status call-depth', async () => {
  const outcome = await run(planning('(call $plan)'));
  assert.equal(outcome.status, 'call-depth');
  assert.equal(outcome.problem?.code, 'call-depth');
});

test('a stack that overflows inside a host function ends the run, even if the guest catches it', async () => {
  const fields = `(func $deep (drop (call $context_len (i32.const 0) (i32.const 0))) (call $deep))`;
  const outcome = await run(planning('try (call $deep) catch_all end unreachable', { fields }));
  assert.equal(outcome.status, 'call-depth');
});

test('the offset is that of the instruction in the module, the name that of its function', async () => {
  const text = planning('(call $inner)', {
    fields: '(func $inner (i32.const 7) (drop) unreachable)',
  });
  const bytes = assemble(text);
  // i32.const 7, drop, unreachable, end: the only place where these stand together
  const at = Buffer.from(bytes).indexOf(Buffer.from([0x41, 0x07, 0x1a, 0x00, 0x0b]));
  const { problem } = await run(bytes);
  assert.equal(problem?.offset, at + 3);
  assert.equal(problem.function, 'inner');
});

test('a function without a name is shown by its index', async () => {
  const outcome = await run(planning('(call 8)', { fields: '(func unreachable)' }));
  assert.equal(outcome.problem?.function, 'func[8]');
});

test('a function name that pretends to be a stack frame moves nothing', async () => {
  const name =
    'x (wasm://wasm/0:wasm-function[99]:0x99)\\n    at y (wasm://wasm/0:wasm-function[98]:0x98)';
  const text = planning('(call $zzzz)', { fields: '(func $zzzz unreachable)' });
  const honest = await run(text);
  const forged = await run(renameFunction(assemble(text), 'zzzz', name.replaceAll('\\n', '\n')));
  assert.equal(forged.problem?.offset, honest.problem?.offset);
  assert.match(forged.problem?.function ?? '', /^x \(wasm/);
  assert.doesNotMatch(forged.problem?.function ?? '', /\n/);
});

/** Rewrites the name section, which the assembler puts last, with one name of a function changed. */
function renameFunction(bytes: Uint8Array, from: string, to: string): Uint8Array {
  const source = Buffer.from(bytes);
  const start = source.lastIndexOf(Buffer.from('\x04name')) + 5;
  const header = source.lastIndexOf(0, start - 6);
  const index = source[source.indexOf(Buffer.from(from), start) - 2];
  const name = Buffer.from(to);
  const entry = Buffer.concat([Buffer.from([1, index ?? 0]), leb(name.length), name]);
  const body = Buffer.concat([Buffer.from('\x04name'), Buffer.from([1]), leb(entry.length), entry]);
  return Buffer.concat([source.subarray(0, header), Buffer.from([0]), leb(body.length), body]);
}

function leb(value: number): Buffer {
  return value < 0x80 ? Buffer.from([value]) : Buffer.from([(value & 0x7f) | 0x80, value >> 7]);
}

test('a trap of the start function is an outcome', async () => {
  const outcome = await run(planning('', { fields: '(func $s unreachable) (start $s)' }));
  assert.equal(outcome.problem?.code, 'unreachable');
  assert.equal(outcome.problem?.function, 's');
  assert.deepEqual(outcome.completed, ['gate']);
});

test('data and elements outside the memory and the table are outcomes', async () => {
  const data = await run(planning('', { fields: '(data (i32.const 65536) "x")' }));
  assert.equal(data.problem?.code, 'memory-out-of-bounds');
  const fields = '(func $f) (table 1 funcref) (elem (i32.const 3) $f)';
  const elements = await run(planning('', { fields }));
  assert.equal(elements.problem?.code, 'table-out-of-bounds');
});

test('a table that cannot be made is a refusal of V8 or an outcome, as its version has it', async () => {
  try {
    const outcome = await run(planning('', { fields: '(table 4000000000 funcref)' }));
    assert.equal(outcome.status, 'memory-limit');
    assert.equal(outcome.problem?.code, 'table-limit');
  } catch (error) {
    assert.match(
      String(error),
      /not admitted: proof-validation, V8 refuses the module: .*table size/,
    );
  }
});

const EXPORTS: readonly (readonly [what: string, code: string, module: string])[] = [
  ['no memory', 'missing-memory', '(module (func (export "plan")))'],
  [
    'a memory that is a function',
    'missing-memory',
    '(module (memory 1) (func (export "plan") (export "memory")))',
  ],
  ['no plan', 'missing-entry', '(module (memory (export "memory") 1))'],
  [
    'a plan that is a global',
    'missing-entry',
    '(module (memory (export "memory") 1) (global (export "plan") i32 (i32.const 1)))',
  ],
  [
    'a plan with a parameter',
    'missing-entry',
    '(module (memory (export "memory") 1) (func (export "plan") (param i32)))',
  ],
  [
    'a plan with a result',
    'missing-entry',
    '(module (memory (export "memory") 1) (func (export "plan") (result i32) i32.const 0))',
  ],
  [
    'a shared memory',
    'nondeterministic',
    '(module (memory (export "memory") 1 1 shared) (func (export "plan")))',
  ],
];

for (const [what, code, module] of EXPORTS) {
  test(`a module with ${what} gives ${code}`, async () => {
    const outcome = await run(module);
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, code);
  });
}

test('another entry can be named, and names of Object.prototype are none', async () => {
  const module = answering('{"result":1}').replace('"plan"', '"other"');
  assert.equal((await run(module, { entry: 'other' })).result, 1);
  for (const entry of ['plan', 'toString', '__proto__', 'constructor', 'memory', '']) {
    assert.equal((await run(module, { entry })).problem?.code, 'missing-entry');
  }
});

test('a run without an output is a trap', async () => {
  const outcome = await run(planning(''));
  assert.equal(outcome.status, 'trap');
  assert.equal(outcome.problem?.code, 'no-output');
  assert.equal(outcome.output, undefined);
  assert.deepEqual(outcome.completed, ['gate', 'instantiate', 'plan']);
});

test('the formatter of stack traces is left as it was', async () => {
  const formatter = () => 'mine';
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = formatter;
  try {
    await run(planning('unreachable'));
    assert.equal(Error.prepareStackTrace, formatter);
  } finally {
    Error.prepareStackTrace = before;
  }
});
