import type { Crypto } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes } from '../encoding/json.ts';
import type { Admission, AdmittedExecutor, Gate } from '../gate/admit.ts';
import { Cursor } from '../module/cursor.ts';
import { SECTION } from '../module/sections.ts';
import { readLayout } from '../module/walker.ts';
import { uuidV8 } from '../provenance/run-id.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../runtime/types.ts';
import { spendTrytetVoucher, type TrytetVoucherEnvironment } from '../voucher/verify-trytet.ts';
import { refusalOf } from './refusals.ts';
import type { TrytetRequest } from './request.ts';
import {
  crash,
  refusedResult,
  type TrytetCrashed,
  type TrytetResult,
  type TrytetRun,
  type TrytetStatus,
  trytetResult,
} from './result.ts';

/** Whether Trytet vouchers count here, and whether a request needs one. */
export type TrytetVouchers =
  | { readonly accepted: 'never' }
  | ({ readonly accepted: 'if-present' | 'required' } & TrytetVoucherEnvironment);

/** What Trytet requests are run by. */
export interface TrytetServices {
  readonly crypto: Crypto;
  /** Admits modules as tier 2, by static analysis; its policy must allow that tier. */
  readonly gate: Gate;
  /**
   * Runs an admitted executor: `runExecutor` in some isolation or, so that the run leaves a receipt,
   * `governedRun`.
   */
  readonly run: (
    executor: AdmittedExecutor,
    request: {
      readonly input: Record<string, never>;
      readonly limits: RunLimits;
      readonly entry: string;
    },
  ) => Promise<TrytetRun>;
  readonly vouchers: TrytetVouchers;
  /** The limits that a request does not state. */
  readonly limits?: Omit<RunLimits, 'fuel' | 'memoryPages'>;
  /** Microseconds from any moment on: the only clock, for `execution_duration_us`. */
  readonly clock: () => number;
}

const PAGES_PER_MB = 16;
/** 4 GiB, all that a memory with addresses of 32 bits can have. */
const MAX_PAGES = 65_536;
const KB_PER_PAGE = 64;

/**
 * Runs a Trytet request with a pure module: through the gate (tier 2), its voucher spent, on a fresh
 * instance with `allocated_fuel` units of fuel and 16 pages of memory for each MB. The input document is
 * empty, because Trytet has none; the entry is `plan` unless another is named. Whatever is asked for
 * beyond that, or is wrong with module or voucher, is a `Crash` that says so, and nothing ran. A voucher
 * is spent only on a module that was admitted.
 * @param asked as `parseTrytetRequest` made it.
 * @throws {InputError} as `NonceStore.spend`: nothing ran; and whatever `services.run` throws.
 */
export async function runTrytetRequest(
  services: TrytetServices,
  asked: TrytetRequest,
): Promise<TrytetResult> {
  const { crypto, clock } = services;
  const request = { ...asked }; // each field read once: what was looked at is what runs
  const tet_id = tetId(crypto, request);
  const refused = refusalOf(request);
  if (refused !== undefined) return refusedResult(tet_id, refused);
  const { payload } = request;
  if (payload === undefined) return refusedResult(tet_id, missingPayload(request));
  const admission = admit(services.gate, payload);
  if ('Crash' in admission) return refusedResult(tet_id, admission);
  const unpaid = await pay(services.vouchers, request);
  if (unpaid !== undefined) return refusedResult(tet_id, unpaid);
  const begun = clock();
  const run = await services.run(admission.executor, {
    input: {},
    limits: limitsOf(services, request),
    entry: request.target_function ?? 'plan',
  });
  return trytetResult(run, {
    tet_id,
    memory_used_kb: declaredPages(payload) * KB_PER_PAGE,
    execution_duration_us: Math.max(0, Math.round(clock() - begun)),
  });
}

/** A UUIDv8 of the hash of the canonical form of all that was asked, the payload by its own hash. */
function tetId(crypto: Crypto, request: TrytetRequest): string {
  const payload = request.payload === undefined ? null : crypto.sha256(request.payload);
  const asked: unknown = JSON.parse(
    JSON.stringify({ ...request, payload }, (_, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    ),
  );
  return uuidV8(crypto.sha256(canonicalBytes(asked)));
}

function missingPayload({ alias }: TrytetRequest): TrytetStatus {
  return alias === undefined
    ? crash('engine_spawn', 'there is no "payload": nothing to run')
    : crash(
        'alias_not_found',
        `there is no "payload", and no module is known here as "${displayText(alias, 80)}"`,
      );
}

function admit(
  gate: Gate,
  bytes: Uint8Array,
): Extract<Admission, { admitted: true }> | TrytetCrashed {
  try {
    const admission = gate.admit({ bytes, tier: 2 });
    if (admission.admitted) return admission;
    const { failed, detail } = admission;
    return crash('security_violation', `the gate refused the module: ${failed}: ${detail}`);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return crash('engine_spawn', error.message, error.offset);
  }
}

/** Spends the voucher where one is needed or given; says why the request is not paid for. */
async function pay(
  vouchers: TrytetVouchers,
  { voucher }: TrytetRequest,
): Promise<TrytetStatus | undefined> {
  if (voucher === undefined) {
    return vouchers.accepted === 'required'
      ? crash('EconomicViolation', 'there is no "voucher", and one is required here')
      : undefined;
  }
  // Not run for free either: whoever sends a voucher believes the run to be bounded by it.
  if (vouchers.accepted === 'never') {
    return crash('EconomicViolation', 'Trytet vouchers are not accepted here; leave "voucher" out');
  }
  const spending = await spendTrytetVoucher(vouchers, voucher);
  return spending.spent
    ? undefined
    : crash('EconomicViolation', `the voucher is refused: ${spending.failed}: ${spending.detail}`);
}

function limitsOf(
  { limits = DEFAULT_LIMITS }: TrytetServices,
  { allocated_fuel, max_memory_mb }: TrytetRequest,
): RunLimits {
  return {
    ...limits,
    fuel: Number(allocated_fuel), // no more than 2^53, as `refusalOf` has seen to
    memoryPages: Math.min(max_memory_mb * PAGES_PER_MB, MAX_PAGES),
  };
}

/** Pages that a module's own memories have from the start (core specification 5.5.8). */
function declaredPages(bytes: Uint8Array): number {
  const section = readLayout(bytes).sections.find(({ id }) => id === SECTION.memory);
  if (section === undefined) return 0;
  const cursor = new Cursor(bytes, section.offset, section.offset + section.size);
  let pages = 0;
  for (let count = cursor.u32(); count > 0 && cursor.ok; count--) {
    const flags = cursor.byte();
    pages += Number(cursor.u64());
    if ((flags & 1) !== 0) cursor.skipNumber();
  }
  return pages;
}
