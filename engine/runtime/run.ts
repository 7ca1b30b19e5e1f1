import { InputError } from '../encoding/input-error.ts';
import type { JsonValue } from '../encoding/json.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import {
  budgetExhausted,
  type Clock,
  checkBudget,
  guestBudgetExhausted,
  NO_BUDGET,
  type PhaseBudget,
  withGuestShare,
} from './budget.ts';
import { InputDocument } from './input.ts';
import type { Isolation } from './isolation.ts';
import { createJob, isJob, type StateJob } from './job.ts';
import { checkLimits } from './limits.ts';
import { type MemoryProfile, PROFILE_PAGES } from './profiles.ts';
import { type ProgramSettings, prepareProgram } from './program.ts';
import { hostCrashed, interrupted } from './settle.ts';
import { readState } from './state.ts';
import type { Outcome, RunLimits } from './types.ts';

export interface RunRequest {
  /** `{ step_config?, context? }`, as `inputBytes` takes it, or already read. */
  readonly input: JsonValue | InputDocument;
  readonly limits: RunLimits;
  /** Fixes the memory at the pages of a profile, in place of `limits.memoryPages`. */
  readonly memoryProfile?: MemoryProfile | undefined;
  /** The exported function of type `() -> ()` to call: `plan` unless another is named. */
  readonly entry?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Makes the run stateful: it begins with a state, and leaves one in its outcome if it ends `ok`. */
  readonly state?: StateJob | undefined;
  /** Shares of the phases; those of `govern` and `record` are for whoever governs and records. */
  readonly budget?: PhaseBudget | undefined;
  /** Measures what the phases take. */
  readonly now?: Clock | undefined;
}

/**
 * Runs an admitted executor once, on a fresh instance (DESIGN 7). However the run ends, and
 * whatever the executor does, the answer is an outcome.
 * @throws {AdmissionError} for an object the gate did not make, or an admission that no longer holds.
 * @throws {InputError} `invalid-json` for an input that is no input document, `invalid-snapshot` for
 *   bytes that are no state.
 * @throws {RangeError} for a limit or a share that is not a whole number.
 */
export async function runExecutor(
  executor: AdmittedExecutor,
  {
    input,
    limits,
    memoryProfile,
    entry = 'plan',
    signal,
    state,
    budget = NO_BUDGET,
    now,
  }: RunRequest,
  isolation: Isolation,
): Promise<Outcome> {
  const shares = checkBudget(budget, now);
  const began = now?.() ?? 0;
  const checked = withGuestShare(checkLimits(limits), shares);
  const { bytes } = input instanceof InputDocument ? input : new InputDocument(input);
  if (state?.before !== undefined) readState(state.before);
  const settings = { memoryProfile, stateful: state !== undefined };
  const job = createJob(executor, {
    settings,
    input: bytes,
    limits: withProfile(checked, memoryProfile),
    entry,
    ...(state !== undefined && { state }),
  });
  if (!isJob(job)) return interrupted('trap', job, checked);
  if (shares.gate !== undefined && (now?.() ?? 0) - began > shares.gate) {
    return interrupted('timeout', budgetExhausted('gate', shares.gate), checked);
  }
  const outcome = await isolation.execute(job, { timeoutMs: checked.timeoutMs, signal });
  const told = inOriginal(outcome, executor, settings);
  const named = checked.timeoutMs < limits.timeoutMs ? inItsPhase(told, checked.timeoutMs) : told;
  return isAsAsked(named, state !== undefined)
    ? named
    : hostCrashed('it answered no state of the executor, or one that nobody asked for', checked, [
        'gate',
      ]);
}

/** A run that its budget ended says in which phase. */
function inItsPhase(outcome: Outcome, share: number): Outcome {
  if (outcome.status !== 'timeout') return outcome;
  const phase = outcome.completed.includes('instantiate') ? 'plan' : 'instantiate';
  return { ...outcome, problem: guestBudgetExhausted(phase, share) };
}

/** What a place where guests run says of a state is believed when it is one, and was asked for. */
function isAsAsked({ status, state }: Outcome, isStateful: boolean): boolean {
  if (state === undefined) return !isStateful || status !== 'ok';
  if (!isStateful) return false;
  try {
    readState(state);
    return true;
  } catch (error) {
    if (error instanceof InputError) return false;
    throw error;
  }
}

/** A profile's memory is all there from the start, and is all that there is. */
function withProfile(limits: RunLimits, profile: MemoryProfile | undefined): RunLimits {
  return profile === undefined ? limits : { ...limits, memoryPages: PROFILE_PAGES[profile] };
}

/** Places are told in the module that the author has. */
function inOriginal(
  outcome: Outcome,
  executor: AdmittedExecutor,
  settings: ProgramSettings,
): Outcome {
  const { problem } = outcome;
  if (problem?.offset === undefined) return outcome;
  const { offset: metered, ...rest } = problem;
  const prepared = prepareProgram(executor, settings);
  const offset = 'program' in prepared ? prepared.originalOffset(metered) : undefined;
  return { ...outcome, problem: offset === undefined ? rest : { ...rest, offset } };
}
