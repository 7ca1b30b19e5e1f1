import type { Features } from './features.ts';
import { ACCESSES } from './memory.ts';
import { OP } from './opcodes.ts';
import { SIMPLE } from './simple-instructions.ts';

const { try: legacyTry, catch: legacyCatch, rethrow, delegate, catchAll, ...rest } = OP;
const { tryTable, throwRef, throw: raise, ...others } = rest;
const LEGACY = [legacyTry, legacyCatch, rethrow, delegate, catchAll];
const GC_PREFIX = 0xfb;

/** Whether an opcode is of typed references, structs or arrays. */
function isAggregate(code: number): boolean {
  const typed: readonly number[] = [OP.callRef, OP.returnCallRef, OP.refEq, OP.refAsNonNull];
  const branches: readonly number[] = [OP.brOnNull, OP.brOnNonNull];
  return Math.floor(code / 0x1000) === GC_PREFIX || typed.includes(code) || branches.includes(code);
}

/** Every opcode that modules of these features can have, but atomics and relaxed vectors. */
export function opcodesOf(features: Features): ReadonlySet<number> {
  const codes = [...SIMPLE, ...ACCESSES].map(({ code }) => code);
  for (const code of Object.values(others)) {
    if (features.gc || !isAggregate(code)) codes.push(code);
  }
  if (features.legacyExceptions) codes.push(...LEGACY);
  if (features.exnref) codes.push(tryTable, throwRef);
  if (features.legacyExceptions || features.exnref) codes.push(raise);
  return new Set(codes);
}
