import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineProject, findingsOf, MANIFEST, NOW, oneFinding, PURE } from './support.ts';

const at = (seconds: number, path = 'src/lib.rs') => ({ path, modifiedAt: NOW + seconds * 1000 });
const examine = (...sources: readonly { path: string; modifiedAt: number }[]) =>
  examineProject(PURE, MANIFEST, { artifactModifiedAt: NOW, sources });

test('a source newer than the artifact is told, the newest first', async () => {
  const found = oneFinding(
    await examine(at(60), at(-60, 'src/old.rs'), at(30, 'src/b.rs')),
    'artifact-stale',
  );
  assert.equal(
    found.message,
    'src/lib.rs and 1 other source changed after the artifact was built (2026-11-20 00:01:00 UTC, built 2026-11-20 00:00:00 UTC)',
  );
  assert.equal(found.severity, 'warning');
  assert.equal(found.location?.file, 'manifest');
});

test('older sources, and those a checkout wrote in the same moment, are no finding', async () => {
  assert.deepEqual(findingsOf(await examine(at(-5), at(0.5)), 'artifact-stale'), []);
});
