import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

test('an unknown function of the host interface is told with the one that was meant', async () => {
  const examination = await examineAlone(PURE.replace('get_input_len', 'get_input_length'));
  const found = oneFinding(examination, 'unknown-host-function');
  assert.equal(
    found.message,
    'mashin.get_input_length () -> i32 is no function of mashin@1; did you mean mashin.get_input_len?; reached by plan → get_input_length',
  );
  assert.equal(found.severity, 'error');
});

test('nothing is suggested where nothing is near', async () => {
  const examination = await examineAlone(PURE.replace('get_input_len', 'zzzzzzzz'));
  assert.doesNotMatch(oneFinding(examination, 'unknown-host-function').message, /did you mean/);
});

test('the right name is no finding, and another module is not of this rule', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'unknown-host-function'), []);
  const other = await examineAlone(PURE.replace('"mashin"', '"env"'));
  assert.deepEqual(findingsOf(other, 'unknown-host-function'), []);
});
