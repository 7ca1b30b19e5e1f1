import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import type { KeyId, Sha256 } from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { canonicalBytes } from '../encoding/json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import type { PurityProof } from '../proof/proof.ts';

export const CERTIFICATE_FORMAT = 'purity-certificate/1';

/** A certificate lies beside its artifact, under its name with this suffix. */
export const CERTIFICATE_SUFFIX = '.purity.json';

/** The same proof as an in-toto statement lies there too. */
export const IN_TOTO_SUFFIX = '.intoto.json';

/** The purity certificate (DESIGN 5): binds a proof to the exact bytes of a module. */
export interface PurityCertificate {
  readonly format: typeof CERTIFICATE_FORMAT;
  /** SHA-256 of the module's bytes. */
  readonly artifactHash: Sha256;
  /** SHA-256 of the RFC 8785 form of the proof. */
  readonly proofHash: Sha256;
  readonly proof: PurityProof;
  /** Base64 of the certifier's Ed25519 signature over {@link certifierMessage}. */
  readonly signature: string;
  /** The author's own signature over {@link publisherMessage}: the second of the dual signature. */
  readonly publisher?: PublisherSignature;
}

export interface PublisherSignature {
  readonly keyId: KeyId;
  /** Base64. */
  readonly signature: string;
}

const PUBLISHER_TAG = encodeUtf8('touchstone/publisher/1\n');

/** What the certifier signs: artifactHash ‖ proofHash, 64 raw bytes. */
export function certifierMessage(artifactHash: Sha256, proofHash: Sha256): Uint8Array {
  return hexToBytes(artifactHash + proofHash);
}

/** What the publisher signs: the same 64 bytes behind the tag `touchstone/publisher/1` and a newline. */
export function publisherMessage(artifactHash: Sha256, proofHash: Sha256): Uint8Array {
  return concatBytes(PUBLISHER_TAG, certifierMessage(artifactHash, proofHash));
}

/** The bytes of the certificate file: RFC 8785, UTF-8. */
export function serializeCertificate(certificate: PurityCertificate): Uint8Array {
  return canonicalBytes(certificate);
}

/** Base64 of a signature, as certificates hold it. */
export function encodeSignature(signature: Uint8Array): string {
  return encodeBase64(signature);
}

/** The 64 bytes of a signature field; empty, which never verifies, where it is not base64. */
export function decodeSignature(text: string): Uint8Array {
  return tryDecodeBase64(text) ?? new Uint8Array(0);
}
