import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import type { Receipt } from './types.ts';

/**
 * The id of the run whose first receipt this is: a UUIDv8 of the SHA-256 of the RFC 8785 form of
 * `{ artifactHash, inputHash, prevHash, epoch }`. The place in the chain tells equal runs apart, so
 * that neither a clock nor a random source is needed.
 */
export function runId(
  crypto: Crypto,
  {
    artifactHash,
    inputHash,
    prevHash,
    epoch,
  }: Pick<Receipt, 'artifactHash' | 'inputHash' | 'prevHash' | 'epoch'>,
): string {
  // Hashes and a whole number need no escape, so this is the canonical form.
  const text = `{"artifactHash":"${artifactHash}","epoch":${epoch},"inputHash":"${inputHash}","prevHash":"${prevHash}"}`;
  return uuidV8(crypto.sha256(encodeUtf8(text)));
}

/**
 * The UUIDv8 (RFC 9562 section 5.8) of the first 16 bytes of a digest, made as the name-based
 * example of its appendix B.2: version 8 and the variant bits `10` overwrite 6 of the 128 bits.
 */
export function uuidV8(digest: Sha256): string {
  const variant = (Number.parseInt(digest.charAt(16), 16) & 0b0011) | 0b1000;
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant.toString(16)}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}

const UUID_V8 = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Whether `text` has the form of a run id. */
export function isRunId(text: string): boolean {
  return UUID_V8.test(text);
}
