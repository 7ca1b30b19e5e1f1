import type { Phase, RunLimits, RunProblem } from './types.ts';

/**
 * What each phase of a run may take of the wall clock, in milliseconds. Where a share runs out the run
 * ends as `timeout`, with what is there by then; never a deterministic result. What is left out is
 * bounded by `timeoutMs` alone, as far as the guest goes.
 */
export type PhaseBudget = { readonly [phase in Phase]?: number };

/** Milliseconds of a clock that never goes back, from any moment on. */
export type Clock = () => number;

/** No share for any phase. */
export const NO_BUDGET: PhaseBudget = Object.freeze({});

/**
 * A copy of a budget that can be compared against.
 * @throws {RangeError} for a share that is not a whole number from 0 up, and for a share of a phase
 *   that the caller's clock measures, where there is no clock.
 */
export function checkBudget(budget: PhaseBudget, now: Clock | undefined): PhaseBudget {
  if (budget === NO_BUDGET) return budget;
  const { gate, instantiate, plan, govern, record } = budget;
  const shares = Object.entries({ gate, instantiate, plan, govern, record });
  for (const [phase, share] of shares) {
    if (share === undefined) continue;
    if (!Number.isSafeInteger(share) || share < 0) {
      throw new RangeError(
        `the budget of "${phase}" expected a whole number from 0 up, got ${share}`,
      );
    }
    if (now === undefined && phase !== 'instantiate' && phase !== 'plan') {
      throw new RangeError(`the budget of "${phase}" needs a clock`);
    }
  }
  return Object.freeze(Object.fromEntries(shares.filter(([, share]) => share !== undefined)));
}

/**
 * The limits of a run whose guest has at most the shares of `instantiate` and `plan` together. One
 * clock covers both: a share for `plan` alone is for both, one for `instantiate` alone bounds nothing.
 */
export function withGuestShare(
  limits: RunLimits,
  { instantiate = 0, plan }: PhaseBudget,
): RunLimits {
  if (plan === undefined || instantiate + plan >= limits.timeoutMs) return limits;
  return { ...limits, timeoutMs: instantiate + plan };
}

/** Why a run ended in a phase of the guest, whose phases share one clock. */
export function guestBudgetExhausted(phase: Phase, milliseconds: number): RunProblem {
  return {
    code: 'budget-exhausted',
    message: `the ${milliseconds} ms of wall clock for the phases "instantiate" and "plan" were used up in "${phase}"`,
  };
}

/** Why a run ended whose share for a phase ran out. */
export function budgetExhausted(phase: Phase, share: number): RunProblem {
  return {
    code: 'budget-exhausted',
    message: `the phase "${phase}" used up its ${share} ms of wall clock`,
  };
}
