// The `FuelVoucher` of Trytet (github.com/bneb/trytet), for interchange: the layout, the signed bytes
// and the order of the checks are Trytet's own.

import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import type { Crypto, Signer } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { describeIssues } from '../encoding/schema.ts';
import { MAX_U64, parseU64Json } from '../encoding/u64-json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** A voucher larger than this is refused unread, in bytes. */
export const MAX_TRYTET_VOUCHER_BYTES = 16_384;

/**
 * A voucher as Trytet writes it. It is weaker than `voucher/1`: it names no module, so that its fuel
 * goes to whatever its bearer runs; no domain tag tells its signed bytes from those of another
 * protocol; and no lengths part its texts, so that one signature fits several vouchers, whose
 * providers begin alike. Here it counts only where the caller accepts such vouchers, from agents whom the
 * caller trusts, for exactly the provider that the caller is.
 */
export interface TrytetVoucher {
  /** The agent's raw Ed25519 public key in hex: who signed. */
  readonly agent_id: string;
  /** Who may spend it. */
  readonly provider_id: string;
  /** u64, in the provider's units. */
  readonly fuel_limit: bigint;
  /** u64, seconds since the Unix epoch: the last one in which it counts. */
  readonly expiry_timestamp: bigint;
  readonly nonce: string;
  /** The bytes of the signature, 64 where it is one. */
  readonly signature: readonly number[];
}

const u64 = z
  .union([z.int().min(0).transform(BigInt), z.bigint().min(0n)])
  .refine((value) => value <= MAX_U64, 'greater than 64 bits hold');

/** The schema of a voucher as `parseU64Json` reads it: exactly its fields. */
export const trytetVoucherSchema = z.strictObject({
  agent_id: z.string(),
  provider_id: z.string(),
  fuel_limit: u64,
  expiry_timestamp: u64,
  nonce: z.string(),
  signature: z.array(z.int().min(0).max(255)).max(1_024),
});

/** What the agent signs: agent_id ‖ provider_id ‖ u64be(fuel_limit) ‖ u64be(expiry) ‖ nonce, in UTF-8. */
export function trytetVoucherMessage(voucher: Omit<TrytetVoucher, 'signature'>): Uint8Array {
  return concatBytes(
    encodeUtf8(voucher.agent_id),
    encodeUtf8(voucher.provider_id),
    bigEndian(voucher.fuel_limit),
    bigEndian(voucher.expiry_timestamp),
    encodeUtf8(voucher.nonce),
  );
}

/** What a Trytet voucher grants. */
export interface TrytetGrant {
  readonly provider_id: string;
  readonly fuel_limit: bigint;
  /** Seconds since the Unix epoch. */
  readonly expiry_timestamp: bigint;
  /** A random UUID of version 4, as Trytet makes them, unless it is given. */
  readonly nonce?: string;
}

/**
 * Makes a Trytet voucher in the name of the signer.
 * @throws {InputError} `invalid-voucher` for a number beyond 64 bits or a text with a lone surrogate;
 * whatever the signer throws.
 */
export async function mintTrytetVoucher(
  crypto: Crypto,
  agent: Signer,
  { provider_id, fuel_limit, expiry_timestamp, nonce = uuidV4(crypto) }: TrytetGrant,
): Promise<TrytetVoucher> {
  const agent_id = bytesToHex(agent.publicKey.raw);
  const unsigned = { agent_id, provider_id, fuel_limit, expiry_timestamp, nonce };
  const whole = [fuel_limit, expiry_timestamp].every((value) => value >= 0n && value <= MAX_U64);
  if (!whole) throw invalid('the voucher to mint', 'a number is not one of 64 bits');
  if (!provider_id.isWellFormed() || !nonce.isWellFormed()) {
    throw invalid('the voucher to mint', 'a text holds a lone surrogate');
  }
  const signature = await agent.sign(trytetVoucherMessage(unsigned));
  return Object.freeze({ ...unsigned, signature: Object.freeze([...signature]) });
}

/** A Trytet voucher as compact JSON with Trytet's order of fields, numbers of 64 bits in full. */
export function serializeTrytetVoucher(voucher: TrytetVoucher): string {
  const fields = [
    `"agent_id":${JSON.stringify(voucher.agent_id)}`,
    `"provider_id":${JSON.stringify(voucher.provider_id)}`,
    `"fuel_limit":${voucher.fuel_limit}`,
    `"expiry_timestamp":${voucher.expiry_timestamp}`,
    `"nonce":${JSON.stringify(voucher.nonce)}`,
    `"signature":${JSON.stringify(voucher.signature)}`,
  ];
  return `{${fields.join(',')}}`;
}

/**
 * Parses a Trytet voucher: exactly its fields, numbers exactly. Nothing that it claims is verified
 * here; a key or a signature of the wrong form is for the checks to tell.
 * @param what names the document in the message.
 * @throws {InputError} `invalid-voucher`, `invalid-json` or `invalid-utf8`.
 */
export function parseTrytetVoucher(source: string | Uint8Array, what: string): TrytetVoucher {
  if (source.length > MAX_TRYTET_VOUCHER_BYTES) {
    throw invalid(what, `it is longer than ${MAX_TRYTET_VOUCHER_BYTES} bytes`);
  }
  const parsed = trytetVoucherSchema.safeParse(parseU64Json(source, what));
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  return Object.freeze(parsed.data);
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-voucher', `${what} is not a Trytet voucher: ${problem}`);
}

function bigEndian(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

/** A random UUID (RFC 9562 section 5.4). */
function uuidV4(crypto: Crypto): string {
  const bytes = crypto.randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
