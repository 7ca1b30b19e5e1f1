import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, findingsOf, oneFinding } from './support.ts';

const module = (plan: string) => `(module
  (import "env" "now" (func $now (result i64)))
  (memory (export "memory") 1 4)
  (func (export "plan") ${plan}))`;

test('an impure import that nothing reaches is told as such, and still is an error', async () => {
  const found = oneFinding(await examineAlone(module('')), 'unreachable-impure-import');
  assert.equal(
    found.message,
    'env.now () -> i64 is outside mashin@1, and nothing in the module reaches it',
  );
  assert.equal(found.severity, 'error');
});

test('one that is called belongs to another rule', async () => {
  const examination = await examineAlone(module('(drop (call $now))'));
  assert.deepEqual(findingsOf(examination, 'unreachable-impure-import'), []);
  assert.equal(findingsOf(examination, 'impure-import').length, 1);
});
