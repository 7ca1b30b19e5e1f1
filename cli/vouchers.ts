import type { KeyId, Sha256 } from '../engine/crypto/crypto.ts';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { isJsonObject, parseJson } from '../engine/encoding/json.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { readFileBounded } from '../engine/platform/node/files.ts';
import { fileNonceStore } from '../engine/platform/node/nonce-store.ts';
import type { NonceStore } from '../engine/voucher/nonce-store.ts';
import { spendVoucher } from '../engine/voucher/spend.ts';
import {
  MAX_TRYTET_VOUCHER_BYTES,
  parseTrytetVoucher,
  type TrytetVoucher,
} from '../engine/voucher/trytet-voucher.ts';
import type { VoucherCheckCode, VoucherEnvironment } from '../engine/voucher/verify.ts';
import { spendTrytetVoucher, type TrytetCheckCode } from '../engine/voucher/verify-trytet.ts';
import { type FuelVoucher, parseVoucher } from '../engine/voucher/voucher.ts';
import type { GateOptions } from './options.ts';
import { loadPolicy, loadTrustStore, workspaceFile } from './workspace.ts';

/** A voucher file, in the layout that it is written in. */
export type VoucherFile =
  | { readonly layout: 'touchstone'; readonly voucher: FuelVoucher }
  | { readonly layout: 'trytet'; readonly voucher: TrytetVoucher };

/**
 * Reads a voucher file of either layout.
 * @throws {InputError} for a file that cannot be read or is no voucher.
 */
export async function readVoucherFile(path: string): Promise<VoucherFile> {
  const bytes = await readFileBounded(path, MAX_TRYTET_VOUCHER_BYTES, 'a voucher');
  const name = displayText(path, 500);
  const document = parseJson(bytes, name);
  const isTrytet = isJsonObject(document) && Object.hasOwn(document, 'agent_id');
  return isTrytet
    ? { layout: 'trytet', voucher: parseTrytetVoucher(bytes, name) }
    : { layout: 'touchstone', voucher: parseVoucher(bytes, name) };
}

/** Where this workspace remembers which vouchers were spent in it. */
export function workspaceNonces(): NonceStore {
  return fileNonceStore(nodeCrypto, workspaceFile('nonces'));
}

/** Everything that vouchers are judged by here. */
export async function voucherEnvironment({
  trust,
  policy,
}: Pick<GateOptions, 'trust' | 'policy'>): Promise<VoucherEnvironment> {
  const { revokedKeys } = (await loadPolicy(policy)).gate;
  return {
    crypto: nodeCrypto,
    trust: await loadTrustStore(trust),
    revokedKeys,
    nonces: workspaceNonces(),
    now: Date.now,
  };
}

/** A run that is to be paid for by a voucher. */
export interface RunToPay extends Pick<GateOptions, 'trust' | 'policy'> {
  /** The voucher's file. */
  readonly file: string;
  /** SHA-256 of the module that was admitted. */
  readonly artifactHash: Sha256;
  /** The key id of the environment that runs it, which signs the receipt. */
  readonly environment: KeyId;
  /** The fuel limit without a voucher: manifest, default or `--fuel`. The voucher can only lower it. */
  readonly fuel: number;
  /**
   * The provider that this place is, where Trytet vouchers are accepted. Without it they are refused,
   * because they name no module.
   */
  readonly trytetProvider?: string;
}

/** Whether a run is paid for. */
export type Payment =
  | {
      readonly paid: true;
      /** The fuel limit of the run, in whole units. */
      readonly fuel: number;
    }
  | {
      readonly paid: false;
      /** The check that failed, for `problem.code` of a report. */
      readonly failed: VoucherCheckCode | TrytetCheckCode;
      readonly detail: string;
    };

/**
 * Spends the voucher of one run, for `run --voucher FILE`: call it when the gate has admitted the
 * executor and everything else that could stop the run has been looked at, and run with `fuel` only
 * where it answers `paid: true`. Another answer, or none, runs nothing. The voucher is spent whatever
 * then becomes of the run.
 * @throws {InputError} for a voucher, trust store or policy that cannot be read, a Trytet voucher where
 * none is accepted, and when it cannot be remembered that the voucher was spent.
 */
export async function spendForRun(run: RunToPay): Promise<Payment> {
  const read = await readVoucherFile(run.file);
  const { trust, ...environment } = await voucherEnvironment(run);
  await environment.nonces.prune(Math.floor(environment.now() / 1000));
  if (read.layout === 'touchstone') {
    const spending = await spendVoucher({ ...environment, trust }, read.voucher, run);
    return spending.spent
      ? { paid: true, fuel: Math.min(spending.fuel, run.fuel) }
      : unpaid(spending);
  }
  if (run.trytetProvider === undefined) {
    throw new InputError(
      'invalid-voucher',
      `${displayText(run.file, 500)} is a Trytet voucher, which names no module; none is accepted here`,
    );
  }
  const spending = await spendTrytetVoucher(
    { ...environment, provider: run.trytetProvider, agents: trust },
    read.voucher,
  );
  if (!spending.spent) return unpaid(spending);
  return { paid: true, fuel: spending.fuel < run.fuel ? Number(spending.fuel) : run.fuel };
}

function unpaid({ failed, detail }: Omit<Payment & { readonly paid: false }, 'paid'>): Payment {
  return { paid: false, failed, detail };
}
