import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import {
  certifierMessage,
  encodeSignature,
  type PurityCertificate,
  serializeCertificate,
} from '../../../engine/certificate/certificate.ts';
import { MAX_CERTIFICATE_BYTES, parseCertificate } from '../../../engine/certificate/parse.ts';
import type { KeyId, Sha256, Signer } from '../../../engine/crypto/crypto.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { createGate } from '../../../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { EMPTY_TRUST_STORE, makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { CHECK_CODES, type CheckCode, type GateEnvironment } from '../../../engine/gate/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { parseWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { flipBit } from '../../support/bytes.ts';
import {
  certificateFor,
  certifier,
  environment,
  NOW,
  publisher,
  stranger,
  whitelist,
} from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';

const PURE = assemble(`(module
  (import "mashin" "get_input_len" (func $len (result i32)))
  (import "mashin" "get_input" (func $in (param i32)))
  (import "mashin" "set_output" (func $out (param i32 i32)))
  (import "mashin" "call_machine" (func $call (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "plan") (call $in (i32.const 0)) (call $out (i32.const 0) (call $len))))`);
const IMPURE = assemble(`(module (import "env" "abort" (func)) (func (export "plan") (call 0)))`);

let certificate: Uint8Array;
let dual: Uint8Array;
before(async () => {
  certificate = await certificateFor(PURE);
  dual = await certificateFor(PURE, { publisher });
});

function verify(bytes: Uint8Array, file: Uint8Array, env = environment()) {
  return createGate(env).verify(bytes, file);
}

function failure(bytes: Uint8Array, file: Uint8Array, env = environment()) {
  const checks = verify(bytes, file, env);
  const last = checks.at(-1);
  assert.ok(last !== undefined && !last.ok, 'the gate was expected to refuse');
  assert.deepEqual(
    checks.map((c) => c.code),
    CHECK_CODES.slice(0, checks.length),
    'checks run in order and stop at the first that fails',
  );
  assert.ok(checks.slice(0, -1).every((c) => c.ok));
  return { code: last.code, detail: last.detail ?? '' };
}

function expectFailure(
  code: CheckCode,
  detail: RegExp,
  bytes: Uint8Array,
  file: Uint8Array,
  env?: GateEnvironment,
) {
  const found = failure(bytes, file, env);
  assert.equal(found.code, code, found.detail);
  assert.match(found.detail, detail);
  assert.doesNotMatch(found.detail, /\n/);
}

/** Changes a certificate and signs it anew, as a certifier that errs or lies would. */
async function reissue(
  file: Uint8Array,
  change: (c: PurityCertificate) => PurityCertificate,
  signer: Signer = certifier,
): Promise<Uint8Array> {
  const changed = change(parseCertificate(file, 'c').certificate);
  const proofHash = nodeCrypto.sha256(canonicalBytes(changed.proof));
  const signature = await signer.sign(certifierMessage(changed.artifactHash, proofHash));
  return serializeCertificate({ ...changed, proofHash, signature: encodeSignature(signature) });
}

describe('the gate', () => {
  test('passes a certified module through all eight checks, in order', () => {
    const checks = verify(PURE, certificate);
    assert.deepEqual(
      checks.map((c) => [c.code, c.ok]),
      CHECK_CODES.map((code) => [code, true]),
    );
  });

  test('a certificate of four imports has at most 1,347 bytes, a dual one too', () => {
    assert.ok(certificate.length <= 1347, `${certificate.length} bytes`);
    assert.ok(dual.length <= 1347, `${dual.length} bytes`);
  });

  test('signature: unknown, revoked, expired and not yet valid certifiers', async () => {
    expectFailure(
      'signature',
      /not in the trust store/,
      PURE,
      certificate,
      environment({ trust: EMPTY_TRUST_STORE }),
    );
    const trusting = (about: object) =>
      environment({
        trust: makeTrustStore([{ key: certifier.publicKey, role: 'certifier', ...about }]),
      });
    expectFailure(
      'signature',
      /is revoked: left the team/,
      PURE,
      certificate,
      trusting({ revoked: 'left the team' }),
    );
    expectFailure(
      'signature',
      /trusted only until 2026-11-20/,
      PURE,
      certificate,
      trusting({ validUntil: NOW }),
    );
    expectFailure(
      'signature',
      /trusted only from 2026-11-21/,
      PURE,
      certificate,
      trusting({ validFrom: NOW + 86_400_000 }),
    );
    const asPublisher = environment({
      trust: makeTrustStore([{ key: certifier.publicKey, role: 'publisher' }]),
    });
    expectFailure(
      'signature',
      /certifier [0-9a-f]{8}… is not in the trust store/,
      PURE,
      certificate,
      asPublisher,
    );
  });

  test('signature: one made by another key than the proof names', async () => {
    const forged = await reissue(certificate, (c) => c, stranger);
    expectFailure('signature', /does not verify/, PURE, forged);
  });

  test('artifact-binding: another module, and the same module with a byte more', () => {
    expectFailure(
      'artifact-binding',
      /the file changed after it was certified/,
      IMPURE,
      certificate,
    );
    const longer = Uint8Array.from([...PURE, 0, 1, 0]);
    expectFailure('artifact-binding', /SHA-256 was [0-9a-f]{8}…, is/, longer, certificate);
  });

  test('proof-binding: a proof that is not the one signed', () => {
    const c = parseCertificate(certificate, 'c').certificate;
    const changed = serializeCertificate({ ...c, proof: { ...c.proof, imports: [] } });
    expectFailure('proof-binding', /changed after it was signed/, PURE, changed);
  });

  test('proof-validation: a certifier that lies about the imports', async () => {
    const lies: readonly ((c: PurityCertificate) => PurityCertificate)[] = [
      (c) => ({ ...c, proof: { ...c.proof, imports: c.proof.imports.slice(1) } }),
      (c) => ({ ...c, proof: { ...c.proof, imports: c.proof.imports.toReversed() } }),
      (c) => ({
        ...c,
        proof: { ...c.proof, imports: c.proof.imports.map((e) => ({ ...e, type: '() -> ()' })) },
      }),
    ];
    for (const lie of lies) {
      expectFailure(
        'proof-validation',
        /the proof (lists|says)/,
        PURE,
        await reissue(certificate, lie),
      );
    }
  });

  test('proof-validation: bytes that are no module, however well certified', async () => {
    const junk = new TextEncoder().encode('not a module');
    const file = await reissue(certificate, (c) => ({
      ...c,
      artifactHash: nodeCrypto.sha256(junk),
    }));
    expectFailure('proof-validation', /expected 00 61 73 6d/, junk, file);
  });

  test('classification: an import that the current whitelist classes otherwise', async () => {
    const lie = (c: PurityCertificate): PurityCertificate => ({
      ...c,
      artifactHash: nodeCrypto.sha256(IMPURE),
      proof: {
        ...c.proof,
        imports: [
          { module: 'env', name: 'abort', kind: 'function', type: '() -> ()', class: 'pure' },
        ],
      },
    });
    expectFailure(
      'classification',
      /env\.abort \(function \(\) -> \(\)\) was proved pure; mashin@1 says impure/,
      IMPURE,
      await reissue(certificate, lie),
    );
  });

  test('conclusion: a proof of impurity, and one that contradicts its own list', async () => {
    const impure = await reissue(certificate, (c) => ({
      ...c,
      artifactHash: nodeCrypto.sha256(IMPURE),
      proof: {
        ...c.proof,
        imports: [
          { module: 'env', name: 'abort', kind: 'function', type: '() -> ()', class: 'impure' },
        ],
      },
    }));
    expectFailure('conclusion', /env\.abort .* is impure/, IMPURE, impure);
    const denying = await reissue(certificate, (c) => ({
      ...c,
      proof: { ...c.proof, allImportsPure: false },
    }));
    expectFailure('conclusion', /the proof itself says/, PURE, denying);
  });

  test('currency: other names, versions outside the range, the same version with other content', async () => {
    const about = (change: object) =>
      reissue(certificate, (c) => ({
        ...c,
        proof: {
          ...c.proof,
          metadata: {
            ...c.proof.metadata,
            whitelist: { ...c.proof.metadata.whitelist, ...change },
          },
        },
      }));
    expectFailure(
      'currency',
      /against other@1; accepted here: mashin@1$/,
      PURE,
      await about({ name: 'other' }),
    );
    expectFailure('currency', /against mashin@2; accepted/, PURE, await about({ version: 2 }));
    expectFailure(
      'currency',
      /against mashin@1, but another document of that name/,
      PURE,
      await about({ hash: '0'.repeat(64) }),
    );
    const range = environment({
      policy: { ...DEFAULT_POLICY, whitelistVersions: { min: 1, max: 2 } },
    });
    expectFailure(
      'currency',
      /mashin@2, which is not loaded here/,
      PURE,
      await about({ version: 2 }),
      range,
    );
  });

  test('currency: an earlier whitelist is accepted when the policy takes it and it is loaded', () => {
    const next = parseWhitelist(nodeCrypto, JSON.stringify({ ...MASHIN_1, version: 2 }), 'w');
    const moved = { whitelist: next, earlierWhitelists: [whitelist] };
    expectFailure(
      'currency',
      /against mashin@1; accepted here: mashin@2/,
      PURE,
      certificate,
      environment(moved),
    );
    const policy = { ...DEFAULT_POLICY, whitelistVersions: { min: 1, max: 2 } };
    assert.ok(verify(PURE, certificate, environment({ ...moved, policy })).every((c) => c.ok));
  });

  test('policy: revoked certificates and keys', () => {
    const revoking = (certificates: readonly Sha256[], keys: readonly KeyId[]) =>
      environment({
        policy: {
          ...DEFAULT_POLICY,
          revokedCertificates: new Set(certificates),
          revokedKeys: new Set(keys),
        },
      });
    expectFailure(
      'policy',
      /revokes this certificate/,
      PURE,
      certificate,
      revoking([nodeCrypto.sha256(certificate)], []),
    );
    expectFailure(
      'policy',
      /revokes the certifier's key/,
      PURE,
      certificate,
      revoking([], [certifier.publicKey.keyId]),
    );
    expectFailure(
      'policy',
      /revokes the publisher's key/,
      PURE,
      dual,
      revoking([], [publisher.publicKey.keyId]),
    );
  });

  test('policy: publisher signatures as the policy asks', async () => {
    const asking = (policy: 'required' | 'if-present' | 'ignore') =>
      environment({ policy: { ...DEFAULT_POLICY, publisher: policy } });
    assert.ok(verify(PURE, dual, asking('required')).every((c) => c.ok));
    expectFailure('policy', /the certificate has none/, PURE, certificate, asking('required'));
    const unknown = await certificateFor(PURE, { publisher: stranger });
    expectFailure('policy', /publisher [0-9a-f]{8}… is not in the trust store/, PURE, unknown);
    assert.ok(verify(PURE, unknown, asking('ignore')).every((c) => c.ok));
  });
});

describe('Theorem 4.10: nothing about a certified artifact can change', () => {
  test('every single-bit flip of the artifact is refused by artifact-binding', () => {
    for (let bit = 0; bit < PURE.length * 8; bit++) {
      assert.equal(failure(flipBit(PURE, bit), certificate).code, 'artifact-binding');
    }
  });

  test('every single-bit flip of the certificate is refused', () => {
    const refused = new Map<string, number>();
    for (let bit = 0; bit < dual.length * 8; bit++) {
      const code = refusalOf(flipBit(dual, bit));
      refused.set(code, (refused.get(code) ?? 0) + 1);
    }
    // Each of the ways to be refused was seen, so the flips did reach the fields.
    assert.deepEqual([...refused.keys()].sort(), [
      'malformed',
      'policy',
      'proof-binding',
      'signature',
    ]);
  });

  test('a change of each field is refused with the code of that field', () => {
    const c = parseCertificate(dual, 'c').certificate;
    const otherHash = 'ab'.repeat(32) as Sha256;
    const { proof, publisher: second } = c;
    assert.ok(second);
    const [first, ...rest] = proof.imports;
    assert.ok(first);
    const withMetadata = (change: Partial<typeof proof.metadata>) => ({
      ...c,
      proof: { ...proof, metadata: { ...proof.metadata, ...change } },
    });
    const { whitelist: w } = proof.metadata;
    const cases: readonly (readonly [string, PurityCertificate])[] = [
      ['signature', { ...c, artifactHash: otherHash }],
      ['signature', { ...c, proofHash: otherHash }],
      ['signature', { ...c, signature: second.signature }],
      ['signature', { ...c, signature: '' }],
      ['signature', withMetadata({ certifier: stranger.publicKey.keyId })],
      ['proof-binding', withMetadata({ issuedAt: '2026-11-20T09:30:01Z' })],
      ['proof-binding', withMetadata({ whitelist: { ...w, name: 'other' } })],
      ['proof-binding', withMetadata({ whitelist: { ...w, version: 2 } })],
      ['proof-binding', withMetadata({ whitelist: { ...w, hash: otherHash } })],
      ['proof-binding', { ...c, proof: { ...proof, allImportsPure: false } }],
      ...(['module', 'name', 'type'] as const).map((field): [string, PurityCertificate] => [
        'proof-binding',
        { ...c, proof: { ...proof, imports: [{ ...first, [field]: 'x' }, ...rest] } },
      ]),
      [
        'proof-binding',
        { ...c, proof: { ...proof, imports: [{ ...first, kind: 'tag' }, ...rest] } },
      ],
      [
        'proof-binding',
        { ...c, proof: { ...proof, imports: [{ ...first, class: 'directive' }, ...rest] } },
      ],
      ['policy', { ...c, publisher: { ...second, signature: c.signature } }],
      ['policy', { ...c, publisher: { ...second, keyId: stranger.publicKey.keyId } }],
    ];
    for (const [code, changed] of cases) {
      assert.equal(failure(PURE, serializeCertificate(changed)).code, code);
    }
  });

  function refusalOf(file: Uint8Array): string {
    try {
      return failure(PURE, file).code;
    } catch (error) {
      if (error instanceof InputError) return 'malformed';
      throw error;
    }
  }
});

describe('a certificate file', () => {
  function malformed(file: Uint8Array | string, message: RegExp) {
    const bytes = typeof file === 'string' ? new TextEncoder().encode(file) : file;
    assert.throws(
      () => verify(PURE, bytes),
      (error) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      },
    );
  }
  const asText = () => new TextDecoder().decode(certificate);

  test('is read in its canonical bytes only', () => {
    malformed(`${asText()}\n`, /in canonical form \(RFC 8785\): expected the end at character/);
    malformed(asText().replace('{', '{ '), /expected \{"artifactHash": at character 0/);
    malformed(asText().replace('"format"', '"\\u0066ormat"'), /expected ,"format":/);
    malformed(
      asText().replace('"mashin"', '"\\u006dashin"'),
      /expected a text with the escapes of/,
    );
    malformed(asText().replace('"mashin"', '"\\ud800"'), /lone surrogate/);
    malformed(asText().replace('"version":1', '"version":1.0'), /expected \}\}/);
    malformed(asText().replace('"version":1', '"version":01'), /not valid JSON/);
    malformed(JSON.stringify(JSON.parse(asText()), undefined, 1), /in canonical form/);
  });

  test('with a duplicate key is refused by that key', () => {
    malformed(asText().replace('"format":', '"format":"x","format":'), /"format" is written twice/);
  });

  test('with an unknown or a missing field, or a value of another form, is refused', () => {
    malformed(asText().replace('"proofHash":', '"extra":1,"proofHash":'), /expected ,"proofHash":/);
    malformed('{}', /expected \{"artifactHash":/);
    malformed('null', /expected \{"artifactHash":/);
    malformed('', /it is empty/);
    malformed(asText().slice(0, -1), /not valid JSON/);
    malformed(asText().replace('2026-11-20T09:30:00Z', '20 November'), /expected a UTC time/);
    malformed(
      asText().replace('"pure"', '"certified"'),
      /expected an import of class pure, directive or impure/,
    );
  });

  test('of any names is read back as it was written', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'binary' }),
        (module, name) => {
          fc.pre(module.isWellFormed() && name.isWellFormed());
          const { certificate: c } = parseCertificate(certificate, 'c');
          const { proof } = c;
          const imports = [
            { module, name, kind: 'function', type: '() -> ()', class: 'impure' } as const,
            ...proof.imports,
          ];
          const written = { ...c, proof: { ...proof, imports } };
          const read = parseCertificate(serializeCertificate(written), 'c');
          assert.deepEqual(read.certificate, written);
          assert.deepEqual(read.proofBytes, canonicalBytes(written.proof));
        },
      ),
    );
  });

  test('larger than the bound, deeply nested or not UTF-8 is refused', () => {
    malformed(new Uint8Array(MAX_CERTIFICATE_BYTES + 1), /at most 1048576 are read/);
    malformed('['.repeat(100_000), /nesting is deeper/);
    malformed(Uint8Array.of(0xff, 0xfe), /not valid UTF-8/);
  });

  test('with a name as long as a certificate may be is read, and refused where it is cut', () => {
    const { certificate: c } = parseCertificate(certificate, 'c');
    for (const unit of ['a', '"', '\\']) {
      const name = unit.repeat(500_000);
      const entry = {
        module: 'm',
        name,
        kind: 'function',
        type: '() -> ()',
        class: 'pure',
      } as const;
      const file = serializeCertificate({ ...c, proof: { ...c.proof, imports: [entry] } });
      assert.equal(parseCertificate(file, 'c').certificate.proof.imports[0]?.name, name);
      assert.throws(() => parseCertificate(file.subarray(0, 400_000), 'c'), InputError);
    }
  });

  test('cut at any byte is refused', () => {
    for (let length = 0; length < certificate.length; length++) {
      assert.throws(() => verify(PURE, certificate.subarray(0, length)), InputError);
    }
  });
});
