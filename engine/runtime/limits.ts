import { MAX_STACK_UNITS, STACK_UNIT_BYTES } from '../metering/meter.ts';
import type { RunLimits } from './types.ts';

/** The deepest call stack that fits into V8's own, in bytes. */
export const MAX_STACK_BYTES = MAX_STACK_UNITS * STACK_UNIT_BYTES;

/** The longest time that timers of JavaScript engines can wait, in milliseconds. */
const MAX_TIMEOUT = 2_147_483_647;

/**
 * A copy of limits that can be compared against: one that is not a whole number would silently
 * bound nothing.
 * @throws {RangeError} naming the limit and what it is.
 */
export function checkLimits(limits: RunLimits): RunLimits {
  const { fuel, memoryPages, outputBytes, logBytes, directives } = limits;
  const { tableElements, stackBytes, timeoutMs } = limits;
  const copy = {
    ...{ fuel, memoryPages, outputBytes, logBytes, directives },
    ...{ tableElements, stackBytes, timeoutMs },
  };
  for (const [name, value] of Object.entries(copy)) {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new RangeError(`limit "${name}" expected a whole number from 0 up, got ${value}`);
    }
  }
  if (timeoutMs > MAX_TIMEOUT) {
    throw new RangeError(`limit "timeoutMs" expected at most ${MAX_TIMEOUT}, got ${timeoutMs}`);
  }
  if (stackBytes > MAX_STACK_BYTES) {
    throw new RangeError(
      `limit "stackBytes" expected at most ${MAX_STACK_BYTES}, got ${stackBytes}`,
    );
  }
  return Object.freeze(copy);
}
