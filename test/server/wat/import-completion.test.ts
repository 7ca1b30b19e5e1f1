// What is chosen leaves a text whose import is the listed function, wherever the caret was.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { completeImport } from '../../../server/wat/import-completion.ts';
import { assembledImports } from '../../engine/source/wat/support.ts';
import { chosen, MASHIN, openAt } from './support.ts';

function itemsAt(marked: string) {
  const opened = openAt(marked);
  return completeImport(opened.source, opened.document, opened.offset, MASHIN);
}

/** The text after the item with a label is chosen. */
function choose(marked: string, label: string): string {
  const opened = openAt(marked);
  const items = completeImport(opened.source, opened.document, opened.offset, MASHIN);
  const item = items.find((each) => each.label === label);
  assert.ok(item, `${label} at ${marked}`);
  return chosen(opened, item);
}

const AROUND = ['(module\n  ', '\n  (func $f (export "plan")))\n'] as const;

test('completes the module between the quotes it finds', () => {
  for (const typed of [
    '(import "|" "log" (func))',
    '(import "ma|" "log" (func))',
    '(import "|mash" "log" (func))',
  ]) {
    assert.equal(
      choose(AROUND.join(typed), 'mashin'),
      AROUND.join('(import "mashin" "log" (func))'),
    );
  }
  assert.equal(choose(AROUND.join('(import "ma|'), 'mashin'), AROUND.join('(import "mashin"'));
  assert.equal(choose(AROUND.join('(import |)'), 'mashin'), AROUND.join('(import "mashin")'));
  assert.equal(
    choose(AROUND.join('(func $x (import "|" "log"))'), 'mashin'),
    AROUND.join('(func $x (import "mashin" "log"))'),
  );
});

test('completes the name, and writes what is missing behind it', () => {
  const whole = '(import "mashin" "get_input_len" (func $get_input_len (result i32)))';
  for (const typed of [
    '(import "mashin" "|")',
    '(import "mashin" "get|")',
    '(import "mashin" "get|_in")',
    '(import "mashin" "|',
    '(import "mashin" "get|',
    '(import "mashin" |)',
    '(import "mashin"|)',
  ]) {
    const after = choose(AROUND.join(typed), 'get_input_len');
    assert.equal(after, AROUND.join(whole), typed);
    assert.equal(assembledImports(after)[0]?.type, '() -> i32');
  }
});

test('does not close an import twice, and does not take the parenthesis of the module', () => {
  const whole = '(import "mashin" "get_input" (func $get_input (param i32)))';
  assert.equal(
    choose('(module\n  (import "mashin" "|"\n)\n', 'get_input'),
    `(module\n  ${whole}\n)\n`,
  );
  assert.equal(
    choose('(module\n  (import "mashin" "|"\n  ))\n', 'get_input'),
    `(module\n  ${whole.slice(0, -1)}\n  ))\n`,
  );
});

test('gives an import the type of the name that is chosen', () => {
  for (const [typed, after] of [
    [
      '(import "mashin" "|" (func $l (param i64)))',
      '(import "mashin" "log" (func $l (param i32 i32 i32)))',
    ],
    ['(import "mashin" "|" (func $l))', '(import "mashin" "log" (func $l (param i32 i32 i32)))'],
    ['(func $l (import "mashin" "|"))', '(func $l (import "mashin" "log") (param i32 i32 i32))'],
    [
      '(import "mashin" "|" (func (param i32 i32 i32)))',
      '(import "mashin" "log" (func (param i32 i32 i32)))',
    ],
    ['(import "env" "l|" (func $l))', '(import "mashin" "log" (func $l (param i32 i32 i32)))'],
  ] as const) {
    assert.equal(choose(AROUND.join(typed), 'log'), AROUND.join(after));
  }
});

test('completes what is imported, and its type', () => {
  const whole = '(import "mashin" "log" (func $log (param i32 i32 i32)))';
  for (const typed of [
    '(import "mashin" "log" |)',
    '(import "mashin" "log"|)',
    '(import "mashin" "log" (|))',
    '(import "mashin" "log" (fu|))',
    '(import "mashin" "log" (func|))',
    '(import "mashin" "log" (fu|',
  ]) {
    assert.equal(
      choose(AROUND.join(typed), '(func $log (param i32 i32 i32))'),
      AROUND.join(whole),
      typed,
    );
  }
  for (const typed of [
    '(import "mashin" "log" (func $log |))',
    '(import "mashin" "log" (func $log (|)))',
    '(import "mashin" "log" (func $log (pa|)))',
    '(import "mashin" "log" (func $log (param i|32)))',
    '(import "mashin" "log" (func $log (param i64) |(result f32)))',
  ]) {
    assert.equal(choose(AROUND.join(typed), '(param i32 i32 i32)'), AROUND.join(whole), typed);
  }
});

test('offers whole imports where one may stand, but not twice', () => {
  const before = '(module\n  (import "mashin" "log" (func $log (param i32 i32 i32)))\n  ';
  const after = '\n  (func $plan))';
  for (const typed of ['|', '(|)', '(|', '(imp|', '(imp|)', '(import|', 'imp|']) {
    const labels = itemsAt(before + typed + after).map(({ label }) => label);
    assert.equal(labels.length, MASHIN_1.functions.length - 1, typed);
    assert.ok(!labels.includes('import mashin.log'));
    assert.equal(
      choose(before + typed + after, 'import mashin.get_input'),
      `${before}(import "mashin" "get_input" (func $get_input (param i32)))${after}`,
      typed,
    );
  }
  assert.equal(itemsAt('|').length, MASHIN_1.functions.length);
  assert.equal(itemsAt('(module |)').length, MASHIN_1.functions.length);
});

test('every whole import assembles to the listed function', () => {
  for (const { label } of itemsAt('(module |)')) {
    const text = choose('(module |)', label);
    const [entry = assert.fail()] = assembledImports(text);
    assert.notEqual(MASHIN.classify(entry).class, 'impure', text);
  }
});

test('names no function by an identifier that is taken', () => {
  assert.equal(
    choose('(module |(type $log (func)) (type $log_2 (func)))', 'import mashin.log'),
    '(module (import "mashin" "log" (func $log_3 (param i32 i32 i32)))(type $log (func)) (type $log_2 (func)))',
  );
});

test('offers nothing where no import may stand', () => {
  for (const marked of [
    '|(module)',
    '(modu|le)',
    '(module (func |))',
    '(module (func (i32.const |)))',
    '(module (func) |)',
    '(module (memory 1) (|))',
    '(module ;; |\n)',
    '(module (; | ;))',
    '(module (data "|"))',
    '(module (import "mashin" "log" (memory |)))',
    '(module (import "mashin" "log" (func $|x)))',
    '(module (import "env" "now" (func |)))',
    '(module (assert_return |))',
  ]) {
    assert.deepEqual(itemsAt(marked), [], marked);
  }
});

test('says what a function is, and what it needs', () => {
  const documentation = (label: string) => {
    const found = itemsAt('(module (import "mashin" "|"))').find((item) => item.label === label);
    assert.ok(found && typeof found.documentation === 'object');
    return [found.detail, found.documentation.value];
  };
  const [type, text] = documentation('http_request');
  assert.equal(type, '(i32, i32) -> ()');
  assert.match(text ?? '', /directive · http_request needs net\.http/);
  assert.match(documentation('get_input')[1] ?? '', /pure · context/);
});
