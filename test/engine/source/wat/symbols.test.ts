import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextRange } from '../../../../engine/project/json-document.ts';
import { importAt } from '../../../../engine/source/wat/import-at.ts';
import { readWat } from '../../../../engine/source/wat/read.ts';
import { atCaret } from './support.ts';

/** What is defined where the caret is, and the places at which that is used, as they are written. */
function lookUp(marked: string) {
  const { text, offset } = atCaret(marked);
  const document = readWat(text);
  const symbol = document.definitionAt(offset);
  const written = ({ offset: from, length }: TextRange) => text.slice(from, from + length);
  return {
    definition: symbol && `${symbol.kind} ${symbol.index} ${written(symbol.mark)}`,
    uses: symbol && document.referencesOf(symbol).map(({ range }) => written(range)),
    lines: symbol && document.referencesOf(symbol).map(({ range }) => lineOf(text, range.offset)),
  };
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

const FUNCTIONS = `(module
  (import "m" "n" (func $i))
  (func $f (call $i) call $f return_call $f)
  (func (call 1) ref.func $f drop (call 0x1))
  (table 9 funcref)
  (elem (i32.const 0) $f $i 1)
  (elem declare func $f)
  (elem funcref (ref.func $f) (item ref.func 1))
  (table funcref (elem $f 2))
  (export "f" (func $f))
  (start 1))`;

test('finds every use of a function, by identifier and by index', () => {
  for (const caret of [
    '(func |$f',
    '(func $f|',
    'return_call $|f',
    'call |1',
    '(func $f|))',
    '(start |1',
  ]) {
    const marked = FUNCTIONS.replace(caret.replace('|', ''), () => caret);
    const { definition, uses, lines } = lookUp(marked);
    assert.equal(definition, 'function 1 $f', caret);
    assert.deepEqual(uses, [
      '$f',
      '$f',
      '1',
      '$f',
      '0x1',
      '$f',
      '1',
      '$f',
      '$f',
      '1',
      '$f',
      '$f',
      '1',
    ]);
    assert.deepEqual(lines, [3, 3, 4, 4, 4, 6, 6, 7, 8, 8, 9, 10, 11]);
  }
});

test('counts imports first, whatever form they have', () => {
  const text = '(module (import "a" "b" (func)) (func (import "c" "d")) (func $f) (func call |2))';
  assert.equal(lookUp(text).definition, 'function 2 $f');
});

test('tells a quoted identifier from another, and not from itself without quotes', () => {
  const text = '(module (func $"a b" call $"a\\20b" call $x call |$"\\78") (func $x))';
  assert.deepEqual(lookUp(text), {
    definition: 'function 1 $x',
    uses: ['$x', '$"\\78"'],
    lines: [1, 1],
  });
  assert.deepEqual(lookUp(text.replace('|', '').replace('$"a b', '$"|a b')).uses, ['$"a\\20b"']);
});

const SPACES = `(module
  (type $t (func)) (type (func (param (ref null $t) (ref 0))))
  (rec (type $s (sub $t (struct (field $x (ref $s))))) (type $u (array i8)))
  (memory $m 1) (memory $n 1)
  (table $a 1 funcref) (table $b 1 funcref)
  (global $g (mut i32) (i32.const 0)) (global i32 (global.get $g))
  (tag $e (type $t))
  (data $d "x") (data (memory $n) (i32.const 0) "") (data 1 (i32.const 0) "")
  (elem $l (table $b) (i32.const 0) func) (elem 1 (i32.const 0))
  (func (type $t)
    call_indirect $b (type $t) call_indirect (type 0) call_ref $t
    global.get $g global.set 0
    table.get $b table.set 1 table.copy $a $b table.init $b $l table.init $l elem.drop $l
    memory.size $n memory.copy $m $n memory.init $n $d memory.init $d data.drop 0
    i32.load $n offset=4 align=1 i64.atomic.rmw.add $n v128.load8_lane $n 3 v128.load8_lane 1 3
    v128.load8_lane 1 i32.const 1 i32.store 1
    throw $e (try_table (catch $e 0) (catch_all 0))
    struct.new $s struct.get $s $x struct.get $s 0 array.get $u array.new_data $u $d
    array.copy $u 3 ref.null $t ref.test (ref null $t) (block (type $t))))`;

test('finds the uses of everything that has an index', () => {
  const document = readWat(SPACES);
  const uses = document.fields
    .filter(({ kind }) => kind !== 'function')
    .map((field) => [
      `${field.kind} ${field.identifier || field.index}`,
      document
        .referencesOf(field)
        .map(({ range }) => lineOf(document.text, range.offset))
        .join(' '),
    ]);
  assert.deepEqual(uses, [
    ['type $t', '2 2 3 7 10 11 11 11 19 19 19'],
    ['type 1', ''],
    ['type $s', '3 18 18 18'],
    ['type $u', '18 18 19 19'],
    ['memory $m', '14'],
    ['memory $n', '8 8 14 14 14 15 15 15 15 16'],
    ['table $a', '13'],
    ['table $b', '9 9 11 13 13 13 13'],
    ['global $g', '6 12 12'],
    ['global 1', ''],
    ['tag $e', '17 17'],
    ['data $d', '14 14 14 18'],
    ['data 1', ''],
    ['data 2', ''],
    ['element $l', '13 13 13'],
    ['element 1', ''],
  ]);
});

const LOCALS = `(module
  (type $t (func (param i32 i32)))
  (func $f (export "f") (type $t) (param $x i32) (param i32) (result i32) (local i64 f32) (local $y i32)
    (local.set $y (local.get $x)) local.get 0 local.tee 4 local.get 1)
  (func $g (param $x i32) local.get $x)
  (func (type $t) (local $z i32) local.get $z local.get 2 local.get 1))`;

test('keeps the locals of a function to that function', () => {
  assert.deepEqual(lookUp(LOCALS.replace('get $x)', 'get |$x)')), {
    definition: 'local 0 $x',
    uses: ['$x', '0'],
    lines: [4, 4],
  });
  assert.deepEqual(lookUp(LOCALS.replace('local.tee 4', 'local.tee |4')).uses, ['$y', '4']);
  assert.deepEqual(lookUp(LOCALS.replace('(func $g (param $x', '(func $g (param |$x')).lines, [5]);
  assert.equal(lookUp(LOCALS.replace('get 1)\n', 'get |1)\n')).definition, 'local 1 i32');
});

test('counts the parameters that only a type gives', () => {
  assert.deepEqual(lookUp(LOCALS.replace('local $z', 'local |$z')).uses, ['$z', '2']);
  assert.equal(lookUp(LOCALS.replace('get 1))', 'get |1))')).definition, 'local 1 $t');
});

test('of two with one identifier the first has it', () => {
  const text =
    '(module (func $f) (func $f) (func call |$f) (func (param $x i32) (param $x i32) local.get $x))';
  assert.deepEqual(lookUp(text).definition, 'function 0 $f');
  const document = readWat(text.replace('|', ''));
  assert.deepEqual(document.referencesOf(document.fieldOf('function', 1) ?? assert.fail()), []);
  const [first, second] = document.localsOf(document.fieldOf('function', 3) ?? assert.fail());
  assert.equal(document.referencesOf(first ?? assert.fail()).length, 1);
  assert.equal(document.referencesOf(second ?? assert.fail()).length, 0);
});

test('finds nothing in comments, strings, numbers and labels', () => {
  const text =
    '(module (func $f) (func ;; call $f\n (; call $f ;) i32.const 0 (block $f (br $f))) (data "call $f"))';
  const document = readWat(text);
  assert.deepEqual(document.referencesOf(document.fieldOf('function', 0) ?? assert.fail()), []);
  for (const place of ['; call $', '; call $f\n', 'const 0', '"call $', 'br $']) {
    assert.equal(document.definitionAt(text.indexOf(place) + place.length - 1), undefined, place);
  }
});

test('finds the field around a place, and one that is left open until the next', () => {
  const { text, offset } = atCaret('(module (memory 1) (func $f (call $g) |\n (func $g) )');
  const document = readWat(text);
  assert.equal(document.fieldAt(offset)?.identifier, '$f');
  assert.equal(document.fieldAt(offset)?.isClosed, false);
  assert.equal(document.fieldAt(text.indexOf('(memory'))?.kind, 'memory');
  assert.equal(document.fieldAt(text.indexOf(' (func $f') + 1)?.identifier, '$f');
  assert.equal(document.fieldAt(3), undefined);
  assert.equal(document.fieldAt(text.length), undefined);
});

test('finds the import that a place is about', () => {
  for (const marked of [
    '(module (import "m" "n" (func $f)) (func (|call $f)))',
    '(module (func $f) (func (call |$f)))',
    '(module (import "m" "n" (func $f)) | (func))',
  ]) {
    const { text, offset } = atCaret(marked);
    assert.equal(importAt(readWat(text), offset), undefined, marked);
  }
  for (const marked of [
    '(module (im|port "m" "n" (func $f)) (func))',
    '(module (import "m" "n" (func $f)) (func call |$f))',
    '(module (func $f (import "m" "n|")) (func call 0))',
    '(module (func $f (import "m" "n")) (func call 0|))',
    '(module (import "m" "n" (global $g i32)) (func (global.get $g|)))',
  ]) {
    const { text, offset } = atCaret(marked);
    const document = readWat(text);
    const found = importAt(document, offset);
    assert.equal(found, document.imports[0], marked);
    assert.equal(found && document.fieldOfImport(found), document.fields[0]);
  }
});
