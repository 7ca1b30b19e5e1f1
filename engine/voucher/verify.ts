import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { shortHash } from '../encoding/display.ts';
import { checkTrusted } from '../gate/checks.ts';
import type { TrustStore } from '../gate/types.ts';
import type { IssuedNonce, NonceStore } from './nonce-store.ts';
import { type FuelVoucher, voucherMessage, voucherSignature } from './voucher.ts';

/** The checks of a voucher, in their order. */
export const VOUCHER_CHECK_CODES = Object.freeze([
  'expiry',
  'environment',
  'artifact',
  'issuer',
  'signature',
  'spent',
] as const);

export type VoucherCheckCode = (typeof VOUCHER_CHECK_CODES)[number];

/** The answer of one check. `detail` says what was found, in one line for a person. */
export interface VoucherCheck<Code extends string = VoucherCheckCode> {
  readonly code: Code;
  readonly ok: boolean;
  readonly detail?: string;
}

/** What vouchers are judged by in one place. */
export interface VoucherEnvironment {
  readonly crypto: Crypto;
  /** Holds the issuers, in the role `voucher-issuer`. */
  readonly trust: TrustStore;
  /** Keys, of any role, whose signatures are no longer good: those of the gate's policy. */
  readonly revokedKeys: ReadonlySet<KeyId>;
  readonly nonces: NonceStore;
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** What a voucher is to be used for. */
export interface VoucherUse {
  /** SHA-256 of the module that is to run. */
  readonly artifactHash: Sha256;
  /** The key id of the environment where it is to run. */
  readonly environment: KeyId;
}

/** Says why a check fails; `undefined` means that it holds. */
type Check<Asked> = (
  voucher: FuelVoucher,
  asked: Asked,
  environment: VoucherEnvironment,
) => string | undefined | Promise<string | undefined>;

/** The checks in order, one named function each; without what it asks of the use, one is not made. */
const CHECKS: readonly (readonly [
  code: VoucherCheckCode,
  asks: keyof VoucherUse | undefined,
  check: Check<string>,
])[] = [
  ['expiry', undefined, checkExpiry],
  ['environment', 'environment', checkEnvironment],
  ['artifact', 'artifactHash', checkArtifact],
  ['issuer', undefined, checkIssuer],
  ['signature', undefined, checkSignature],
  ['spent', undefined, checkSpent],
];

/**
 * Makes the checks of {@link VOUCHER_CHECK_CODES} in order and stops at the first that fails, which is
 * the last one answered. Spends nothing.
 * @param use what is left out of it is not checked, and has no answer.
 * @throws {InputError} `unreadable` when the nonces cannot be read.
 */
export function verifyVoucher(
  environment: VoucherEnvironment,
  voucher: FuelVoucher,
  use: Partial<VoucherUse>,
): Promise<readonly VoucherCheck[]> {
  return runChecks(CHECKS, environment, voucher, use);
}

/** The checks that come before a voucher is spent. Errors as {@link verifyVoucher}. */
export function verifyUnspent(
  environment: VoucherEnvironment,
  voucher: FuelVoucher,
  use: VoucherUse,
): Promise<readonly VoucherCheck[]> {
  return runChecks(CHECKS.slice(0, -1), environment, voucher, use);
}

/** What is spent of a voucher. */
export function nonceOf({ issuer, nonce }: FuelVoucher): IssuedNonce {
  return { issuer, nonce };
}

async function runChecks(
  checks: typeof CHECKS,
  environment: VoucherEnvironment,
  voucher: FuelVoucher,
  use: Partial<VoucherUse>,
): Promise<readonly VoucherCheck[]> {
  const results: VoucherCheck[] = [];
  for (const [code, asks, check] of checks) {
    const asked = asks === undefined ? '' : use[asks];
    if (asked === undefined) continue;
    const detail = await check(voucher, asked, environment);
    if (detail !== undefined) {
      results.push({ code, ok: false, detail });
      break;
    }
    results.push({ code, ok: true });
  }
  return results;
}

function checkExpiry({ expiry }: FuelVoucher, _: string, { now }: VoucherEnvironment) {
  // Written so that a clock that answers no number lets nothing pass.
  return now() < expiry * 1000
    ? undefined
    : `it expired at ${new Date(expiry * 1000).toISOString().replace('.000Z', 'Z')}`;
}

function checkEnvironment({ environment }: FuelVoucher, here: string) {
  return environment === here
    ? undefined
    : `it is for environment ${shortHash(environment)}…, this one is ${shortHash(here)}…`;
}

function checkArtifact({ artifactHash }: FuelVoucher, artifact: string) {
  return artifactHash === artifact
    ? undefined
    : `it is for the module ${shortHash(artifactHash)}…, this one is ${shortHash(artifact)}…`;
}

function checkIssuer({ issuer }: FuelVoucher, _: string, environment: VoucherEnvironment) {
  const problem = checkTrusted(issuer, 'voucher-issuer', environment);
  if (problem !== undefined) return problem;
  return environment.revokedKeys.has(issuer)
    ? `the policy revokes the issuer's key ${shortHash(issuer)}…`
    : undefined;
}

function checkSignature(voucher: FuelVoucher, _: string, { trust, crypto }: VoucherEnvironment) {
  const trusted = trust.find(voucher.issuer, 'voucher-issuer');
  return trusted &&
    crypto.verify(trusted.key, voucherMessage(voucher), voucherSignature(voucher)) === true
    ? undefined
    : `the signature of voucher-issuer ${shortHash(voucher.issuer)}… does not verify`;
}

async function checkSpent(voucher: FuelVoucher, _: string, { nonces }: VoucherEnvironment) {
  return (await nonces.isSpent(nonceOf(voucher), voucher.expiry)) === false ? undefined : SPENT;
}

/** Why a voucher is refused whose nonce was spent. */
export const SPENT = 'it was spent already; a voucher pays for one run';
