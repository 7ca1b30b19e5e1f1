import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

test('a whitelisted name with another type is told with both types', async () => {
  const examination = await examineAlone(PURE.replace('(result i32)', '(result i64)'));
  const found = oneFinding(examination, 'import-type-mismatch');
  assert.equal(
    found.message,
    'mashin.get_input_len () -> i64 has the wrong type: mashin@1 lists the function () -> i32; reached by plan → get_input_len',
  );
  assert.match(found.help ?? '', /^Declare the import as \(\) -> i32\./);
});

test('a memory under the name of a function is a mismatch too', async () => {
  const examination = await examineAlone(`(module
    (import "mashin" "get_input_len" (memory 1 2))
    (export "memory" (memory 0))
    (func (export "plan")))`);
  assert.match(
    oneFinding(examination, 'import-type-mismatch').message,
    /^mashin\.get_input_len \(memory i32 1 2\) has the wrong type/,
  );
});

test('the right type is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'import-type-mismatch'), []);
});
