import { MAX_VOUCHER_FUEL } from '../voucher/voucher.ts';
import type { TrytetRequest } from './request.ts';
import { crash, type TrytetStatus } from './result.ts';

/** A run that stands this deep below others is refused, as Trytet does. */
export const MAX_CALL_DEPTH = 5;

/** Says how a request is refused; `undefined` means that it is not. */
type Refusal = (request: TrytetRequest) => TrytetStatus | undefined;

/** What is refused of a request before its module is looked at, in this order. */
const REFUSALS: readonly Refusal[] = [
  refuseDepth,
  refuseSnapshot,
  refuseManifest,
  refuseEnvironment,
  refuseFiles,
  refuseNetwork,
  refuseFuel,
];

/**
 * How a request is refused that asks for more than a pure module can be given, or `undefined`. What
 * could not be honoured is never left out in silence.
 */
export function refusalOf(request: TrytetRequest): TrytetStatus | undefined {
  for (const refuse of REFUSALS) {
    const refused = refuse(request);
    if (refused !== undefined) return refused;
  }
  return undefined;
}

function refuseDepth({ call_depth }: TrytetRequest) {
  return call_depth < MAX_CALL_DEPTH
    ? undefined
    : crash(
        'mesh_execution_failed',
        `"call_depth" is ${call_depth}; less than ${MAX_CALL_DEPTH} is allowed`,
      );
}

function refuseSnapshot({ parent_snapshot_id }: TrytetRequest) {
  return parent_snapshot_id === undefined
    ? undefined
    : crash(
        'engine_spawn',
        '"parent_snapshot_id" names a snapshot; every run here begins anew, so leave it out',
      );
}

function refuseManifest({ manifest }: TrytetRequest) {
  return isEmpty(manifest)
    ? undefined
    : crash('engine_spawn', '"manifest" is not read here, so nothing runs by it; leave it out');
}

function refuseEnvironment({ env }: TrytetRequest) {
  return isEmpty(env)
    ? undefined
    : crash('security_violation', '"env" is not empty; a pure module has no environment variables');
}

function refuseFiles({ injected_files }: TrytetRequest) {
  return isEmpty(injected_files)
    ? undefined
    : crash('security_violation', '"injected_files" is not empty; a pure module has no files');
}

function refuseNetwork({ egress_policy }: TrytetRequest) {
  return isEmpty(egress_policy)
    ? undefined
    : crash('security_violation', '"egress_policy" is not empty; a pure module has no network');
}

function refuseFuel({ allocated_fuel, voucher }: TrytetRequest): TrytetStatus | undefined {
  if (allocated_fuel === 0n) return 'OutOfFuel';
  if (allocated_fuel > MAX_VOUCHER_FUEL) {
    return crash(
      'EconomicViolation',
      `"allocated_fuel" is ${allocated_fuel}; a run can have ${MAX_VOUCHER_FUEL} at most`,
    );
  }
  return voucher === undefined || allocated_fuel <= voucher.fuel_limit
    ? undefined
    : crash(
        'EconomicViolation',
        `"allocated_fuel" is ${allocated_fuel}; the voucher pays for ${voucher.fuel_limit}`,
      );
}

/** Absent, or an object without a field. */
function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length === 0;
}
