// How an executor is run: what its project says, and what is asked for beside it.

import { InputError } from '../../encoding/input-error.ts';
import type { GovernancePolicy } from '../../governance/policy-file.ts';
import { cappedTrust } from '../../governance/trust.ts';
import type { Policy } from '../../governance/types.ts';
import type { Manifest } from '../../project/manifest.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../runtime/types.ts';
import type { Capability } from '../../whitelist/directives.ts';
import type { Subject } from './subject.ts';

/**
 * What governance decides by: the project's trust as far as it is accepted here, its capabilities, and
 * what is granted.
 */
export function policyOf(
  { manifest }: Pick<Subject, 'manifest'>,
  { trustCeiling }: Pick<GovernancePolicy, 'trustCeiling'>,
  grants: ReadonlySet<Capability> = NO_GRANTS,
): Policy {
  return {
    trust: cappedTrust(manifest?.trust ?? 'untrusted', trustCeiling),
    declared: manifest?.capabilities ?? [],
    grants,
  };
}

const NO_GRANTS: ReadonlySet<Capability> = new Set();

/** Limits that are asked for, in place of the project's. */
export interface AskedLimits {
  readonly fuel?: number | undefined;
  readonly timeoutMs?: number | undefined;
}

/** The project's limits, or the default ones, with those that are asked for. */
export function limitsOf(
  { manifest }: Pick<Subject, 'manifest'>,
  { fuel, timeoutMs }: AskedLimits,
): RunLimits {
  return {
    ...(manifest?.limits ?? DEFAULT_LIMITS),
    ...(fuel !== undefined && { fuel }),
    ...(timeoutMs !== undefined && { timeoutMs }),
  };
}

/** What a project says of how its executor runs, beside its limits. */
export function projectSettings({ entry, memoryProfile, budget }: Manifest) {
  return { entry, memoryProfile, budget };
}

/** An error of a run that came to its end, as told to a person: without its receipt it counts for nothing. */
export function withoutReceipt(error: unknown): unknown {
  if (!(error instanceof InputError) || error.code !== 'unwritable') return error;
  const message = `nothing of this run is acknowledged, for its receipt was not written: ${error.message}`;
  return new InputError('unwritable', message, { cause: error });
}
