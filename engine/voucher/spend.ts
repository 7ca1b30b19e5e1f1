import { isKeyId, isSha256 } from '../crypto/crypto.ts';
import {
  nonceOf,
  SPENT,
  type VoucherCheck,
  type VoucherCheckCode,
  type VoucherEnvironment,
  type VoucherUse,
  verifyUnspent,
} from './verify.ts';
import { type FuelVoucher, parseVoucher, serializeVoucher } from './voucher.ts';

/** What came of spending a voucher; `checks` are those that were made, the last one failed if refused. */
export type Spending =
  | {
      readonly spent: true;
      /** The fuel that the run may use, in whole units. */
      readonly fuel: number;
      readonly checks: readonly VoucherCheck[];
    }
  | {
      readonly spent: false;
      readonly failed: VoucherCheckCode;
      readonly detail: string;
      readonly checks: readonly VoucherCheck[];
    };

/**
 * Verifies a voucher for one use and spends its nonce: of all who try, one may run. To be called after
 * the gate has admitted the module, so that no voucher is lost on one that is refused, and before
 * anything of it runs. Whoever gets another answer than `spent: true`, or none, runs nothing.
 * @throws {InputError} `invalid-voucher` for an object that is no voucher; as `NonceStore.spend`.
 * @throws {TypeError} for a use that names no module or no environment.
 */
export async function spendVoucher(
  environment: VoucherEnvironment,
  voucher: FuelVoucher,
  { artifactHash, environment: here }: VoucherUse,
): Promise<Spending> {
  if (!isSha256(artifactHash) || !isKeyId(here)) {
    throw new TypeError('a voucher is spent on a module in an environment: both are expected');
  }
  // A copy of its own, in exact types: what is checked is what is spent.
  const own = parseVoucher(serializeVoucher(voucher), 'the voucher');
  const checks = await verifyUnspent(environment, own, { artifactHash, environment: here });
  const failed = checks.find((check) => !check.ok);
  if (failed !== undefined) {
    return { spent: false, failed: failed.code, detail: failed.detail ?? '', checks };
  }
  if ((await environment.nonces.spend(nonceOf(own), own.expiry)) !== 'fresh') {
    const last = { code: 'spent', ok: false, detail: SPENT } as const;
    return { spent: false, failed: 'spent', detail: SPENT, checks: [...checks, last] };
  }
  return { spent: true, fuel: own.fuel, checks: [...checks, { code: 'spent', ok: true }] };
}
