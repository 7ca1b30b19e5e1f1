import { getPublicKey, hashes, Point, sign } from '@noble/ed25519';
import { sha256, sha512 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, randomBytes } from '@noble/hashes/utils.js';
import type { Crypto, Sha256 } from './crypto.ts';
import { isAcceptablePublicKey, isCanonicalSignature } from './ed25519-encoding.ts';

hashes.sha512 = sha512;

/** The order of the base point (RFC 8032 section 5.1). */
const L = Point.CURVE().n;

/** The reference implementation: runs everywhere and defines every verdict. */
export const nobleCrypto: Crypto = {
  sha256: (bytes) => bytesToHex(sha256(bytes)) as Sha256,
  verify: (key, message, signature) => {
    if (!isAcceptablePublicKey(key.raw) || !isCanonicalSignature(signature)) return false;
    try {
      return satisfiesEquation(key.raw, message, signature);
    } catch {
      return false; // the key is not a point of the curve
    }
  },
  sign: (seed, message) => sign(message, seed),
  publicKeyOf: (seed) => getPublicKey(seed),
  randomBytes,
};

/**
 * [S]B = R + [k]A without the cofactor, compared on encodings: RFC 8032 section 5.1.7 allows this
 * stricter form, and it is the one OpenSSL decides by, whereas `verify` of the library multiplies
 * by 8 and so accepts signatures that differ by a point of small order.
 */
function satisfiesEquation(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const r = signature.subarray(0, 32);
  const s = littleEndianNumber(signature.subarray(32));
  const a = Point.fromBytes(publicKey, false);
  const k = littleEndianNumber(sha512(concatBytes(r, publicKey, message))) % L;
  const expected = Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes();
  return expected.every((byte, i) => byte === r[i]);
}

function littleEndianNumber(bytes: Uint8Array): bigint {
  return BigInt(`0x${bytesToHex(bytes.slice().reverse())}`);
}
