import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, examineProject, findingsOf, oneFinding, PURE } from './support.ts';

test('a module that keeps its memory to itself is told so', async () => {
  const found = oneFinding(
    await examineProject(PURE.replace('(export "memory")', '')),
    'missing-memory',
  );
  assert.match(
    found.message,
    /exports no "memory".*; it has one under another name, or unexported$/,
  );
  assert.equal(found.severity, 'error');
});

test('a module without memory, and one that exports something else under the name', async () => {
  const none = await examineAlone('(module (func (export "plan")))');
  assert.match(oneFinding(none, 'missing-memory').message, /; it has none$/);
  const other = await examineAlone('(module (func (export "plan")) (func (export "memory")))');
  assert.match(oneFinding(other, 'missing-memory').message, /exports a function as "memory"/);
});

test('an exported memory is no finding', async () => {
  assert.deepEqual(findingsOf(await examineProject(PURE), 'missing-memory'), []);
});
