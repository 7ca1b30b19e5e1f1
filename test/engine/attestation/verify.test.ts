import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseCompatibility } from '../../../engine/attestation/compatibility.ts';
import type { AttestationRecord } from '../../../engine/attestation/types.ts';
import {
  ATTESTATION_STEPS,
  type AttestationQuestion,
  verifyAttestation,
} from '../../../engine/attestation/verify.ts';
import { parseCertificate } from '../../../engine/certificate/parse.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import type { GateEnvironment } from '../../../engine/gate/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { parseWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { flipBit } from '../../support/bytes.ts';
import { certificateFor, certifier, NOW, publisher, stranger } from '../../support/gate.ts';
import {
  CERTIFIER_ID,
  COMPATIBLE,
  elsewhere,
  hashOf,
  here,
  MODULE,
  record,
  type Trusted,
  trusting,
  verifier,
} from './fixtures.ts';

/** Asserts that just this step fails, after those before it held, and gives its reason. */
function failure(
  code: (typeof ATTESTATION_STEPS)[number],
  environment: GateEnvironment,
  made: AttestationRecord,
  asked: AttestationQuestion = {},
): string {
  const steps = verifyAttestation(environment, made, asked);
  const place = ATTESTATION_STEPS.indexOf(code);
  assert.deepEqual(
    steps.map((step) => [step.code, step.ok]),
    ATTESTATION_STEPS.slice(0, place + 1).map((each) => [each, each !== code]),
    JSON.stringify(steps),
  );
  return steps.at(-1)?.detail ?? '';
}

describe('verifying an attestation', () => {
  test('takes the four steps in order, and says what was looked at', async () => {
    const steps = verifyAttestation(verifier(), await record(), {
      artifact: MODULE,
      compatibility: parseCompatibility(JSON.stringify(COMPATIBLE), 'it'),
    });
    assert.deepEqual(steps, [
      { code: 'environment-key', ok: true },
      { code: 'environment-signature', ok: true },
      { code: 'certificate', ok: true, detail: 'checks 1 to 6 of the gate hold for these bytes' },
      {
        code: 'environment-policy',
        ok: true,
        detail: 'the policy and the four conjuncts of compatibility hold',
      },
    ]);
  });

  test('without the module it names the checks that could not be made', async () => {
    const [, , certificate, policy] = verifyAttestation(verifier(), await record());
    assert.equal(certificate?.ok, true);
    assert.match(
      certificate?.detail ?? '',
      /artifact-binding and proof-validation were not checked/,
    );
    assert.match(policy?.detail ?? '', /compatibility was not asked about/);
  });

  test('1: the environment is not trusted, or no longer, or not yet, or for something else', async () => {
    const made = await record();
    const by = (...keys: readonly Trusted[]) =>
      failure('environment-key', verifier({ trust: trusting(...keys) }), made);
    assert.match(by([certifier, 'certifier']), /is not in the trust store/);
    assert.match(by([here, 'certifier']), /is not in the trust store/);
    assert.match(by([here, 'environment', { revoked: 'sold' }]), /is revoked: sold/);
    assert.match(by([here, 'environment', { validUntil: NOW }]), /was trusted only until/);
    assert.match(by([here, 'environment', { validFrom: NOW + 1 }]), /is trusted only from/);
    const policy = { ...DEFAULT_POLICY, revokedKeys: new Set([here.publicKey.keyId]) };
    assert.match(
      failure('environment-key', verifier({ policy }), made),
      /the policy revokes the environment's key/,
    );
  });

  test('2: another signed it, or something else was signed', async () => {
    const made = await record();
    const theirs = await record({}, elsewhere);
    const verdict = (changed: AttestationRecord) =>
      failure('environment-signature', verifier(), changed);
    assert.match(verdict({ ...made, signature: theirs.signature }), /does not verify/);
    verdict({ ...made, receipts: [hashOf('another')] });
    verdict({ ...made, executor: 'other@1.0.0' });
    verdict({ ...made, environment: { ...made.environment, isolation: 'in-thread' } });
    verdict({ ...made, signature: '' });
    verdict({ ...theirs, signer: here.publicKey.keyId });
  });

  test('3: the certificate does not hold, with and without the module', async () => {
    const made = await record();
    const noCertifier = verifier({ trust: trusting([here, 'environment']) });
    for (const asked of [{}, { artifact: MODULE }]) {
      assert.match(
        failure('certificate', noCertifier, made, asked),
        /^signature: certifier .* is not in the trust store/,
      );
    }
    const functions = MASHIN_1.functions.filter(({ name }) => name !== 'call_machine');
    const whitelist = parseWhitelist(
      nodeCrypto,
      JSON.stringify({ ...MASHIN_1, version: 2, functions }),
      'it',
    );
    assert.match(
      failure('certificate', verifier({ whitelist }), made),
      /^classification: mashin\.call_machine/,
    );
    const changed = { ...made.certificate.proof, imports: made.certificate.proof.imports.slice(1) };
    const forged = await record({ certificate: { ...made.certificate, proof: changed } });
    assert.match(failure('certificate', verifier(), forged), /^proof-binding: /);
    const resigned = await record({
      certificate: { ...made.certificate, artifactHash: hashOf('another module') },
    });
    assert.match(failure('certificate', verifier(), resigned), /^signature: .* does not verify/);
  });

  test('3: the module is another one than the certificate is about', async () => {
    const detail = failure('certificate', verifier(), await record(), {
      artifact: flipBit(MODULE, 800),
    });
    assert.match(detail, /^artifact-binding: /);
  });

  test('4: the policy refuses what the certificate is, or who published it', async () => {
    const made = await record();
    const under = (policy: Partial<typeof DEFAULT_POLICY>, of = made) =>
      failure('environment-policy', verifier({ policy: { ...DEFAULT_POLICY, ...policy } }), of);
    assert.match(under({ publisher: 'required' }), /^policy: .*publisher signature/);
    assert.match(under({ revokedKeys: new Set([CERTIFIER_ID]) }), /^policy: .*certifier's key/);
    assert.match(under({ whitelistVersions: { min: 2, max: 3 } }), /^currency: /);
    const published = parseCertificate(await certificateFor(MODULE, { publisher: stranger }), 'it');
    const record2 = await record({ certificate: published.certificate });
    assert.match(under({}, record2), /^policy: publisher .* is not in the trust store/);
    const trust = trusting(
      [certifier, 'certifier'],
      [here, 'environment'],
      [publisher, 'publisher'],
    );
    const good = parseCertificate(await certificateFor(MODULE, { publisher }), 'it');
    const steps = verifyAttestation(
      verifier({ trust }),
      await record({ certificate: good.certificate }),
    );
    assert.ok(steps.every(({ ok }) => ok));
  });

  test('4: compatibility fails, and the step names each conjunct that does', async () => {
    const compatibility = parseCompatibility(
      JSON.stringify({ ...COMPATIBLE, runtimes: [], certifiers: [] }),
      'it',
    );
    const detail = failure('environment-policy', verifier(), await record(), { compatibility });
    assert.match(detail, /^not compatible: runtime-trusted: .*; certifier-accepted: /);
    assert.doesNotMatch(detail, /whitelist-/);
  });
});
