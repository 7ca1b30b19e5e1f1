import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

test('a start function is mentioned by name', async () => {
  const examination = await examineAlone(PURE.replace(/\)$/, '(func $set_up) (start $set_up))'));
  const found = oneFinding(examination, 'start-function');
  assert.match(found.message, /^set_up runs when the module is instantiated/);
  assert.equal(found.severity, 'info');
});

test('a module without one is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'start-function'), []);
});
