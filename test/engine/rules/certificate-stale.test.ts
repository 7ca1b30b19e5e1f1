import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  certificateOf,
  codesOf,
  environment,
  examineAlone,
  findingsOf,
  oneFinding,
  PURE,
} from './support.ts';

test('a module that changed after it was certified is told with both hashes', async () => {
  const certificate = await certificateOf(PURE);
  const changed = PURE.replace('1 4)', '1 5)');
  const found = oneFinding(await examineAlone(changed, { certificate }), 'certificate-stale');
  assert.match(
    found.message,
    /^the file changed after it was certified on 2026-11-18: its SHA-256 was [0-9a-f]{8}…, is [0-9a-f]{8}…$/,
  );
  assert.equal(found.severity, 'warning');
});

test('the gate’s own refusal of it is not told a second time', async () => {
  const certificate = await certificateOf(PURE);
  const changed = PURE.replace('1 4)', '1 5)');
  const examination = await examineAlone(changed, { certificate, environment: environment() });
  assert.deepEqual(codesOf(examination), ['certificate-stale']);
});

test('certified again, the finding goes', async () => {
  const certificate = await certificateOf(PURE);
  assert.deepEqual(findingsOf(await examineAlone(PURE, { certificate }), 'certificate-stale'), []);
});
