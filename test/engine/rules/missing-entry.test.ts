import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, examineProject, findingsOf, MANIFEST, oneFinding, PURE } from './support.ts';

test('a module without the entry is an error in a project, a warning by itself', async () => {
  const without = PURE.replace('(export "plan")', '');
  const found = oneFinding(await examineProject(without), 'missing-entry');
  assert.equal(found.message, 'the module exports no function plan');
  assert.equal(found.severity, 'error');
  assert.equal(oneFinding(await examineAlone(without), 'missing-entry').severity, 'warning');
});

test('a name that is nearly the entry’s is suggested', async () => {
  const examination = await examineAlone(PURE.replace('"plan"', '"Plan"'));
  assert.match(oneFinding(examination, 'missing-entry').message, /did you mean Plan\?$/);
});

test('an entry of another kind or type is told with what was found', async () => {
  const typed = await examineAlone(PURE.replace('(export "plan")', '(export "plan") (param i32)'));
  assert.equal(
    oneFinding(typed, 'missing-entry').message,
    'the export plan is a function (i32) -> (); the entry is a function () -> ()',
  );
  const table = await examineAlone(
    `(module (memory (export "memory") 1 2) (table (export "plan") 1 funcref))`,
  );
  assert.match(oneFinding(table, 'missing-entry').message, /^the export plan is a table/);
});

test('the manifest may name another entry', async () => {
  const named = MANIFEST.replace('"version"', '"entry": "decide", "version"');
  const decide = PURE.replace('"plan"', '"decide"');
  assert.deepEqual(findingsOf(await examineProject(decide, named), 'missing-entry'), []);
  assert.equal(findingsOf(await examineProject(PURE, named), 'missing-entry').length, 1);
});
