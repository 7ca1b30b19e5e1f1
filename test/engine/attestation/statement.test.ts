import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createPublicKey, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { attest, unsigned } from '../../../engine/attestation/record.ts';
import {
  ATTESTATION_PREDICATE_TYPE,
  attestationStatement,
  parseEnvelopedAttestation,
  signAttestationStatement,
} from '../../../engine/attestation/statement.ts';
import {
  ATTESTATION_STEPS,
  verifyAttestation,
  verifyEnvelopedAttestation,
} from '../../../engine/attestation/verify.ts';
import {
  type DsseEnvelope,
  isEnvelopeSignedBy,
  parseEnvelope,
  preAuthenticationEncoding,
  signEnvelope,
} from '../../../engine/certificate/dsse.ts';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { publicKeyPem } from '../../../engine/crypto/keys.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { flipBit } from '../../support/bytes.ts';
import { crypto, elsewhere, FULL, here, MODULE, verifier } from './fixtures.ts';

const fileOf = (envelope: object) => encodeUtf8(JSON.stringify(envelope));
const utf8 = (bytes: Uint8Array) => Buffer.from(bytes).toString();

/** The vector of the specification (protocol.md): PAE, ECDSA over P-256, base64. */
const VECTOR = {
  envelope: {
    payload: 'aGVsbG8gd29ybGQ=',
    payloadType: 'http://example.com/HelloWorld',
    signatures: [
      {
        sig: 'A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==',
      },
    ],
  },
  x: 46950820868899156662930047687818585632848591499744589407958293238635476079160n,
  y: 5640078356564379163099075877009565129882514886557779369047442380624545832820n,
};

describe('DSSE envelopes', () => {
  test('the vector of the specification is read, and what it signed is what is signed here', () => {
    const { payload, payloadType, signatures } = parseEnvelope(fileOf(VECTOR.envelope), 'it');
    assert.equal(utf8(payload), 'hello world');
    const signed = preAuthenticationEncoding(payloadType, payload);
    assert.equal(utf8(signed), 'DSSEv1 29 http://example.com/HelloWorld 11 hello world');
    const coordinate = (n: bigint) =>
      Buffer.from(n.toString(16).padStart(64, '0'), 'hex').toString('base64url');
    const key = createPublicKey({
      key: { kty: 'EC', crv: 'P-256', x: coordinate(VECTOR.x), y: coordinate(VECTOR.y) },
      format: 'jwk',
    });
    const [signature = new Uint8Array()] = signatures;
    const verifies = (message: Uint8Array) =>
      verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
    assert.equal(verifies(signed), true);
    assert.equal(verifies(payload), false);
  });

  test('both alphabets of base64 are accepted, padded or not, and nothing else', async () => {
    const payload = Uint8Array.from({ length: 256 }, (_, i) => 255 - i);
    const envelope = await signEnvelope('application/octet-stream', payload, here);
    const spellings = [
      (text: string) => text,
      (text: string) => text.replaceAll('=', ''),
      (text: string) => text.replaceAll('+', '-').replaceAll('/', '_'),
      (text: string) => text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', ''),
    ];
    const spelled = (spell: (text: string) => string): DsseEnvelope => ({
      ...envelope,
      payload: spell(envelope.payload),
      signatures: envelope.signatures.map(({ keyid, sig }) => ({ keyid, sig: spell(sig) })),
    });
    assert.equal(new Set(spellings.map((spell) => spelled(spell).payload)).size, 4);
    for (const spell of spellings) {
      const read = parseEnvelope(fileOf(spelled(spell)), 'it');
      assert.deepEqual(read.payload, payload);
      assert.ok(isEnvelopeSignedBy(crypto, read, here.publicKey));
    }
    for (const payload of [`${envelope.payload} `, 'A', 'AB==', 'a+b_', 'a b=', '=']) {
      assert.throws(() => parseEnvelope(fileOf({ ...envelope, payload }), 'it'), /is not base64/);
    }
  });

  test('keyid is a hint and decides nothing; fields of others are ignored', async () => {
    const envelope = await signEnvelope('x/y', encodeUtf8('payload'), here);
    const [{ sig } = { sig: '' }] = envelope.signatures;
    const signed = (signatures: readonly object[], by: Signer = here) =>
      isEnvelopeSignedBy(
        crypto,
        parseEnvelope(fileOf({ ...envelope, signatures, more: 1 }), 'it'),
        by.publicKey,
      );
    assert.ok(signed([{ sig }]));
    assert.ok(signed([{ keyid: '', sig, cert: 'x' }]));
    assert.ok(signed([{ keyid: elsewhere.publicKey.keyId, sig }]));
    assert.ok(!signed([{ keyid: elsewhere.publicKey.keyId, sig }], elsewhere));
    assert.ok(signed([{ sig: 'AAAA' }, { keyid: 'x', sig }]), 'one of several is enough');
  });

  test('the type is signed as the payload is', async () => {
    const envelope = await signEnvelope('x/y', encodeUtf8('payload'), here);
    const signed = (changes: object) =>
      isEnvelopeSignedBy(
        crypto,
        parseEnvelope(fileOf({ ...envelope, ...changes }), 'it'),
        here.publicKey,
      );
    assert.ok(signed({}));
    assert.ok(!signed({ payloadType: 'x/z' }));
    assert.ok(!signed({ payload: 'cGF5bG9hZA' + 'A=' }));
  });

  const bad: readonly (readonly [string, unknown])[] = [
    ['no payload', { payload: undefined }],
    ['no type', { payloadType: undefined }],
    ['no signatures', { signatures: [] }],
    ['a signature without sig', { signatures: [{ keyid: 'x' }] }],
    ['65 signatures', { signatures: new Array(65).fill({ sig: 'AAAA' }) }],
  ];
  for (const [name, changes] of bad) {
    test(`an envelope with ${name} is refused`, () => {
      const changed = Object.assign({}, VECTOR.envelope, changes);
      assert.throws(
        () => parseEnvelope(fileOf(changed), 'it'),
        (error) => error instanceof InputError && error.code === 'invalid-attestation',
      );
    });
  }
});

describe('the in-toto form of an attestation', async () => {
  const made = await attest(crypto, FULL, here);
  const envelope = await signAttestationStatement(made, here);
  const parse = (bytes: Uint8Array) => parseEnvelopedAttestation(bytes, 'a.intoto.json');

  test('is a Statement v1 about the module and the receipts', () => {
    const statement = JSON.parse(Buffer.from(envelope.payload, 'base64').toString());
    assert.equal(envelope.payloadType, 'application/vnd.in-toto+json');
    assert.equal(statement._type, 'https://in-toto.io/Statement/v1');
    assert.equal(statement.predicateType, ATTESTATION_PREDICATE_TYPE);
    assert.deepEqual(statement.subject, [
      { name: 'call@1.0.0', digest: { sha256: crypto.sha256(MODULE) } },
      { name: 'receipt 0', digest: { sha256: made.receipts[0] } },
      { name: 'receipt 1', digest: { sha256: made.receipts[1] } },
    ]);
    const { signature: _, ...rest } = made;
    assert.deepEqual(statement.predicate, rest);
  });

  test('says the same as the record, and verifies by the same steps', () => {
    const read = parse(canonicalBytes(envelope));
    assert.deepEqual(read.attestation, unsigned(made));
    const steps = verifyEnvelopedAttestation(verifier(), read, { artifact: MODULE });
    assert.deepEqual(steps, verifyAttestation(verifier(), made, { artifact: MODULE }));
    assert.deepEqual(
      steps.map(({ code, ok }) => [code, ok]),
      ATTESTATION_STEPS.map((code) => [code, true]),
    );
  });

  test('signed by another, it fails at the signature, whatever its keyid says', async () => {
    const payload = canonicalBytes(attestationStatement(made));
    const theirs = await signEnvelope(envelope.payloadType, payload, elsewhere);
    const signatures = theirs.signatures.map(({ sig }) => ({ keyid: made.signer, sig }));
    const read = parse(fileOf({ ...theirs, signatures }));
    const last = verifyEnvelopedAttestation(verifier(), read).at(-1);
    assert.equal(last?.code, 'environment-signature');
    assert.equal(last?.ok, false);
    await assert.rejects(signAttestationStatement(made, elsewhere), /by the environment it names/);
  });

  test('the signature of the record is none of the envelope, nor the other way round', () => {
    const [{ sig } = { sig: '' }] = envelope.signatures;
    const crossed = verifyAttestation(verifier(), { ...made, signature: sig }).at(-1);
    assert.deepEqual([crossed?.code, crossed?.ok], ['environment-signature', false]);
    const read = parse(fileOf({ ...envelope, signatures: [{ sig: made.signature }] }));
    assert.equal(verifyEnvelopedAttestation(verifier(), read).at(-1)?.ok, false);
  });

  test('no bit of its payload can be flipped', () => {
    const payload = Buffer.from(envelope.payload, 'base64');
    const environment = verifier();
    for (let bit = 0; bit < payload.length * 8; bit += 3) {
      const changed = {
        ...envelope,
        payload: Buffer.from(flipBit(payload, bit)).toString('base64'),
      };
      let isAccepted: boolean;
      try {
        const read = parse(fileOf(changed));
        isAccepted = verifyEnvelopedAttestation(environment, read).every(({ ok }) => ok);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
        isAccepted = false;
      }
      assert.ok(!isAccepted, `bit ${bit}`);
    }
  });

  const statement = attestationStatement(made);
  const [module, ...others] = statement.subject;
  const wrong: readonly (readonly [string, object, RegExp])[] = [
    ['another subject', { subject: [{ ...module, name: 'other' }, ...others] }, /canonical one/],
    ['a subject too few', { subject: [module] }, /canonical one/],
    ['another type of predicate', { predicateType: 'urn:x' }, /states something else/],
    ['another type of statement', { _type: 'https://in-toto.io/Statement/v0.1' }, /canonical one/],
    ['a field more', { more: 1 }, /canonical one/],
    ['a predicate that is none', { predicate: {} }, /is not an attestation/],
    ['a signature within', { predicate: made }, /is not an attestation/],
  ];
  for (const [name, changes, problem] of wrong) {
    test(`a statement with ${name} is refused, though it is signed`, async () => {
      const payload = canonicalBytes({ ...statement, ...changes });
      const signed = await signEnvelope(envelope.payloadType, payload, here);
      assert.throws(() => parse(fileOf(signed)), problem);
    });
  }

  test('a payload with a key twice, in another order or of another type is refused', async () => {
    const text = utf8(canonicalBytes(statement));
    for (const other of [`{"_type":"x",${text.slice(1)}`, ` ${text}`, `${text}\n`]) {
      const signed = await signEnvelope(envelope.payloadType, encodeUtf8(other), here);
      assert.throws(() => parse(fileOf(signed)), InputError);
    }
    const signed = await signEnvelope('application/json', encodeUtf8(text), here);
    assert.throws(() => parse(fileOf(signed)), /is not an in-toto statement/);
  });

  test('openssl verifies it', { skip: withoutOpenssl() }, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'touchstone-attestation-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const payload = Buffer.from(envelope.payload, 'base64');
    const [{ sig } = { sig: '' }] = envelope.signatures;
    writeFileSync(join(folder, 'key.pub'), publicKeyPem(here.publicKey));
    writeFileSync(join(folder, 'sig'), Buffer.from(sig, 'base64'));
    writeFileSync(
      join(folder, 'signed'),
      `DSSEv1 28 ${envelope.payloadType} ${payload.length} ${payload}`,
    );
    const line = 'pkeyutl -verify -rawin -pubin -inkey key.pub -sigfile sig -in signed'.split(' ');
    const answer = execFileSync('openssl', line, { cwd: folder, encoding: 'utf8' });
    assert.match(answer, /Signature Verified Successfully/);
    writeFileSync(join(folder, 'signed'), payload);
    assert.notEqual(spawnSync('openssl', line, { cwd: folder }).status, 0, 'it does look');
  });
});

function withoutOpenssl(): string | false {
  return spawnSync('openssl', ['version']).status === 0 ? false : 'openssl is not installed';
}
