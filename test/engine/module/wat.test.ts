import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleWat, MAX_WAT_BYTES } from '../../../engine/module/wat.ts';
import { inspect } from './modules.ts';

test('assembles a module with its names', async () => {
  const bytes = await assembleWat(
    '(module (func $inner) (func (export "f") (call $inner)))',
    'a.wat',
  );
  assert.equal(inspect(bytes).callGraph.nameOf(0), 'inner');
});

test('says line, column and problem of the first error', async () => {
  for (const [text, message] of [
    ['(module\n  (func (bogus)))', 'a.wat:2:10: unexpected token "bogus", expected an instr.'],
    ['(module (func call $nope))', 'a.wat:1:20: undefined function variable "$nope"'],
    [
      '(module (func (result i32) i64.const 1))',
      'a.wat:1:28: type mismatch in implicit return, expected [i32] but got [i64]',
    ],
  ] as const) {
    await assert.rejects(assembleWat(text, 'a.wat'), { code: 'invalid-wat', message });
  }
});

test('shows a hostile token and file name on one harmless line', async () => {
  await assert.rejects(assembleWat('(module (func $a (\u202e)))', 'x\n.wat'), (error) => {
    assert.ok(error instanceof Error);
    return !/[\n\u202e]/.test(error.message);
  });
});

test('refuses a text that is too large', async () => {
  await assert.rejects(assembleWat(' '.repeat(MAX_WAT_BYTES + 1), 'a.wat'), { code: 'too-large' });
});
