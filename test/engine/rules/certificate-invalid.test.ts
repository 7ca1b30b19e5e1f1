import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { decodeUtf8, encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { certificateOf, codesOf, environment, examineAlone, oneFinding, PURE } from './support.ts';

const path = 'tried.wasm.purity.json';

test('a file that is no certificate is told with its name', async () => {
  const examination = await examineAlone(PURE, {
    certificate: { path, contents: encodeUtf8('{}') },
  });
  const found = oneFinding(examination, 'certificate-invalid');
  assert.match(found.message, /^tried\.wasm\.purity\.json is not a purity certificate/);
  assert.equal(found.severity, 'error');
});

test('one that cannot be read is not taken for a missing one', async () => {
  const contents = new InputError('unreadable', `${path}: permission denied`);
  const examination = await examineAlone(PURE, { certificate: { path, contents } });
  assert.deepEqual(codesOf(examination), ['certificate-invalid']);
});

test('a signature that does not verify is told with the check that fails', async () => {
  const { contents } = await certificateOf(PURE);
  const text = decodeUtf8(contents, path);
  const signature = /"signature":"([^"]+)"/.exec(text)?.[1] ?? '';
  const forged = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  const examination = await examineAlone(PURE, {
    certificate: { path, contents: encodeUtf8(text.replace(signature, forged)) },
    environment: environment(),
  });
  assert.match(
    oneFinding(examination, 'certificate-invalid').message,
    /^the gate refuses the certificate at signature: .* does not verify$/,
  );
});

test('a revoked certificate is refused at policy', async () => {
  const certificate = await certificateOf(PURE);
  const { crypto } = environment();
  const revokedCertificates = new Set([crypto.sha256(certificate.contents)]);
  const examination = await examineAlone(PURE, {
    certificate,
    environment: environment({ policy: { revokedCertificates } }),
  });
  assert.match(oneFinding(examination, 'certificate-invalid').message, /at policy: /);
});

test('a certificate that the gate admits is no finding', async () => {
  const certificate = await certificateOf(PURE);
  const examination = await examineAlone(PURE, { certificate, environment: environment() });
  assert.deepEqual(examination.artifact.diagnostics, []);
});
