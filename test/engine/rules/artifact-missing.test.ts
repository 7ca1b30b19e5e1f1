import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { codesOf, examineProject, findingsOf, MANIFEST, oneFinding, PURE } from './support.ts';

const MISSING = new InputError('unreadable', 'build/tried.wasm: no such file');

test('a missing artifact is told on its line of the manifest, with the command that builds it', async () => {
  const manifest = MANIFEST.replace('"version"', '"build": "make", "version"');
  const examination = await examineProject(MISSING, manifest);
  const found = oneFinding(examination, 'artifact-missing');
  assert.equal(found.message, 'build/tried.wasm: no such file');
  const { offset = 0, length = 0 } = found.location ?? {};
  assert.equal(manifest.slice(offset, offset + length), '"build/tried.wasm"');
  assert.equal(found.help, 'Build it: make');
  assert.deepEqual(codesOf(examination), ['artifact-missing']);
  assert.equal(examination.artifact.sha256, null);
  assert.equal(examination.artifact.allImportsPure, false);
});

test('an artifact that is there is no finding', async () => {
  assert.deepEqual(findingsOf(await examineProject(PURE), 'artifact-missing'), []);
});
