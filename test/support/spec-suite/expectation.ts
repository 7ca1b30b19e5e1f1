import type { ScriptValue } from './script.ts';
import { isDeterministic, matches } from './values.ts';
import type { Ending, Result } from './world.ts';

/** Whether a call returned what a script expects of it. */
export function returns(ending: Ending, expected: readonly ScriptValue[]): boolean {
  if (ending.kind !== 'returned' || ending.results.length !== expected.length) return false;
  return expected.every((value, i) => isExpected(value, ending.results[i]));
}

function isExpected(expected: ScriptValue, result: Result | undefined): boolean {
  if (result instanceof Uint8Array) return matches(expected, result);
  if (expected.type === 'funcref' && expected.value !== 'null') return result === 'function';
  return expected.value === undefined || result === String(expected.value);
}

/** Whether what the specification leaves open about NaN came out as its deterministic profile says. */
export function returnsDeterministic(ending: Ending, expected: readonly ScriptValue[]): boolean {
  if (ending.kind !== 'returned') return true;
  return expected.every((value, i) => {
    const result = ending.results[i];
    return !(result instanceof Uint8Array) || isDeterministic(value, result);
  });
}

/** Whether two calls ended the same, bit by bit. */
export function sameEnding(one: Ending, other: Ending): boolean {
  if (one.kind === 'returned' && other.kind === 'returned') {
    return one.results.every((result, i) => sameResult(result, other.results[i]));
  }
  if (one.kind === 'trapped' && other.kind === 'trapped') return one.trap === other.trap;
  return one.kind === other.kind;
}

function sameResult(one: Result, other: Result | undefined): boolean {
  if (!(one instanceof Uint8Array) || !(other instanceof Uint8Array)) return one === other;
  return one.every((byte, i) => byte === other[i]);
}

/** The words of scripts for each kind of trap. */
const TRAPS: ReadonlyMap<string, readonly string[]> = new Map([
  ['out of bounds memory access', ['memory access']],
  ['out of bounds table access', ['table access', 'element segment']],
  ['undefined element', ['table access']],
  ['uninitialized element', ['indirect call', 'null', 'table access']],
  ['indirect call type mismatch', ['indirect call']],
  ['integer divide by zero', ['divide by zero']],
  ['integer overflow', ['overflow', 'float conversion']],
  ['invalid conversion to integer', ['float conversion']],
  ['unreachable', ['unreachable']],
]);

/** Whether a trap is the one that the script's words name. */
export function isTrap(trap: string, text: string): boolean {
  const words = text.replace(/ \d+$/, '');
  return TRAPS.get(words)?.includes(trap) ?? trap.startsWith(words.split(' ')[0] ?? '');
}
