import { Buffer } from 'node:buffer';
import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import type { Crypto, PublicKey, Sha256 } from '../../crypto/crypto.ts';
import {
  isAcceptablePublicKey,
  isCanonicalSignature,
  isSmallOrder,
} from '../../crypto/ed25519-encoding.ts';
import { pkcs8Der, spkiDer } from '../../crypto/keys.ts';
import { nobleCrypto } from '../../crypto/noble.ts';
import { equalBytes } from '../../encoding/bytes.ts';

/**
 * Node's own cryptography behind the encoding checks of the reference: OpenSSL decides by the same
 * equation, and the checks settle what it would read more leniently. Parsed keys are kept as long
 * as their {@link PublicKey} lives.
 */
export const nodeCrypto: Crypto = {
  sha256: (bytes) => hash('sha256', bytes, 'hex') as Sha256,
  verify: (key, message, signature) => {
    if (!isCanonicalSignature(signature)) return false;
    // OpenSSL 3.0 takes an R of small order where the equation holds, 3.5 does not: such a signature,
    // which no honest signer makes, is for the reference to decide.
    if (isSmallOrder(signature)) return nobleCrypto.verify(key, message, signature);
    const keyObject = publicKeyObject(key);
    return keyObject !== undefined && verify(null, message, keyObject, signature);
  },
  sign: (seed, message) => new Uint8Array(sign(null, message, privateKeyObject(seed))),
  publicKeyOf: (seed) => {
    const spki = createPublicKey(privateKeyObject(seed)).export({ type: 'spki', format: 'der' });
    return new Uint8Array(spki.subarray(-32));
  },
  randomBytes: (length) => new Uint8Array(randomBytes(length)),
};

const publicKeyObjects = new WeakMap<PublicKey, KeyObject>();

function publicKeyObject(key: PublicKey): KeyObject | undefined {
  const known = publicKeyObjects.get(key);
  if (known !== undefined) return known;
  if (!isAcceptablePublicKey(key.raw)) return undefined;
  try {
    const keyObject = createPublicKey({
      key: Buffer.from(spkiDer(key.raw)),
      type: 'spki',
      format: 'der',
    });
    publicKeyObjects.set(key, keyObject);
    return keyObject;
  } catch {
    return undefined; // not a point of the curve
  }
}

/** Parsing a private key takes ten times as long as signing with it. */
const privateKeyObjects = new WeakMap<
  Uint8Array,
  { readonly seed: Uint8Array; readonly keyObject: KeyObject }
>();

function privateKeyObject(seed: Uint8Array): KeyObject {
  const known = privateKeyObjects.get(seed);
  // The caller may have written another seed into the same array.
  if (known !== undefined && equalBytes(known.seed, seed)) return known.keyObject;
  const keyObject = createPrivateKey({
    key: Buffer.from(pkcs8Der(seed)),
    type: 'pkcs8',
    format: 'der',
  });
  privateKeyObjects.set(seed, { seed: seed.slice(), keyObject });
  return keyObject;
}
