import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import {
  type Crypto,
  isKeyId,
  isSha256,
  type KeyId,
  type Sha256,
  type Signer,
} from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { equalBytes } from '../encoding/bytes.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

export const VOUCHER_FORMAT = 'voucher/1';

/** A voucher larger than this is refused unread, in bytes. */
export const MAX_VOUCHER_BYTES = 1_024;

/** The most fuel that a voucher can grant, in units: what the counter of a run can hold. */
export const MAX_VOUCHER_FUEL = Number.MAX_SAFE_INTEGER;

/** The last second of the year 9999, in seconds since the Unix epoch: no voucher lasts longer. */
export const MAX_EXPIRY = 253_402_300_799;

/** Bytes of a nonce: enough that no two vouchers of an issuer ever have the same. */
const NONCE_BYTES = 16;

/** What a voucher grants (DESIGN 7). */
export interface FuelGrant {
  /** SHA-256 of the only module that the fuel is for. */
  readonly artifactHash: Sha256;
  /** The key id of the only environment that may spend the voucher. */
  readonly environment: KeyId;
  /** In whole units, 1 to {@link MAX_VOUCHER_FUEL}. */
  readonly fuel: number;
  /** From this moment on the voucher counts for nothing: whole seconds since the Unix epoch. */
  readonly expiry: number;
}

/** A signed voucher: one run of one module in one environment, until it expires. */
export interface FuelVoucher extends FuelGrant {
  readonly format: typeof VOUCHER_FORMAT;
  /** 128 random bits in lower-case hex: what is spent. */
  readonly nonce: string;
  /** The key id of whoever granted it, in the role `voucher-issuer`. */
  readonly issuer: KeyId;
  /** Base64 of the issuer's Ed25519 signature over {@link voucherMessage}. */
  readonly signature: string;
}

const VOUCHER_TAG = encodeUtf8('touchstone/voucher/1\n');

/** What the issuer signs: `touchstone/voucher/1\n` ‖ RFC 8785 of the voucher without `signature`. */
export function voucherMessage(voucher: Omit<FuelVoucher, 'signature'> | FuelVoucher): Uint8Array {
  const { signature: _, ...unsigned }: Partial<FuelVoucher> = voucher;
  return concatBytes(VOUCHER_TAG, canonicalBytes(unsigned));
}

const unsignedFields = {
  format: z.literal(VOUCHER_FORMAT),
  artifactHash: z.string().refine(isSha256, 'not a SHA-256 in hex'),
  environment: z.string().refine(isKeyId, 'not a key id'),
  fuel: z.int().min(1).max(MAX_VOUCHER_FUEL),
  expiry: z.int().min(1).max(MAX_EXPIRY),
  nonce: z.string().regex(/^[0-9a-f]{32}$/, 'not 32 lower-case hex digits'),
  issuer: z.string().refine(isKeyId, 'not a key id'),
};
const unsignedSchema = z.strictObject(unsignedFields);
const voucherSchema = z.strictObject({
  ...unsignedFields,
  signature: z.string().refine(isSignature, 'not 64 bytes in base64'),
});

function isSignature(text: string): boolean {
  return text.length === 88 && tryDecodeBase64(text)?.length === 64;
}

/**
 * Makes a voucher with a nonce of its own. The signature is verified before it is answered.
 * @throws {InputError} `invalid-voucher` for a grant out of bounds, naming the field; `invalid-key`
 * when the signer's signature does not verify under its own key; whatever the signer throws.
 */
export async function mintVoucher(
  crypto: Crypto,
  issuer: Signer,
  { artifactHash, environment, fuel, expiry }: FuelGrant,
): Promise<FuelVoucher> {
  const parsed = unsignedSchema.safeParse({
    format: VOUCHER_FORMAT,
    artifactHash,
    environment,
    fuel,
    expiry,
    nonce: bytesToHex(crypto.randomBytes(NONCE_BYTES)),
    issuer: issuer.publicKey.keyId,
  });
  if (!parsed.success) throw invalid('the voucher to mint', describeIssues(parsed.error));
  const message = voucherMessage(parsed.data);
  const signature = await issuer.sign(message);
  if (!crypto.verify(issuer.publicKey, message, signature)) {
    throw new InputError(
      'invalid-key',
      'the issuer signed a voucher wrongly: its signature does not verify',
    );
  }
  return Object.freeze({ ...parsed.data, signature: encodeBase64(signature) });
}

/** The bytes of a voucher file: RFC 8785, UTF-8, without a newline. */
export function serializeVoucher(voucher: FuelVoucher): Uint8Array {
  return canonicalBytes(voucher);
}

/** The 64 bytes of a voucher's signature; empty, which never verifies, where it is not base64. */
export function voucherSignature({ signature }: FuelVoucher): Uint8Array {
  return tryDecodeBase64(signature) ?? new Uint8Array(0);
}

/**
 * Parses a voucher: exactly its fields, in exactly their canonical bytes, so that there is one byte
 * string for one voucher. Neither its signature nor anything that it claims is verified here.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-voucher`, `invalid-json` or `invalid-utf8`.
 */
export function parseVoucher(bytes: Uint8Array, what: string): FuelVoucher {
  if (bytes.length > MAX_VOUCHER_BYTES) {
    throw invalid(what, `it has ${bytes.length} bytes; a voucher has at most ${MAX_VOUCHER_BYTES}`);
  }
  const parsed = voucherSchema.safeParse(parseJson(bytes, what));
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  const voucher = Object.freeze(parsed.data);
  if (!equalBytes(serializeVoucher(voucher), bytes)) {
    throw invalid(what, 'it is not in canonical form (RFC 8785)');
  }
  return voucher;
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-voucher', `${what} is not a fuel voucher: ${problem}`);
}
