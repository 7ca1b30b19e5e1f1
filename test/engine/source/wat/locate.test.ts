// What readers of the assembled module report, found again in the text.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '../../../../engine/module/report.ts';
import { readLayout } from '../../../../engine/module/walker.ts';
import type { TextRange } from '../../../../engine/project/json-document.ts';
import {
  locateCall,
  locateExport,
  locateNondeterministic,
  moduleHead,
} from '../../../../engine/source/wat/locate.ts';
import { readWat } from '../../../../engine/source/wat/read.ts';
import { assemble } from '../../../support/wat.ts';

/** Relaxed SIMD is known to the assembler and not to every V8. */
function reportOn(text: string) {
  const bytes = assemble(text);
  return reportOf(bytes, readLayout(bytes));
}

function written(text: string, range: TextRange | undefined): string | undefined {
  return range && text.slice(range.offset, range.offset + range.length);
}

const RELAXED = `(module
  (import "m" "n" (func (param v128)))
  ;; i8x16.relaxed_swizzle
  (func $first (param v128 v128)
    (call 0 (;1;)(i8x16.relaxed_swizzle
      (;0;)(i8x16.relaxed_swizzle (local.get 0) (local.get 1))
      (local.get 1)))
    local.get 0 local.get 1
    (;2;)i8x16.relaxed_swizzle
    call 0)
  (func (param $i8x16.relaxed_swizzle v128)
    (drop (;3;)(f32x4.relaxed_madd (local.get 0) (local.get 0)
      (;4;)(i8x16.relaxed_swizzle (local.get 0) (local.get 0))))
    (drop (f32x4.add (local.get 0) (local.get 0)))))`;

const SHARED = `(module
  (memory 1 2 shared)
  (func
    (;0;)i32.const 0 i32.load drop
    (drop (;1;)(v128.load8x8_s (i32.const 0)))
    (drop (;2;)(v128.load16_splat (i32.const 0)))
    (drop (;3;)(i32.atomic.rmw8.add_u (i32.const 0) (i32.const 1)))
    (drop (;4;)(memory.size))
    (;5;)atomic.fence
    (drop (;7;)(i32.load (;6;)(i32.load (i32.const 0))))))`;

test('finds the very instruction that may give another result, folded or not', () => {
  for (const [text, order] of [
    [RELAXED, [0, 1, 2, 4, 3]],
    [SHARED, [0, 1, 2, 3, 4, 5, 6, 7]],
  ] as const) {
    const report = reportOn(text);
    const document = readWat(text);
    const found = report.nondeterministic.map(({ offset }) => {
      const range = locateNondeterministic(document, report, offset);
      const before = text.slice(0, range?.offset ?? 0);
      return Number(/\(;(\d);\)[^;]*$/.exec(before)?.[1]);
    });
    // Folded ones come in the order in which they run: after their operands.
    assert.deepEqual(found, order);
    for (const { offset } of report.nondeterministic) {
      const word = written(text, locateNondeterministic(document, report, offset)) ?? '';
      assert.match(word, /^[a-z0-9]+\.[a-z0-9_.]+$/);
    }
  }
});

test('finds no instruction where the report lists none', () => {
  const report = reportOn(SHARED);
  assert.equal(locateNondeterministic(readWat(SHARED), report, 0), undefined);
  const [{ offset } = assert.fail()] = report.nondeterministic;
  assert.equal(locateNondeterministic(readWat('(module)'), report, offset), undefined);
  assert.equal(locateNondeterministic(readWat('(module (func))'), report, offset), undefined);
});

test('finds an export of either form by its name', () => {
  const text = '(module (func $f (export "a\\62c")) (memory 1) (export "memory" (memory 0)))';
  const document = readWat(text);
  const { exports } = reportOn(text);
  assert.deepEqual(
    exports.map(({ name }) => written(text, locateExport(document, name))),
    ['a\\62c', 'memory'],
  );
  assert.equal(locateExport(document, 'nowhere'), undefined);
});

test('finds the first call of a function in another', () => {
  const text = '(module (import "m" "n" (func $f)) (func) (func (call 1) (call $f) (call 0)))';
  const document = readWat(text);
  assert.equal(locateCall(document, 2, 0)?.offset, text.indexOf('$f)', 40));
  assert.equal(locateCall(document, 1, 0), undefined);
  assert.equal(locateCall(document, 2, 7), undefined);
});

test('marks the word module, or the first character where there is none', () => {
  assert.deepEqual(moduleHead(readWat(' (module)')), { offset: 2, length: 6 });
  assert.deepEqual(moduleHead(readWat('(func)')), { offset: 0, length: 1 });
  assert.deepEqual(moduleHead(readWat('')), { offset: 0, length: 0 });
});
