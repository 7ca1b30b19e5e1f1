/** A SHA-256 digest as 64 lower-case hex digits. */
export type Sha256 = string & { readonly __sha256: unique symbol };

/** A key id: SHA-256 of the key's SPKI DER form, as 64 lower-case hex digits. */
export type KeyId = Sha256 & { readonly __keyId: unique symbol };

/** An Ed25519 public key. `raw` holds its 32 bytes (RFC 8032 section 5.1.5) and is never changed. */
export interface PublicKey {
  readonly raw: Uint8Array;
  readonly keyId: KeyId;
}

/**
 * The cryptography the engine needs, as one synchronous service. Every implementation gives the
 * same verdict on the same input: `engine/crypto/noble.ts` is the reference, a platform may bring a
 * faster one.
 */
export interface Crypto {
  /** SHA-256 (FIPS 180-4) of `bytes`. */
  sha256(bytes: Uint8Array): Sha256;
  /**
   * Verifies an Ed25519 signature: strict RFC 8032 section 5.1.7, the equation without cofactor,
   * canonical encodings only, no public key of small order. Never throws.
   * @param signature any bytes; other than 64 of them never verify.
   */
  verify(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean;
  /** The 64-byte Ed25519 signature of `message` (RFC 8032 section 5.1.6); `seed` has 32 bytes. */
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array;
  /** The 32-byte public key of a 32-byte seed (RFC 8032 section 5.1.5). */
  publicKeyOf(seed: Uint8Array): Uint8Array;
  /** `length` bytes from the platform's secure random source. */
  randomBytes(length: number): Uint8Array;
}

/**
 * Something that holds a private key and signs with it: a key file, an editor's secret storage, a
 * hardware token. The private key itself stays inside.
 */
export interface Signer {
  readonly publicKey: PublicKey;
  /** The 64-byte Ed25519 signature of `message`. */
  sign(message: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

const HEX_DIGITS = 64;

/** 1 for each lower-case hex digit, by its code. */
const IS_DIGIT = new Uint8Array(128);
for (const digit of '0123456789abcdef') IS_DIGIT[digit.charCodeAt(0)] = 1;

/** Whether `text` is a digest as this engine writes them: 64 lower-case hex digits. */
export function isSha256(text: unknown): text is Sha256 {
  if (typeof text !== 'string' || text.length !== HEX_DIGITS) return false;
  // A receipt has a dozen digests: this takes half the time of a regular expression.
  let digits = 0;
  for (let i = 0; i < HEX_DIGITS; i++) digits += IS_DIGIT[text.charCodeAt(i)] ?? 0;
  return digits === HEX_DIGITS;
}

/** Whether `text` has the form of a key id. */
export function isKeyId(text: unknown): text is KeyId {
  return isSha256(text);
}
