import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  certificateOf,
  examineAlone,
  examineProject,
  findingsOf,
  MANIFEST,
  oneFinding,
  PURE,
} from './support.ts';

const certificate = { path: 'tried.wasm.purity.json', contents: 'missing' } as const;

test('a pure executor without a certificate is told so, and that is no error', async () => {
  const found = oneFinding(
    await examineProject(PURE, MANIFEST, { certificate }),
    'certificate-missing',
  );
  assert.equal(found.message, 'not certified: there is no tried.wasm.purity.json');
  assert.equal(found.severity, 'info');
});

test('it is not told of an impure module, of tiers 2 and 3, or where nobody looked', async () => {
  const impure = PURE.replace('"mashin"', '"env"');
  assert.deepEqual(
    findingsOf(await examineAlone(impure, { certificate }), 'certificate-missing'),
    [],
  );
  const tier2 = MANIFEST.replace('"version"', '"tier": 2, "version"');
  assert.deepEqual(
    findingsOf(await examineProject(PURE, tier2, { certificate }), 'certificate-missing'),
    [],
  );
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'certificate-missing'), []);
});

test('the certificate comes, the finding goes', async () => {
  const more = { certificate: await certificateOf(PURE) };
  assert.deepEqual(findingsOf(await examineAlone(PURE, more), 'certificate-missing'), []);
});
