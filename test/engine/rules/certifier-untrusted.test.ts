import assert from 'node:assert/strict';
import { test } from 'node:test';
import { certificateOf, codesOf, environment, examineAlone, oneFinding, PURE } from './support.ts';

test('a certifier that is in no trust store is told, and is no forgery', async () => {
  const certificate = await certificateOf(PURE);
  const examination = await examineAlone(PURE, {
    certificate,
    environment: environment({ trusted: false }),
  });
  const found = oneFinding(examination, 'certifier-untrusted');
  assert.match(found.message, /is not in the trust store$/);
  assert.equal(found.severity, 'warning');
  assert.deepEqual(codesOf(examination), ['certifier-untrusted']);
});

test('a revoked certifier is told with the reason', async () => {
  const certificate = await certificateOf(PURE);
  const examination = await examineAlone(PURE, {
    certificate,
    environment: environment({ revoked: 'laptop stolen' }),
  });
  assert.match(oneFinding(examination, 'certifier-untrusted').message, /revoked: laptop stolen$/);
});

test('once trusted, the finding goes; without a trust store nobody judges', async () => {
  const certificate = await certificateOf(PURE);
  for (const more of [{ environment: environment() }, {}]) {
    assert.deepEqual(codesOf(await examineAlone(PURE, { certificate, ...more })), []);
  }
});
