import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { InputError } from '../encoding/input-error.ts';
import type { Crypto, KeyId, PublicKey, Signer } from './crypto.ts';
import { isAcceptablePublicKey } from './ed25519-encoding.ts';

// The DER forms of Ed25519 keys have a fixed length and differ only in their last 32 bytes
// (RFC 8410 sections 4 and 7), so a prefix compare is an exact parser for them.
const SPKI_PREFIX = hexToBytes('302a300506032b6570032100');
const PKCS8_PREFIX = hexToBytes('302e020100300506032b657004220420');

/** The SPKI DER form (RFC 8410 section 4) of a raw 32-byte public key: 44 bytes. */
export function spkiDer(raw: Uint8Array): Uint8Array {
  return concatBytes(SPKI_PREFIX, raw);
}

/** The raw 32 bytes within an SPKI DER form; `undefined` for any other structure or algorithm. */
export function rawFromSpki(der: Uint8Array): Uint8Array | undefined {
  return afterPrefix(der, SPKI_PREFIX);
}

/** The PKCS#8 DER form (RFC 8410 section 7) of a 32-byte seed: 48 bytes. */
export function pkcs8Der(seed: Uint8Array): Uint8Array {
  return concatBytes(PKCS8_PREFIX, seed);
}

/**
 * Makes a {@link PublicKey} of 32 raw bytes (copied).
 * @throws {InputError} `invalid-key` for another length, an encoding that is not canonical, or a
 * point of small order.
 */
export function publicKeyFromRaw(crypto: Crypto, raw: Uint8Array, what = 'the key'): PublicKey {
  if (!isAcceptablePublicKey(raw)) {
    throw new InputError(
      'invalid-key',
      `${what} is not a usable Ed25519 public key: expected 32 bytes that encode a point of large order`,
    );
  }
  const own = raw.slice();
  return Object.freeze({ raw: own, keyId: crypto.sha256(spkiDer(own)) as KeyId });
}

const ownSigners = new WeakSet<Signer>();

/** A signer over a 32-byte seed, which it copies and never shows. */
export function signerFromSeed(crypto: Crypto, seed: Uint8Array): Signer {
  const own = seed.slice();
  const publicKey = publicKeyFromRaw(crypto, crypto.publicKeyOf(own));
  const signer = Object.freeze({
    publicKey,
    sign: (message: Uint8Array) => crypto.sign(own, message),
  });
  ownSigners.add(signer);
  return signer;
}

/**
 * Whether {@link signerFromSeed} made this signer: its key is in this process, belongs to its public
 * key, and signs deterministically. What any other signer does is its own affair.
 */
export function isOwnSigner(signer: Signer): boolean {
  return ownSigners.has(signer);
}

/** Writes a public key as SPKI PEM (RFC 7468 section 13), as `openssl pkey -pubout` does. */
export function publicKeyPem(key: PublicKey): string {
  return pem('PUBLIC KEY', spkiDer(key.raw));
}

/** Writes a seed as PKCS#8 PEM (RFC 7468 section 10), as `openssl genpkey` does. */
export function privateKeyPem(seed: Uint8Array): string {
  return pem('PRIVATE KEY', pkcs8Der(seed));
}

/**
 * Reads an Ed25519 public key in SPKI PEM.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-key`.
 */
export function parsePublicKeyPem(crypto: Crypto, text: string, what: string): PublicKey {
  const { label, der } = parsePem(text, what);
  if (label === 'PRIVATE KEY') {
    throw wrongKey(what, 'is a private key; a public key is expected here (the .pub file)');
  }
  if (label !== 'PUBLIC KEY') throw wrongKey(what, `holds "${label}", not a public key`);
  const raw = rawFromSpki(der);
  if (raw === undefined) throw wrongKey(what, 'is a public key of another kind than Ed25519');
  return publicKeyFromRaw(crypto, raw, what);
}

/**
 * Reads an Ed25519 private key in unencrypted PKCS#8 PEM and answers a signer; the key's bytes
 * appear in no message.
 * @throws {InputError} `invalid-key`.
 */
export function parsePrivateKeyPem(crypto: Crypto, text: string, what: string): Signer {
  const { label, der } = parsePem(text, what);
  if (label === 'PUBLIC KEY') {
    throw wrongKey(what, 'is a public key; signing needs the private key (the file without .pub)');
  }
  if (label === 'ENCRYPTED PRIVATE KEY') {
    throw wrongKey(what, 'is encrypted; decrypt it first with: openssl pkey -in KEY -out PLAIN');
  }
  if (label !== 'PRIVATE KEY') throw wrongKey(what, `holds "${label}", not a PKCS#8 private key`);
  const seed = afterPrefix(der, PKCS8_PREFIX);
  if (seed === undefined) throw wrongKey(what, 'is a private key of another kind than Ed25519');
  return signerFromSeed(crypto, seed);
}

function pem(label: string, der: Uint8Array): string {
  return `-----BEGIN ${label}-----\n${encodeBase64(der)}\n-----END ${label}-----\n`;
}

const PEM =
  /^-----BEGIN ([A-Z0-9 ]{1,40})-----\r?\n([A-Za-z0-9+/=\r\n]{1,8192})-----END \1-----\s*$/;

function parsePem(
  text: string,
  what: string,
): { readonly label: string; readonly der: Uint8Array } {
  const match = PEM.exec(text.trimStart());
  const der = match?.[2] === undefined ? undefined : tryDecodeBase64(match[2].replace(/\s/g, ''));
  if (match?.[1] === undefined || der === undefined) {
    throw wrongKey(what, 'is not a PEM key: expected one block "-----BEGIN … KEY-----"');
  }
  return { label: match[1], der };
}

function afterPrefix(der: Uint8Array, prefix: Uint8Array): Uint8Array | undefined {
  if (der.length !== prefix.length + 32) return undefined;
  return equalBytes(der.subarray(0, prefix.length), prefix)
    ? der.subarray(prefix.length)
    : undefined;
}

function wrongKey(what: string, problem: string): InputError {
  return new InputError('invalid-key', `${what} ${problem}`);
}
