// The form of an attestation that other people's tools read: an in-toto Statement v1 in a DSSE envelope,
// signed by the same environment.

import {
  type DecodedEnvelope,
  type DsseEnvelope,
  parseEnvelope,
  signEnvelope,
} from '../certificate/dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE, IN_TOTO_STATEMENT_TYPE } from '../certificate/in-toto.ts';
import type { Sha256, Signer } from '../crypto/crypto.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, isJsonObject, parseJson } from '../encoding/json.ts';
import { MAX_ATTESTATION_BYTES, readAttestation, unsigned } from './record.ts';
import type { Attestation, AttestationRecord } from './types.ts';

export const ATTESTATION_PREDICATE_TYPE = 'urn:touchstone:attestation:1';

/** An envelope larger than this is refused unread, in bytes. That of the largest record is smaller. */
const MAX_ENVELOPE_BYTES = 2 * MAX_ATTESTATION_BYTES;

/** An in-toto Statement v1 about a module and the receipts of its runs. */
export interface AttestationStatement {
  readonly _type: typeof IN_TOTO_STATEMENT_TYPE;
  /** The module under the executor's name, then the receipts as `receipt 0`, `receipt 1`, …. */
  readonly subject: readonly {
    readonly name: string;
    readonly digest: { readonly sha256: Sha256 };
  }[];
  readonly predicateType: typeof ATTESTATION_PREDICATE_TYPE;
  /** The record without its signature. */
  readonly predicate: Attestation;
}

/** An attestation that came in an envelope. */
export interface EnvelopedAttestation {
  readonly attestation: Attestation;
  readonly envelope: DecodedEnvelope;
}

/** States what an attestation says. */
export function attestationStatement(
  attestation: Attestation | AttestationRecord,
): AttestationStatement {
  const predicate = unsigned(attestation);
  const { executor, certificate, receipts } = predicate;
  return {
    _type: IN_TOTO_STATEMENT_TYPE,
    subject: [
      { name: executor, digest: { sha256: certificate.artifactHash } },
      ...receipts.map((hash, i) => ({ name: `receipt ${i}`, digest: { sha256: hash } })),
    ],
    predicateType: ATTESTATION_PREDICATE_TYPE,
    predicate,
  };
}

/**
 * The DSSE envelope of an attestation.
 * @param signer the environment's.
 * @throws {InputError} `invalid-key` for another signer than the attestation names; whatever it throws.
 */
export async function signAttestationStatement(
  attestation: Attestation | AttestationRecord,
  signer: Signer,
): Promise<DsseEnvelope> {
  if (signer.publicKey.keyId !== attestation.signer) {
    throw new InputError('invalid-key', 'an attestation is signed by the environment it names');
  }
  const payload = canonicalBytes(attestationStatement(attestation));
  return signEnvelope(IN_TOTO_PAYLOAD_TYPE, payload, signer);
}

/**
 * Parses an envelope with an attestation in it. The payload is exactly the canonical bytes of
 * {@link attestationStatement}, so its subjects are those of its predicate. Nothing is verified here:
 * the bytes that were parsed are kept, and it is these that a signature must be over.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-attestation`, `invalid-certificate`, `too-large`, `invalid-json` or
 *   `invalid-utf8`.
 */
export function parseEnvelopedAttestation(bytes: Uint8Array, what: string): EnvelopedAttestation {
  if (bytes.length > MAX_ENVELOPE_BYTES) {
    throw new InputError(
      'too-large',
      `${what} has ${bytes.length} bytes; the envelope of an attestation has at most ${MAX_ENVELOPE_BYTES}`,
    );
  }
  const envelope = parseEnvelope(bytes, what);
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw invalid(what, 'its payload is not an in-toto statement');
  }
  const statement = parseJson(envelope.payload, `the payload of ${what}`);
  if (!isJsonObject(statement) || statement.predicateType !== ATTESTATION_PREDICATE_TYPE) {
    throw invalid(what, `it states something else than ${ATTESTATION_PREDICATE_TYPE}`);
  }
  const attestation = readAttestation(statement.predicate, `the predicate of ${what}`);
  if (!equalBytes(canonicalBytes(attestationStatement(attestation)), envelope.payload)) {
    throw invalid(what, 'its statement is not the canonical one of its predicate');
  }
  return { attestation, envelope };
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-attestation', `${what} is not an attestation: ${problem}`);
}
