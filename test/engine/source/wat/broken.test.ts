// Texts as they are while somebody writes them, and as somebody would write them to do harm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  MAX_WAT_FIELDS,
  MAX_WAT_TEXT,
  type WatDocument,
} from '../../../../engine/source/wat/document.ts';
import { importAt } from '../../../../engine/source/wat/import-at.ts';
import { readWat } from '../../../../engine/source/wat/read.ts';

const SAMPLE = `(module
  (type $t (func (param i32) (result i32)))
  (import "mashin" "log" (func $log (param i32 i32 i32)))
  (import "env" "now" (func $now (type $t)))
  (memory $m (export "memory") 1 2)
  (table $tab 2 funcref)
  (global $g (mut i32) (i32.const 0))
  (elem (i32.const 0) $plan $now)
  (func $plan (export "plan") (local $x i32)
    ;; a comment
    (local.set $x (call $now (global.get $g)))
    (call_indirect $tab (type $t) (local.get $x) (i32.const 0))
    drop)
  (func $last
    call $plan)
  (data (i32.const 8) "text")
  (start $last))
`;

/** What is defined, and what is imported, in short. */
function outline({ fields, imports }: WatDocument): string[] {
  return [
    ...fields.map(({ kind, identifier }) => `${kind} ${identifier}`.trim()),
    ...imports.map(({ module, name, type }) => `${module}.${name} ${type}`),
  ];
}

const WHOLE = outline(readWat(SAMPLE));

test('a field that is left open does not swallow those after it', () => {
  for (const [from, to] of [
    ['(result i32)))', '(result i32'],
    ['i32 i32 i32)))', 'i32 i32 i32'],
    ['i32 i32 i32)))', 'i32 i32 i32)'],
    ['(type $t)))\n  (memory', '(type $t)\n  (memory'],
    ['1 2)', '1 2'],
    ['2 funcref)', '2 funcref'],
    ['(i32.const 0))\n  (elem', '(i32.const 0\n  (elem'],
    ['$plan $now)', '$plan $now'],
    ['    drop)', '    drop'],
    ['    drop)', '    (if (then (call $plan'],
    ['    drop)', '    "an open string'],
    ['    drop)', '    (; an open comment'],
    ['    drop)', '    (@an "open annotation"'],
    ['call $plan)', 'call $plan'],
    ['"text")', '"text'],
  ] as const) {
    const broken = SAMPLE.replace(from, () => to);
    assert.notEqual(broken, SAMPLE);
    assert.deepEqual(outline(readWat(broken)), WHOLE, to);
  }
});

test('a parenthesis too many does not hide what follows it', () => {
  for (const [from, to] of [
    ['    drop)', '    drop))))'],
    ['1 2)', '1 2))'],
  ] as const) {
    assert.deepEqual(outline(readWat(SAMPLE.replace(from, to))), WHOLE);
  }
});

test('an import that is being typed leaves the ones around it alone', () => {
  const typed = '(import "mashin" "get_input_len" (func $len (result i32)))';
  const before = '  (import "a" "b" (func $b))\n  ';
  const after = '\n  (import "c" "d" (func $d))\n  (func $f (export "f") (call $b))\n)\n';
  for (let length = 0; length <= typed.length; length++) {
    const document = readWat(`(module\n${before}${typed.slice(0, length)}${after}`);
    const names = document.imports.map(({ module, name }) => `${module}.${name}`);
    assert.deepEqual([names[0], names.at(-1)], ['a.b', 'c.d'], typed.slice(0, length));
    const last = document.fields.at(-1);
    assert.deepEqual([last?.identifier, last?.exports[0]?.name], ['$f', 'f']);
  }
});

test('a function that is being typed leaves the ones around it alone', () => {
  const typed = '(func $g (export "g") (type $t) (param $x i32)\n    (call $f (local.get $x)))';
  for (let length = 0; length <= typed.length; length++) {
    const { fields } = readWat(
      `(module\n  (type $t (func (param i32)))\n  (func $f (type $t))\n  ${typed.slice(0, length)}\n  (func $h (call $f))\n  (export "h" (func $h)))`,
    );
    const [type, f, ...rest] = fields.map(({ identifier, exports: [first] }) =>
      first === undefined ? identifier : first.name,
    );
    assert.deepEqual([type, f, ...rest.slice(-2)], ['$t', '$f', '$h', 'h'], typed.slice(0, length));
  }
});

test('text without indentation is read by its parentheses', () => {
  const flat = SAMPLE.replaceAll(/^ +/gm, '');
  assert.deepEqual(outline(readWat(flat)), WHOLE);
  assert.deepEqual(outline(readWat(flat.replaceAll(/\s+\(/g, '\n('))), WHOLE);
  assert.deepEqual(outline(readWat(SAMPLE.replace(/;;.*/, '').replaceAll('\n', ' '))), WHOLE);
});

/** Every range of a document, and everything that may be asked at a place. */
function assertSound(text: string): void {
  const document = readWat(text);
  assert.deepEqual(outline(readWat(text)), outline(document));
  const assertInside = ({ offset, length }: { offset: number; length: number }) => {
    assert.ok(offset >= 0 && length >= 0 && offset + length <= text.length, text);
  };
  let end = 0;
  for (const field of document.fields) {
    const { range, mark, exports } = field;
    for (const each of [range, mark, ...exports.map((found) => found.mark)]) assertInside(each);
    assert.ok(range.offset >= end, 'fields follow one another');
    end = range.offset + range.length;
    assert.ok(mark.offset >= range.offset && mark.offset + mark.length <= end);
    for (const local of document.localsOf(field)) assertInside(local.mark);
    for (const reference of document.referencesOf(field)) {
      assertInside(reference.range);
      assert.equal(document.definitionAt(reference.range.offset), field);
    }
  }
  for (const declared of document.imports) {
    assertInside(declared.range);
    assertInside(declared.mark);
    for (const edits of [declared.importing({ module: 'm', name: 'n' }), declared.removed()]) {
      for (const { range } of edits ?? []) assertInside(range);
    }
  }
  for (let offset = 0; offset <= text.length; offset += 7) {
    document.definitionAt(offset);
    importAt(document, offset);
  }
}

const piece = fc.oneof(
  fc.constantFrom('(', ')', '"', '\\', '$', '(;', ';)', ';;', '(@', '\n', '\r', ' ', '\ud800', '0'),
  fc.constantFrom('(func', '(import "a" "b"', '(type $t', '(module', '(rec', 'call $plan', '(elem'),
  fc.string(),
);

test('whatever is cut out of a text or put into it, all ranges stay inside', () => {
  const change = fc.tuple(fc.nat(SAMPLE.length), fc.nat(40), piece);
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const text = changes.reduce(
        (before, [at, cut, put]) => before.slice(0, at) + put + before.slice(at + cut),
        SAMPLE,
      );
      assertSound(text);
    }),
    { numRuns: 2000 },
  );
});

test('whatever pieces a text is made of, all ranges stay inside', () => {
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => assertSound(pieces.join(' '))),
    { numRuns: 1000 },
  );
});

test('a text that is too large is not read, and says so', () => {
  const document = readWat(' '.repeat(MAX_WAT_TEXT + 1));
  assert.deepEqual([document.isTooLarge, document.fields.length], [true, 0]);
  const many = readWat('(func)'.repeat(MAX_WAT_FIELDS + 1));
  assert.deepEqual([many.isTooLarge, many.fields.length], [true, MAX_WAT_FIELDS]);
  assert.equal(readWat(SAMPLE).isTooLarge, false);
});

/** Repetitions that a reader which looks back, ahead or deeper than it should takes for ever over. */
const HOSTILE = [
  ...['(', ')', '"', '(func ', '(import "a" "b" (func ', '(import "a" "b"\n(func (param\n', '(; '],
  ...['(;;)', '(; a\n', '(@a ', '(@a\n', '$"', '(export "a" (func ', '(type (func (param ', '\\'],
  ...['(module (func)(;\n', '(rec (type ', 'call 0 ', '(ref '],
];

test('no repetition makes reading take more than linear time', () => {
  const size = 4 * 1024 * 1024;
  for (const unit of HOSTILE) {
    const text = unit.repeat(Math.floor(size / unit.length));
    const start = performance.now();
    readWat(text);
    // A tenth of a second, where it is linear; minutes, where it is not.
    assert.ok(performance.now() - start < 5000, JSON.stringify(unit));
  }
});
