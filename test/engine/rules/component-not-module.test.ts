import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesOf, examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

test('a component is told apart from a broken module', async () => {
  const examination = await examineAlone(Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  const found = oneFinding(examination, 'component-not-module');
  assert.match(found.message, /component/);
  assert.equal(found.location?.offset, 6);
  assert.deepEqual(codesOf(examination), ['component-not-module']);
  assert.equal(examination.artifact.allImportsPure, false);
});

test('a core module is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'component-not-module'), []);
});
