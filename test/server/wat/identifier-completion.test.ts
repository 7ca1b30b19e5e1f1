import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeIdentifier } from '../../../server/wat/identifier-completion.ts';
import { chosen, openAt } from './support.ts';

function around(typed: string): string {
  return `(module
  (type $t (func))
  (import "m" "n" (func $imported (param i32)))
  (memory $m 1)
  (global $g i32 (i32.const 0))
  (func $f (param $x i32) (local $y i32)
    ${typed}
  (func $last))
`;
}

function labelsAt(typed: string): string[] {
  const { source, document, offset } = openAt(around(typed));
  return completeIdentifier(source, document, offset).map(({ label }) => label);
}

test('offers what an instruction may name, also where nothing is closed', () => {
  const functions = ['$imported', '$f', '$last'];
  for (const [typed, labels] of [
    ['call $|)', functions],
    ['(call $im|', functions],
    ['(call |', functions],
    ['call |\n    drop)', functions],
    ['call $f| drop)', functions],
    ['local.get $|)', ['$x', '$y']],
    ['(local.set |', ['$x', '$y']],
    ['global.get $|)', ['$g']],
    ['call_indirect (type |', ['$t']],
    ['i32.load $|)', ['$m']],
  ] as const) {
    assert.deepEqual(labelsAt(typed), labels, typed);
  }
});

test('offers nothing elsewhere', () => {
  for (const typed of [
    '|',
    'ca|ll $f)',
    'call| ',
    'i32.const |',
    ';; call |',
    'call 0|)',
    'call|',
    '"call |',
  ]) {
    assert.deepEqual(labelsAt(typed), [], typed);
  }
});

test('replaces the identifier that was begun', () => {
  const opened = openAt(around('(call $im|p 1)'));
  const items = completeIdentifier(opened.source, opened.document, opened.offset);
  const item = items.find(({ label }) => label === '$imported');
  assert.ok(item);
  assert.equal(chosen(opened, item), around('(call $imported 1)'));
  assert.equal(item.detail, 'import m.n (i32) -> ()');
});
