import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, examineProject, findingsOf, MANIFEST, oneFinding, PURE } from './support.ts';

const UNBOUNDED = PURE.replace('1 4)', '1)');

test('a memory without a maximum is a warning, with the limit that holds it', async () => {
  const manifest = MANIFEST.replace('"version"', '"limits": { "memoryPages": 64 }, "version"');
  const found = oneFinding(await examineProject(UNBOUNDED, manifest), 'unbounded-memory');
  assert.equal(found.message, 'memory 0 declares no maximum; only the limit of 64 pages holds it');
  assert.equal(found.severity, 'warning');
  assert.match(
    oneFinding(await examineAlone(UNBOUNDED), 'unbounded-memory').message,
    /only the limit of a run holds it/,
  );
});

test('a memory with a maximum is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'unbounded-memory'), []);
});
