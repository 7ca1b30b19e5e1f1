import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NONDETERMINISTIC } from '../../../../engine/module/code/features.ts';
import { reportOf } from '../../../../engine/module/report.ts';
import { readLayout } from '../../../../engine/module/walker.ts';
import { body, inspect, inspectWat, leb, moduleOf, section, vector } from '../modules.ts';

/** One module each that needs the feature and, but for what is listed, no other. */
const MODULES: readonly (readonly [text: string, ...features: string[]])[] = [
  ['(module (func (export "f") (param i32) (result i32) local.get 0))'],
  [
    '(module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0))))',
    'bulk-memory',
  ],
  ['(module (memory 1) (data "x"))', 'bulk-memory'],
  ['(module (func try nop catch_all end))', 'exceptions-legacy'],
  ['(module (tag $t) (func throw $t))', 'exceptions'],
  ['(module (tag $t) (func try throw $t catch $t end))', 'exceptions-legacy'],
  ['(module (func (result i32 i32) i32.const 1 i32.const 2))', 'multi-value'],
  ['(module (func (drop (block (param) (result i32) i32.const 1))))'],
  ['(module (func i32.const 1 (block (param i32) drop)))', 'multi-value'],
  ['(module (global (export "g") (mut i32) (i32.const 0)))', 'mutable-globals'],
  ['(module (import "a" "g" (global (mut i32))))', 'mutable-globals'],
  ['(module (global (mut i32) (i32.const 0)))'],
  ['(module (func (param externref)))', 'reference-types'],
  ['(module (table 1 funcref) (table 1 funcref))', 'reference-types'],
  ['(module (func (drop (i32.trunc_sat_f32_s (f32.const 1)))))', 'saturating-float-to-int'],
  ['(module (func (drop (i32.extend8_s (i32.const 1)))))', 'sign-extension'],
  ['(module (func (drop (v128.const i64x2 1 2))))', 'simd'],
  ['(module (func $f return_call $f))', 'tail-call'],
  ['(module (import "a" "m" (memory 1 2 shared)))', 'threads'],
  ['(module (memory 1) (func (drop (i32.atomic.load (i32.const 0)))))', 'threads'],
];

test('tells the features that a module uses, and no others', async () => {
  for (const [text, ...expected] of MODULES) {
    assert.deepEqual((await inspectWat(text)).features, expected, text);
  }
});

/** What this runtime's V8 may not know yet, as bytes. */
const BYTES: readonly (readonly [bytes: Uint8Array, ...features: string[]])[] = [
  [moduleOf(section(5, vector([[4, 1]]))), 'memory64'],
  [
    moduleOf(
      section(
        5,
        vector([
          [0, 1],
          [0, 1],
        ]),
      ),
    ),
    'multi-memory',
  ],
  [moduleOf(section(5, vector([[8, 1, 0]]))), 'custom-page-sizes'],
  [moduleOf(section(6, vector([[0x7f, 0, 0x41, 1, 0x41, 2, 0x6a, 0x0b]]))), 'extended-const'],
  [moduleOf(section(1, vector([[0x5f, 1, 0x7f, 0]]))), 'gc'],
  [moduleOf(section(1, vector([[0x60, 1, 0x63, 0x6e, 0]]))), 'gc'],
  [
    moduleOf(
      section(
        1,
        vector([
          [0x60, 0, 0],
          [0x60, 1, 0x64, 0, 0],
        ]),
      ),
    ),
    'function-references',
  ],
];

test('tells features that this V8 may not have', () => {
  for (const [bytes, ...expected] of BYTES) {
    assert.deepEqual(reportOf(bytes, readLayout(bytes)).features, expected);
  }
});

const code = (instructions: readonly number[]) =>
  moduleOf(
    section(1, vector([[0x60, 0, 0]])),
    section(3, vector([[0], [0]])),
    section(10, vector([body(instructions), body([])])),
  );

test('an unknown instruction is told, and the rest of its function is left', () => {
  const bytes = code([0xe5, 1, 2, 3]);
  const { features } = reportOf(bytes, readLayout(bytes));
  assert.deepEqual(features, ['unknown-instructions']);
});

test('lists relaxed vector instructions by name, function and byte', () => {
  const bytes = code([0xfd, ...leb(0x100), 0xfd, ...leb(0x113), 0xfd, ...leb(0xff)]);
  const { nondeterministic, features } = reportOf(bytes, readLayout(bytes));
  assert.deepEqual(
    nondeterministic.map(({ instruction, functionIndex, reason }) => [
      instruction,
      functionIndex,
      reason,
    ]),
    [
      ['i8x16.relaxed_swizzle', 0, 'relaxed-simd'],
      ['i32x4.relaxed_dot_i8x16_i7x16_add_s', 0, 'relaxed-simd'],
    ],
  );
  assert.deepEqual(
    nondeterministic.map(({ offset }) => bytes[offset]),
    [0xfd, 0xfd],
  );
  assert.deepEqual(features, ['relaxed-simd', 'simd']);
});

test('lists atomic instructions and reads of a shared memory, not of another', async () => {
  const uses =
    '(drop (i32.load (i32.const 0))) (i32.store (i32.const 0) (i32.const 1)) (drop (memory.size))';
  const shared = await inspectWat(`(module (memory 1 2 shared) (func ${uses} (atomic.fence)))`);
  assert.deepEqual(
    shared.nondeterministic.map(({ instruction }) => instruction),
    ['i32.load', 'memory.size', 'atomic.fence'],
  );
  assert.deepEqual((await inspectWat(`(module (memory 1 2) (func ${uses}))`)).nondeterministic, []);
});

test('lists no more than a hundred', () => {
  const load = [0x41, 0, 0x28, 2, 0, 0x1a];
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 0]])),
    section(3, vector([[0]])),
    section(5, vector([[3, 1, 1]])),
    section(10, vector([body(Array.from({ length: 500 }, () => load).flat())])),
  );
  assert.equal(inspect(bytes).nondeterministic.length, MAX_NONDETERMINISTIC);
});
