import { base64urlnopad } from '@scure/base';
import { z } from 'zod';
import { parseCertificate } from '../certificate/parse.ts';
import { type Crypto, isKeyId, isSha256, type Sha256, type Signer } from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, canonicalJson, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import { signVerified } from '../provenance/sign.ts';
import {
  ATTESTATION_FORMAT,
  type Attestation,
  type AttestationFacts,
  type AttestationRecord,
  ISOLATION_MODES,
} from './types.ts';

/** A record larger than this, in bytes, is neither written nor read. */
export const MAX_ATTESTATION_BYTES = 2_097_152;

/** A record names at most this many receipts. */
export const MAX_ATTESTED_RECEIPTS = 4_096;

/** The largest evidence that a record carries, in bytes. */
export const MAX_EVIDENCE_BYTES = 65_536;

const ATTESTATION_TAG = 'touchstone/attestation/1\n';

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');
const keyId = z.string().refine(isKeyId, 'not a key id');
const text = z.string().min(1).max(200);

const environment = z.strictObject({
  runtime: z.strictObject({ name: text, version: text }),
  engine: z.strictObject({ name: text, version: text, v8: text }),
  build: z.strictObject({ hash: sha256, signer: keyId.nullable() }),
  whitelist: z.strictObject({
    name: z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/, 'not a name of a whitelist'),
    version: z.int().min(1),
    hash: sha256,
  }),
  platform: z.strictObject({ os: text, arch: text }),
  isolation: z.enum(ISOLATION_MODES),
  evidence: z
    .strictObject({ type: text, data: z.string().refine(isEvidence, 'not bytes in base64') })
    .exactOptional(),
});

const call = z.strictObject({
  nonce: z.string().refine(isNonce, 'not 16 to 64 bytes in base64url'),
  inputHash: sha256,
  outputHash: sha256.nullable(),
  status: z.string().regex(/^[a-z][a-z-]{0,63}$/, 'not a status'),
});

const fields = {
  format: z.literal(ATTESTATION_FORMAT),
  /** Read by its own parser. */
  certificate: z.looseObject({}),
  executor: text,
  environment,
  receipts: z.array(sha256).max(MAX_ATTESTED_RECEIPTS),
  call: call.exactOptional(),
  signer: keyId,
};
const attestationSchema = z.strictObject(fields);
const recordSchema = z.strictObject({
  ...fields,
  signature: z.string().refine(isSignature, 'not 64 bytes in base64'),
});

function isEvidence(data: string): boolean {
  const bytes = data.length <= 2 * MAX_EVIDENCE_BYTES ? tryDecodeBase64(data) : undefined;
  return bytes !== undefined && bytes.length > 0 && bytes.length <= MAX_EVIDENCE_BYTES;
}

/** Whether `nonce` is base64url (RFC 4648 section 5) of 16 to 64 bytes, in its one spelling without padding. */
export function isNonce(nonce: string): boolean {
  if (!/^[A-Za-z0-9_-]{22,86}$/.test(nonce)) return false;
  try {
    return base64urlnopad.encode(base64urlnopad.decode(nonce)) === nonce;
  } catch {
    return false;
  }
}

function isSignature(signature: string): boolean {
  return signature.length === 88 && tryDecodeBase64(signature)?.length === 64;
}

/** What the environment signs: `touchstone/attestation/1\n` ‖ RFC 8785 of the record without `signature`. */
export function attestationMessage(attestation: Attestation | AttestationRecord): Uint8Array {
  return encodeUtf8(ATTESTATION_TAG + canonicalJson(unsigned(attestation)));
}

/** What a record says, without its signature. */
export function unsigned(attestation: Attestation | AttestationRecord): Attestation {
  const { signature: _, ...rest }: Attestation & { readonly signature?: string } = attestation;
  return rest;
}

/**
 * Attests facts in the name of the environment whose key signs. Whether they are true is for the caller
 * to see to. The record is one that {@link parseAttestation} takes, and its signature has verified.
 * @throws {InputError} `invalid-attestation` or `invalid-certificate` for facts that a reader would
 *   refuse, before anything is signed; `invalid-key` for a signature that does not verify; whatever
 *   the signer throws.
 */
export async function attest(
  crypto: Crypto,
  { certificate, executor, environment, receipts, call }: AttestationFacts,
  signer: Signer,
): Promise<AttestationRecord> {
  const attestation = readAttestation(
    {
      format: ATTESTATION_FORMAT,
      certificate,
      executor,
      environment,
      receipts,
      ...(call !== undefined && { call }),
      signer: signer.publicKey.keyId,
    },
    'what is to be attested',
  );
  const signature = await signVerified(crypto, signer, attestationMessage(attestation));
  return { ...attestation, signature: encodeBase64(signature) };
}

/** The bytes of a record's file: RFC 8785, UTF-8, without a newline. */
export function serializeAttestation(record: AttestationRecord): Uint8Array {
  return canonicalBytes(record);
}

/** SHA-256 of the bytes of a record's file: what others name it by. */
export function attestationHash(crypto: Crypto, record: AttestationRecord): Sha256 {
  return crypto.sha256(serializeAttestation(record));
}

/**
 * Parses a record: exactly its fields, in exactly their canonical bytes, so that there is one byte
 * string for one record. Neither a signature nor anything that it claims is verified here.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-attestation`, `invalid-certificate`, `too-large`, `invalid-json` or
 *   `invalid-utf8`.
 */
export function parseAttestation(bytes: Uint8Array, what: string): AttestationRecord {
  if (bytes.length > MAX_ATTESTATION_BYTES) {
    throw new InputError(
      'too-large',
      `${what} has ${bytes.length} bytes; an attestation has at most ${MAX_ATTESTATION_BYTES}`,
    );
  }
  const source = decodeUtf8(bytes, what);
  const parsed = recordSchema.safeParse(parseJson(source, what));
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  if (canonicalJson(parsed.data) !== source) {
    throw invalid(what, 'it is not in canonical form (RFC 8785)');
  }
  return { ...parsed.data, certificate: readCertificate(parsed.data.certificate, what) };
}

/**
 * Reads the value of an attestation without its signature: exactly its fields.
 * @param what names it in the message.
 * @throws {InputError} `invalid-attestation` or `invalid-certificate`.
 */
export function readAttestation(value: unknown, what: string): Attestation {
  const parsed = attestationSchema.safeParse(value);
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  return { ...parsed.data, certificate: readCertificate(parsed.data.certificate, what) };
}

function readCertificate(certificate: object, what: string) {
  return parseCertificate(canonicalBytes(certificate), `the certificate in ${what}`).certificate;
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-attestation', `${what} is not an attestation: ${problem}`);
}
