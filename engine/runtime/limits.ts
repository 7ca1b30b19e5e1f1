import { MAX_STACK_UNITS, STACK_UNIT_BYTES } from '../metering/meter.ts';
import type { RunLimits } from './types.ts';

/** The deepest call stack that fits into V8's own, in bytes. */
export const MAX_STACK_BYTES = MAX_STACK_UNITS * STACK_UNIT_BYTES;

/** The longest time that timers of JavaScript engines can wait, in milliseconds. */
const MAX_TIMEOUT = 2_147_483_647;

const LIMITS = [
  'fuel',
  'memoryPages',
  'outputBytes',
  'logBytes',
  'directives',
  'tableElements',
  'stackBytes',
  'timeoutMs',
] as const satisfies readonly (keyof RunLimits)[];

/** What {@link checkLimits} answered: frozen, so that it holds for good. */
const checked = new WeakSet<RunLimits>();

/**
 * A copy of limits that can be compared against: one that is not a whole number would silently
 * bound nothing. Limits that were checked are answered as they are.
 * @throws {RangeError} naming the limit and what it is.
 */
export function checkLimits(limits: RunLimits): RunLimits {
  if (checked.has(limits)) return limits;
  const { fuel, memoryPages, outputBytes, logBytes, directives } = limits;
  const { tableElements, stackBytes, timeoutMs } = limits;
  const copy = {
    fuel,
    memoryPages,
    outputBytes,
    logBytes,
    directives,
    tableElements,
    stackBytes,
    timeoutMs,
  };
  for (const name of LIMITS) {
    const value = copy[name];
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
  checked.add(Object.freeze(copy));
  return copy;
}
