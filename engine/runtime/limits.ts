import type { RunLimits } from './types.ts';

/** The longest time that timers of JavaScript engines can wait, in milliseconds. */
const MAX_TIMEOUT = 2_147_483_647;

/**
 * A copy of limits that can be compared against: one that is not a whole number would silently
 * bound nothing.
 * @throws {RangeError} naming the limit and what it is.
 */
export function checkLimits(limits: RunLimits): RunLimits {
  const { fuel, memoryPages, outputBytes, logBytes, directives, timeoutMs } = limits;
  const copy = { fuel, memoryPages, outputBytes, logBytes, directives, timeoutMs };
  for (const [name, value] of Object.entries(copy)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`limit "${name}" expected a whole number from 0 up, got ${value}`);
    }
  }
  if (timeoutMs > MAX_TIMEOUT) {
    throw new RangeError(`limit "timeoutMs" expected at most ${MAX_TIMEOUT}, got ${timeoutMs}`);
  }
  return Object.freeze(copy);
}
