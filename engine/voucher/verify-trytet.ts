import { hexToBytes } from '@noble/hashes/utils.js';
import type { Crypto, KeyId, PublicKey } from '../crypto/crypto.ts';
import { publicKeyFromRaw } from '../crypto/keys.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { checkTrusted } from '../gate/checks.ts';
import type { TrustStore } from '../gate/types.ts';
import type { IssuedNonce, NonceStore } from './nonce-store.ts';
import { type TrytetVoucher, trytetVoucherMessage } from './trytet-voucher.ts';
import { SPENT, type VoucherCheck } from './verify.ts';

/**
 * The checks of a Trytet voucher in Trytet's order (expiry, provider, key hex, key, signature format,
 * signature, nonce reuse), and before the last one ours: that the agent is one who may grant fuel here.
 * Trytet itself takes every agent's word.
 */
export const TRYTET_CHECK_CODES = Object.freeze([
  'expiry',
  'provider',
  'key-hex',
  'key',
  'signature-format',
  'signature',
  'agent',
  'nonce',
] as const);

export type TrytetCheckCode = (typeof TRYTET_CHECK_CODES)[number];

/** What Trytet vouchers are judged by: whoever makes one accepts such vouchers. */
export interface TrytetVoucherEnvironment {
  readonly crypto: Crypto;
  /** Who is paid here: the only `provider_id` that counts. */
  readonly provider: string;
  /**
   * Holds the agents, in the role `voucher-issuer`. `any-agent` is Trytet's own rule, under which
   * everybody can grant themselves fuel.
   */
  readonly agents: TrustStore | 'any-agent';
  /** Keys, of any role, whose signatures are no longer good: those of the gate's policy. */
  readonly revokedKeys: ReadonlySet<KeyId>;
  readonly nonces: NonceStore;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What the checks look at: the voucher, and its key as far as it could be read. */
interface Candidate {
  readonly voucher: TrytetVoucher;
  readonly keyBytes: Uint8Array | undefined;
  readonly key: PublicKey | undefined;
}

/** Says why a check fails; `undefined` means that it holds. */
type Check = (
  candidate: Candidate,
  environment: TrytetVoucherEnvironment,
) => string | undefined | Promise<string | undefined>;

const CHECKS: readonly (readonly [TrytetCheckCode, Check])[] = [
  ['expiry', checkExpiry],
  ['provider', checkProvider],
  ['key-hex', checkKeyHex],
  ['key', checkKey],
  ['signature-format', checkSignatureFormat],
  ['signature', checkSignature],
  ['agent', checkAgent],
  ['nonce', checkNonce],
];

/**
 * Makes the checks of {@link TRYTET_CHECK_CODES} in order and stops at the first that fails, which is
 * the last one answered. Spends nothing.
 * @throws {InputError} `unreadable` when the nonces cannot be read.
 */
export async function verifyTrytetVoucher(
  environment: TrytetVoucherEnvironment,
  voucher: TrytetVoucher,
): Promise<readonly VoucherCheck<TrytetCheckCode>[]> {
  return runChecks(CHECKS, environment, voucher);
}

/** What came of spending a Trytet voucher, as `Spending` of one of ours. */
export type TrytetSpending =
  | {
      readonly spent: true;
      /** The voucher's `fuel_limit`. */
      readonly fuel: bigint;
      readonly checks: readonly VoucherCheck<TrytetCheckCode>[];
    }
  | {
      readonly spent: false;
      readonly failed: TrytetCheckCode;
      readonly detail: string;
      readonly checks: readonly VoucherCheck<TrytetCheckCode>[];
    };

/**
 * Verifies a Trytet voucher and spends its nonce: of all who try, one may run. Whoever gets another
 * answer than `spent: true`, or none, runs nothing.
 * @param voucher as `parseTrytetVoucher` made it.
 * @throws {InputError} as `NonceStore.spend`.
 */
export async function spendTrytetVoucher(
  environment: TrytetVoucherEnvironment,
  voucher: TrytetVoucher,
): Promise<TrytetSpending> {
  const own = { ...voucher, signature: [...voucher.signature] };
  const checks = await runChecks(CHECKS.slice(0, -1), environment, own);
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) {
    return { spent: false, failed: failed.code, detail: failed.detail ?? '', checks };
  }
  const answer = await environment.nonces.spend(nonceOf(own), secondsOf(own));
  if (answer !== 'fresh') {
    const last = { code: 'nonce', ok: false, detail: SPENT } as const;
    return { spent: false, failed: 'nonce', detail: SPENT, checks: [...checks, last] };
  }
  return { spent: true, fuel: own.fuel_limit, checks: [...checks, { code: 'nonce', ok: true }] };
}

/**
 * Trytet remembers nonces alone, so that one agent can spoil another's. Here each agent has its own for
 * each provider, whichever way it spells its hex, and the prefix keeps them apart from those of ours.
 */
function nonceOf({ agent_id, provider_id, nonce }: TrytetVoucher): IssuedNonce {
  return { issuer: `trytet:${agent_id.toLowerCase()}:${provider_id}`, nonce };
}

/** For the store: an expiry beyond what a double holds is never reached, so it is cut to that. */
function secondsOf({ expiry_timestamp }: TrytetVoucher): number {
  return Number(
    expiry_timestamp < Number.MAX_SAFE_INTEGER ? expiry_timestamp : Number.MAX_SAFE_INTEGER,
  );
}

async function runChecks(
  checks: typeof CHECKS,
  environment: TrytetVoucherEnvironment,
  voucher: TrytetVoucher,
): Promise<readonly VoucherCheck<TrytetCheckCode>[]> {
  const candidate = readKey(environment.crypto, voucher);
  const results: VoucherCheck<TrytetCheckCode>[] = [];
  for (const [code, check] of checks) {
    const detail = await check(candidate, environment);
    if (detail !== undefined) {
      results.push({ code, ok: false, detail });
      break;
    }
    results.push({ code, ok: true });
  }
  return results;
}

const HEX = /^(?:[0-9a-fA-F]{2})*$/;

function readKey(crypto: Crypto, voucher: TrytetVoucher): Candidate {
  const { agent_id } = voucher;
  const keyBytes = HEX.test(agent_id) ? hexToBytes(agent_id) : undefined;
  if (keyBytes === undefined) return { voucher, keyBytes, key: undefined };
  try {
    return { voucher, keyBytes, key: publicKeyFromRaw(crypto, keyBytes, 'agent_id') };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { voucher, keyBytes, key: undefined };
  }
}

/** Trytet counts the second of the expiry in. */
function checkExpiry({ voucher }: Candidate, { now }: TrytetVoucherEnvironment) {
  const seconds = now() / 1000;
  const isOver = !Number.isFinite(seconds) || voucher.expiry_timestamp < Math.floor(seconds);
  return isOver ? `it expired after second ${voucher.expiry_timestamp} of Unix time` : undefined;
}

function checkProvider({ voucher }: Candidate, { provider }: TrytetVoucherEnvironment) {
  return voucher.provider_id === provider
    ? undefined
    : `it is for the provider "${displayText(voucher.provider_id, 80)}", this one is "${displayText(provider, 80)}"`;
}

function checkKeyHex({ keyBytes }: Candidate) {
  return keyBytes === undefined ? '"agent_id" is not hex' : undefined;
}

function checkKey({ keyBytes, key }: Candidate) {
  return key === undefined
    ? `"agent_id" is not a usable Ed25519 public key: ${keyBytes?.length ?? 0} bytes`
    : undefined;
}

function checkSignatureFormat({ voucher }: Candidate) {
  const { length } = voucher.signature;
  return length === 64 ? undefined : `"signature" has ${length} bytes, not 64`;
}

function checkSignature({ voucher, key }: Candidate, { crypto }: TrytetVoucherEnvironment) {
  const signature = Uint8Array.from(voucher.signature);
  return key !== undefined && crypto.verify(key, trytetVoucherMessage(voucher), signature) === true
    ? undefined
    : 'the signature does not verify under "agent_id"';
}

function checkAgent({ key }: Candidate, environment: TrytetVoucherEnvironment) {
  if (key === undefined) return '"agent_id" names nobody';
  const { agents, revokedKeys, now } = environment;
  if (revokedKeys.has(key.keyId)) return `the policy revokes the key ${shortHash(key.keyId)}…`;
  if (agents === 'any-agent') return undefined;
  return checkTrusted(key.keyId, 'voucher-issuer', { trust: agents, now });
}

async function checkNonce({ voucher }: Candidate, { nonces }: TrytetVoucherEnvironment) {
  return (await nonces.isSpent(nonceOf(voucher), secondsOf(voucher))) === false ? undefined : SPENT;
}
