// Every edit leaves a text that assembles, and an import as it was asked for.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EditableDeclaration } from '../../../../engine/source/types.ts';
import { readWat } from '../../../../engine/source/wat/read.ts';
import { MASHIN_1 } from '../../../../engine/whitelist/mashin.ts';
import type { WhitelistFunction } from '../../../../engine/whitelist/types.ts';
import { functionTypeText } from '../../../../engine/whitelist/whitelist.ts';
import { assembledImports, edited } from './support.ts';

const FORMS = [
  '(import "m" "n" (func))',
  '(import "m" "n" (func $f))',
  '(import "m" "n" (func $f (param i64) (result f32)))',
  '(import "m" "n"\n    (func $f\n      (param $a i64)\n      (param $b i32) (param f32)))',
  '(import "m" "n" (func $f (type $t)))',
  '(import "m" "n" (func (type $t) (param i64)))',
  '(func $f (import "m" "n"))',
  '(func (export "x") (import "m" "n") (param i64) (result i64))',
  '(func $f(import "m" "n")(type $t))',
  '(func (import "" "") (; of no type ;) )',
];

function moduleOf(form: string): string {
  return `(module\n  (type $t (func (param i64)))\n  ${form}\n  (func $last))\n`;
}

function importOf(text: string): EditableDeclaration {
  const [declared] = readWat(text).imports;
  assert.ok(declared);
  return declared;
}

test('imports another function under any name', () => {
  const targets = [
    { module: 'mashin', name: 'log' },
    { module: '', name: 'a "quoted" \\ name' },
    { module: 'zero\0 \n\t\u202e', name: '名前 😀' },
  ];
  for (const form of FORMS) {
    const text = moduleOf(form);
    const declared = importOf(text);
    for (const target of targets) {
      const after = edited(text, declared.importing(target) ?? assert.fail());
      const [found] = assembledImports(after);
      const { module, name, type } = found ?? assert.fail(after);
      assert.deepEqual({ module, name }, target);
      assert.equal(type, declared.type);
      assert.equal(importOf(after).identifier, declared.identifier);
    }
  }
});

test('gives the type of any listed function', () => {
  const wide: WhitelistFunction = {
    ...(MASHIN_1.functions[0] ?? assert.fail()),
    params: ['i32', 'i64', 'f32', 'f64', 'v128', 'funcref', 'externref'],
    results: ['i32', 'i64'],
  };
  for (const form of FORMS) {
    const text = moduleOf(form);
    for (const target of [...MASHIN_1.functions, wide]) {
      const after = edited(text, importOf(text).typedAs(target) ?? assert.fail());
      assert.equal(assembledImports(after)[0]?.type, functionTypeText(target), after);
      assert.equal(importOf(after).type, functionTypeText(target));
    }
  }
});

test('keeps the names of parameters that stay', () => {
  const text = '(import "m" "n" (func $f (param $level i64) (param f32) (param $end i32)))';
  const target = MASHIN_1.functions.find(({ name }) => name === 'log') ?? assert.fail();
  assert.equal(
    edited(text, importOf(text).typedAs(target) ?? []),
    '(import "m" "n" (func $f (param $level i32) (param i32) (param $end i32)))',
  );
});

test('gives no function type to what is no function', () => {
  const [log] = MASHIN_1.functions;
  for (const kind of ['(memory 1)', '(global i32)', '(table 1 funcref)', '(tag)']) {
    const declared = importOf(`(module (import "m" "n" ${kind}))`);
    assert.equal(declared.typedAs(log ?? assert.fail()), undefined);
    assert.ok(declared.importing({ module: 'a', name: 'b' }));
  }
});

test('removes an import with its line', () => {
  const rest = '(module\n  (import "a" "b" (func $b))\n  (func $last (call $b)))\n';
  for (const form of [
    '(import "m" "n" (func $f))',
    '(func $f (import "m" "n"))',
    '(import "m" "n"\n(func))',
  ]) {
    const text = rest.replace('  (func $last', `  ${form}\n  (func $last`);
    const [, declared] = readWat(text).imports;
    assert.equal(edited(text, declared?.removed() ?? []), rest);
    assembledImports(rest);
  }
});

test('removes no more than the import where its line holds something else', () => {
  const text = '(module (import "m" "n" (func)) (func $last)) ;; end';
  const after = edited(text, importOf(text).removed() ?? []);
  assert.equal(after, '(module  (func $last)) ;; end');
  assert.deepEqual(assembledImports(after), []);
});

test('removes nothing that something depends on', () => {
  const func = '(import "m" "n" (func $f))';
  for (const text of [
    `(module ${func} (func call $f))`,
    `(module ${func} (func call 0))`,
    `(module ${func} (func) (start 1))`,
    `(module ${func} (func) (table funcref (elem 1)))`,
    `(module ${func} (func) (export "x" (func 0x1)))`,
    `(module ${func} (export "x" (func $f)))`,
    '(module (func $f (export "x") (import "m" "n")))',
    `(module ${func} (func (call $f)`,
    '(module (import "m" "n" (memory 1)) (func (drop (i32.load (i32.const 0)))))',
    '(module (import "m" "n" (table 1 funcref)))',
    '(module (import "m" "n" (global i32)) (global i32 (global.get 0)))',
    '(module (type (func)) (import "m" "n" (func (param i32))) (import "o" "p" (func (type 1))))',
    '(module (import "m" "n" (func)',
  ]) {
    assert.equal(importOf(text).removed(), undefined, text);
  }
});

test('removes one before which an index is used', () => {
  const text = '(module (import "a" "b" (func)) (import "m" "n" (func)) (func call 0))';
  const [, declared] = readWat(text).imports;
  const after = edited(text, declared?.removed() ?? assert.fail());
  assert.deepEqual(
    assembledImports(after).map(({ name }) => name),
    ['b'],
  );
});
