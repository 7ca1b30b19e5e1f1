// The truth is the assembler's: what the import section of the assembled module says, the text said.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { readWat } from '../../../../engine/source/wat/read.ts';
import { filesBelow } from '../../../support/import-graph.ts';
import { assembledImports } from './support.ts';

interface Declared {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
  readonly type?: string;
}

function told({ module, name, kind, type }: Declared) {
  return [module, name, kind, type];
}

function assertAsAssembled(text: string): void {
  assert.deepEqual(readWat(text).imports.map(told), assembledImports(text).map(told), text);
}

const FORMS: Readonly<Record<string, string>> = {
  'a function': '(import "m" "n" (func $f (param i32 i64) (param $x f32) (result f64)))',
  'an inline one with exports': '(func $f (export "a") (export "b") (import "m" "n") (param i32))',
  'one without identifier or type': '(import "m" "n" (func))',
  'several results': '(import "m" "n" (func (result i32 i64)))',
  'a type by name': '(type $t (func (param v128) (result i32))) (import "m" "n" (func (type $t)))',
  'a type by index': '(type (func)) (type (func (param i32))) (import "m" "n" (func (type 1)))',
  'a type by a hexadecimal index': '(type (func (param i32))) (import "m" "n" (func (type 0x0)))',
  'a type defined later': '(import "m" "n" (func (type $t))) (type $t (func (param externref)))',
  'a type, named and spelled out':
    '(type $t (func (param i32))) (import "m" "n" (func (type $t) (param $p i32)))',
  'a memory': '(import "m" "n" (memory $m 1))',
  'a memory with a maximum': '(memory (import "m" "n") 0x1 1_0)',
  'a shared memory': '(import "m" "n" (memory 1 2 shared))',
  'a memory of 64 bits': '(import "m" "n" (memory i64 1 4294967296))',
  'a table': '(import "m" "n" (table $t 0 10 funcref))',
  'an inline table': '(table $t (export "x") (import "m" "n") 3 externref)',
  'a global': '(import "m" "n" (global $g i64))',
  'a mutable global': '(global $g (import "m" "n") (mut f32))',
  'a tag': '(import "m" "n" (tag $e (param i32 i64)))',
  'an inline tag': '(type $t (func (param f32))) (tag $e (import "m" "n") (type $t))',
  'every kind of comment':
    ';; (import "a" "b" (func))\n(; (import "c" "d" (func)) (; nested ;) ;)(import ;;x\n"m"(;y;)"n"(func))',
  'an annotation': '(import (@note "(" (x ")")) "m" "n" (func (@y) (param i32)))',
  'escapes in names': '(import "\\t\\n\\r\\"\\\'\\\\" "\\u{1F600}\\41\\c3\\a9" (func))',
  'empty names': '(import "" "" (func))',
  'names that hold parentheses and comments': '(import "(;" ";;)" (func))',
  'names in letters of the world': '(import "Gerät" "読む" (func))',
  'no import at all': '(func (export "import"))',
};

for (const [name, text] of Object.entries(FORMS)) {
  test(`reads ${name}`, () => {
    assertAsAssembled(`(module ${text})`);
    assertAsAssembled(text);
  });
}

test('reads every text of the examples', () => {
  const texts = filesBelow('examples').filter((file) => file.endsWith('.wat'));
  assert.ok(texts.length > 0);
  for (const file of texts) assertAsAssembled(readFileSync(file, 'utf8'));
});

// The assembler writes none of them; engine/module/walker.ts spells them so.
test('spells references as the reader of modules does', () => {
  const { imports } = readWat(`(module
    (rec (type $s (struct (field (mut i32)))) (type $f (sub final (func (param (ref $s))))))
    (import "m" "n" (func (type $f)))
    (import "m" "o" (global (ref null $s)))
    (import "m" "p" (global (ref null func)))
    (import "m" "q" (global (ref func))))`);
  assert.deepEqual(
    imports.map(({ type }) => type),
    ['((ref 0)) -> ()', '(ref null 0)', 'funcref', '(ref func)'],
  );
});

test('leaves a type untold that it does not understand', () => {
  for (const text of [
    '(import "m" "n" (func (type $nowhere)))',
    '(import "m" "n" (func (type 7)))',
    '(import "m" "n" (func (param bogus)))',
    '(import "m" "n" (func (param $unfinished)))',
    '(import "m" "n" (memory))',
    '(import "m" "n" (memory 1 2 (pagesize 1)))',
    '(type $t (array i8)) (import "m" "n" (func (type $t)))',
    `(import "m" "n" (func (param${' i32'.repeat(1001)})))`,
  ]) {
    const [declared] = readWat(text).imports;
    assert.ok(declared !== undefined && !('type' in declared), text);
  }
});

test('leaves out an import whose names are not all there, or are no UTF-8', () => {
  for (const text of [
    '(import)',
    '(import "m")',
    '(import "m" (func))',
    '(import "m" "n")',
    '(import "m" "n',
    '(import "m" "\\ff" (func))',
    '(import "m" "\\u{d800}" (func))',
    '(import "m" "\\q" (func))',
  ]) {
    assert.deepEqual(readWat(text).imports, [], text);
  }
});

test('reads the first of several modules, and none in another form', () => {
  const first = '(module (import "m" "n" (func)))';
  assert.equal(readWat(`${first} (module (import "o" "p" (func)))`).imports.length, 1);
  for (const form of ['binary "\\00asm"', 'quote "(import)"', '$m binary ""']) {
    assert.deepEqual(readWat(`(module ${form}) ${first}`).imports, []);
  }
});

test('marks the imported name, and where that is empty its quotes', () => {
  const text = '(module (import "m" "name" (func)) (func (import "m" "")))';
  const marked = readWat(text).imports.map(({ mark }) =>
    text.slice(mark.offset, mark.offset + mark.length),
  );
  assert.deepEqual(marked, ['name', '""']);
});

const valueType = fc.constantFrom('i32', 'i64', 'f32', 'f64', 'v128', 'funcref', 'externref');
const name = fc
  .string({
    unit: fc.constantFrom('a', 'é', '😀', '\\n', '\\"', '\\\\', '\\00', '\\u{41}', ' ', ')'),
  })
  .map((text) => `"${text}"`);
const gap = fc.constantFrom(' ', '\n', '\t', '(;(;;)"( ;)', '(; ( ;)', ';; ) "\n');
const signature = fc
  .tuple(fc.array(valueType), fc.array(valueType))
  .map(([params, results]) => [
    ...params.map((type, i) => (i % 2 === 0 ? `(param $p${i} ${type})` : `(param ${type})`)),
    ...results.map((type) => `(result ${type})`),
  ]);
const limits = fc
  .tuple(fc.nat(10), fc.option(fc.nat(20)))
  .map(([least, more]) => (more === null ? `${least}` : `${least} ${least + more}`));
const descriptor = fc.oneof(
  signature.map((parts) => ['func', ...parts]),
  fc.array(valueType).map((types) => ['tag', ...types.map((type) => `(param ${type})`)]),
  limits.map((text) => ['memory', text]),
  fc.tuple(limits, fc.constantFrom('funcref', 'externref')).map((parts) => ['table', ...parts]),
  valueType.map((type) => ['global', type]),
  valueType.map((type) => ['global', `(mut ${type})`]),
);
const importField = fc
  .record({ module: name, name, descriptor, gap, isInline: fc.boolean(), isNamed: fc.boolean() })
  .map((given) => (index: number) => {
    const [keyword = '', ...rest] = given.descriptor;
    const identifier = given.isNamed ? [`$i${index}`] : [];
    const parts = given.isInline
      ? [`(${keyword}`, ...identifier, `(import ${given.module}`, `${given.name})`, ...rest, ')']
      : ['(import', given.module, given.name, `(${keyword}`, ...identifier, ...rest, '))'];
    return parts.join(given.gap);
  });

const moduleText = fc
  .array(importField, { maxLength: 8 })
  .map((fields) => `(module\n${fields.map((field, i) => field(i)).join('\n')}\n(func))`);

test('reads what is written in any form, spacing and order', () => {
  fc.assert(fc.property(moduleText, assertAsAssembled), { numRuns: 300 });
});
