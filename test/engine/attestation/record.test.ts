import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  attest,
  attestationHash,
  isNonce,
  MAX_ATTESTATION_BYTES,
  MAX_ATTESTED_RECEIPTS,
  MAX_EVIDENCE_BYTES,
  parseAttestation,
  serializeAttestation,
} from '../../../engine/attestation/record.ts';
import type { AttestationFacts, AttestationRecord } from '../../../engine/attestation/types.ts';
import { verifyAttestation } from '../../../engine/attestation/verify.ts';
import { spkiDer } from '../../../engine/crypto/keys.ts';
import { encodeBase64 } from '../../../engine/encoding/base64.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalBytes, canonicalJson } from '../../../engine/encoding/json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { flipBit } from '../../support/bytes.ts';
import {
  crypto,
  elsewhere,
  FULL,
  facts,
  hashOf,
  here,
  MODULE,
  record,
  verifier,
} from './fixtures.ts';

const refusedAs = (code: InputError['code'], problem: RegExp) => (error: unknown) =>
  error instanceof InputError && error.code === code && problem.test(error.message);

const parse = (bytes: Uint8Array) => parseAttestation(bytes, 'a.attestation.json');

describe('an attestation record', async () => {
  test('is canonical JSON with the certificate whole, and comes back as it went', async () => {
    const made = await attest(crypto, FULL, here);
    const bytes = serializeAttestation(made);
    assert.deepEqual(parse(bytes), made);
    assert.deepEqual(bytes, canonicalBytes(JSON.parse(Buffer.from(bytes).toString())));
    assert.deepEqual(made.certificate, FULL.certificate);
    assert.equal(made.signer, here.publicKey.keyId);
    assert.equal(attestationHash(crypto, made), crypto.sha256(bytes));
  });

  test('Node alone verifies the signature, over the tag and the canonical rest', async () => {
    const { signature, ...rest } = await attest(crypto, FULL, here);
    const key = createPublicKey({
      key: Buffer.from(spkiDer(here.publicKey.raw)),
      type: 'spki',
      format: 'der',
    });
    const signed = Buffer.from(`touchstone/attestation/1\n${canonicalJson(rest)}`);
    assert.equal(verify(null, signed, key, Buffer.from(signature, 'base64')), true);
    assert.equal(verify(null, signed.subarray(1), key, Buffer.from(signature, 'base64')), false);
  });

  test('any facts within the format come back as they went', async () => {
    const hash = fc.string().map(hashOf);
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
    const arbitrary = fc.record(
      {
        executor: text,
        receipts: fc.array(hash, { maxLength: 5 }),
        call: fc.record({
          nonce: bytes(16, 64).map((nonce) => Buffer.from(nonce).toString('base64url')),
          inputHash: hash,
          outputHash: fc.option(hash),
          status: fc.constantFrom('ok', 'out-of-fuel', 'trap'),
        }),
        evidence: fc.record({ type: text, data: bytes(1, 50).map(encodeBase64) }),
      },
      { requiredKeys: ['executor', 'receipts'] },
    );
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ evidence, ...changes }) => {
        const asked = facts(changes);
        const environment = { ...asked.environment, ...(evidence && { evidence }) };
        const made = await attest(crypto, { ...asked, environment }, here);
        assert.deepEqual(parse(serializeAttestation(made)), made);
        assert.ok(verifyAttestation(verifier(), made).every(({ ok }) => ok));
      }),
      { numRuns: 60 },
    );
  });

  test('no bit of it can be flipped', async (t) => {
    const bytes = serializeAttestation(await attest(crypto, FULL, here));
    const codes = new Map<string, number>();
    const environment = verifier();
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const code = refusal(() =>
        verifyAttestation(environment, parse(flipBit(bytes, bit)), { artifact: MODULE }),
      );
      assert.ok(code !== undefined, `bit ${bit} was flipped, and it was accepted`);
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    assert.ok(bytes.length > 2_000 && (codes.get('environment-signature') ?? 0) > 1_000);
    t.diagnostic(`${bytes.length * 8} bits: ${JSON.stringify(Object.fromEntries(codes))}`);
  });

  test('nor can a byte be cut off, put in or doubled', async () => {
    const bytes = serializeAttestation(await attest(crypto, FULL, here));
    for (let at = 0; at <= bytes.length; at += 7) {
      for (const put of [[], [0x20], [0x0a], [0x30], [bytes[at] ?? 0x7d, bytes[at] ?? 0x7d]]) {
        const rest = put.length === 1 ? at : at + 1;
        const changed = Uint8Array.of(...bytes.subarray(0, at), ...put, ...bytes.subarray(rest));
        if (Buffer.from(changed).equals(bytes)) continue;
        assert.notEqual(
          refusal(() => verifyAttestation(verifier(), parse(changed))),
          undefined,
          `at byte ${at}`,
        );
      }
    }
  });

  const base = await attest(crypto, FULL, here);
  const document: Record<string, unknown> = JSON.parse(canonicalJson(base));
  const environment = FULL.environment;
  const bad: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['an unknown field', { more: 1 }, /more/],
    ['another format', { format: 'attestation/2' }, /format/],
    [
      'an unknown field of the environment',
      { environment: { ...environment, x: 1 } },
      /environment/,
    ],
    ['an unknown isolation', { environment: { ...environment, isolation: 'none' } }, /isolation/],
    ['no receipts', { receipts: undefined }, /receipts/],
    ['a receipt that is no hash', { receipts: ['A'.repeat(64)] }, /receipts\.0: not a SHA-256/],
    ['a signature of 63 bytes', { signature: encodeBase64(new Uint8Array(63)) }, /signature/],
    ['evidence that is not base64', withEvidence('abc'), /evidence\.data: not bytes/],
    ['evidence with bits left over', withEvidence('AB=='), /evidence\.data: not bytes/],
    ['empty evidence', withEvidence(''), /evidence\.data: not bytes/],
    [
      'too much evidence',
      withEvidence(encodeBase64(new Uint8Array(MAX_EVIDENCE_BYTES + 1))),
      /evidence\.data: not bytes/,
    ],
    ['a nonce of 15 bytes', { call: { ...FULL.call, nonce: 'A'.repeat(20) } }, /call\.nonce/],
    ['a status with a blank', { call: { ...FULL.call, status: 'o k' } }, /call\.status/],
    [
      'too many receipts',
      { receipts: new Array(MAX_ATTESTED_RECEIPTS + 1).fill(hashOf('')) },
      /receipts/,
    ],
  ];
  function withEvidence(data: string) {
    return { environment: { ...environment, evidence: { type: 'x', data } } };
  }
  for (const [name, changes, problem] of bad) {
    test(`is refused with ${name}`, () => {
      const bytes = encodeUtf8(canonicalOf({ ...document, ...changes }));
      assert.throws(() => parse(bytes), refusedAs('invalid-attestation', problem));
    });
  }

  test('is refused in any other spelling, with a key twice, or too large', () => {
    const text = canonicalJson(base);
    const not = (other: string) => assert.throws(() => parse(encodeUtf8(other)), InputError);
    not(`${text}\n`);
    not(` ${text}`);
    not(JSON.stringify({ ...document, executor: undefined, zz: 1 }));
    not(text.replace('"call@1.0.0"', '"\\u0063all@1.0.0"'));
    not(`{"executor":"a@1",${text.slice(1)}`);
    const reversed = Object.fromEntries(Object.entries(document).reverse());
    assert.throws(
      () => parse(encodeUtf8(JSON.stringify(reversed))),
      refusedAs('invalid-attestation', /canonical form/),
    );
    assert.throws(
      () => parse(new Uint8Array(MAX_ATTESTATION_BYTES + 1)),
      refusedAs('too-large', /at most 2097152/),
    );
    assert.throws(
      () => parse(encodeUtf8('['.repeat(100_000))),
      refusedAs('invalid-json', /nesting/),
    );
  });

  test('is refused with a certificate that is none', () => {
    for (const certificate of [{}, { ...base.certificate, extra: 1 }, { a: { b: {} } }]) {
      const bytes = encodeUtf8(canonicalOf({ ...document, certificate }));
      assert.throws(() => parse(bytes), refusedAs('invalid-certificate', /the certificate in a/));
    }
    const bytes = encodeUtf8(canonicalOf({ ...document, certificate: [] }));
    assert.throws(() => parse(bytes), refusedAs('invalid-attestation', /certificate/));
  });
});

describe('attesting', () => {
  test('signs nothing that a reader would refuse', async () => {
    let signed = 0;
    const counting = {
      publicKey: here.publicKey,
      sign: (message: Uint8Array) => {
        signed++;
        return here.sign(message);
      },
    };
    const wrong: readonly Partial<AttestationFacts>[] = [
      { executor: '' },
      { receipts: [hashOf('').toUpperCase() as never] },
      { certificate: { ...FULL.certificate, artifactHash: 'x' as never } },
      { call: { nonce: 'short', inputHash: hashOf(''), outputHash: null, status: 'ok' } },
    ];
    for (const changes of wrong) {
      await assert.rejects(attest(crypto, facts(changes), counting), InputError);
    }
    assert.equal(signed, 0);
    await attest(crypto, facts(), counting);
    assert.equal(signed, 1);
  });

  test('takes no signature that does not verify', async () => {
    const lying = { publicKey: here.publicKey, sign: (m: Uint8Array) => elsewhere.sign(m) };
    await assert.rejects(attest(crypto, facts(), lying), refusedAs('invalid-key', /wrongly/));
  });

  test('of the same facts gives the same bytes', async () => {
    assert.deepEqual(serializeAttestation(await record()), serializeAttestation(await record()));
  });
});

test('a nonce is 16 to 64 bytes in base64url, in one spelling', () => {
  for (const length of [16, 17, 18, 32, 63, 64]) {
    assert.ok(isNonce(Buffer.alloc(length, 0xfb).toString('base64url')), `${length}`);
  }
  for (const length of [0, 1, 15, 65, 66]) {
    assert.ok(!isNonce(Buffer.alloc(length, 0xfb).toString('base64url')), `${length}`);
  }
  const canonical = Buffer.alloc(16).toString('base64url');
  assert.ok(isNonce(canonical));
  assert.ok(!isNonce(`${canonical}==`), 'padding');
  assert.ok(!isNonce(`${canonical.slice(0, -1)}B`), 'bits that stand for nothing');
  assert.ok(!isNonce(Buffer.alloc(16, 0xff).toString('base64').slice(0, 22)), 'the other alphabet');
});

/** The code of the step or error that refuses; `undefined` where nothing does. */
function refusal(judge: () => ReturnType<typeof verifyAttestation>): string | undefined {
  try {
    return judge().find(({ ok }) => !ok)?.code;
  } catch (error) {
    if (error instanceof InputError) return error.code;
    throw error;
  }
}

function canonicalOf(value: Record<string, unknown>): string {
  return canonicalJson(
    JSON.parse(JSON.stringify(value satisfies Partial<Record<keyof AttestationRecord, unknown>>)),
  );
}
