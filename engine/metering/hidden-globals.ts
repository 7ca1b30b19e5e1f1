import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';
import type { FixedPlan } from './fixed-memory.ts';
import { OP } from './opcodes.ts';
import { I32, I64 } from './value-types.ts';

const MUTABLE = 1;

/** Indices of what the rewriting adds to the module. */
export interface HiddenGlobals {
  /** Fuel that is left: i64. */
  readonly fuel: number;
  /** Stack that is left, in units of 8 bytes: i32. */
  readonly stack: number;
  /** Pages that memories may still grow by: i64. */
  readonly pagesLeft: number;
  /** Elements that tables may still grow by: i64. */
  readonly elementsLeft: number;
  /** The pages that the guest believes its memory has, where its memory is fixed. */
  readonly fixedPages: number | undefined;
}

/** The indices of the globals that metering appends behind the module's own. */
export function hiddenGlobals(
  { globals }: Declarations,
  memory: FixedPlan | undefined,
): HiddenGlobals {
  const count = globals.length;
  return {
    fuel: count,
    stack: count + 1,
    pagesLeft: count + 2,
    elementsLeft: count + 3,
    fixedPages: memory === undefined ? undefined : count + 4,
  };
}

/** Their entries in the global section (5.5.9): nothing may be used until the host sets them. */
export function globalEntries(memory: FixedPlan | undefined): Uint8Array[] {
  const zero = Uint8Array.of(I64, MUTABLE, OP.i64Const, 0, OP.end);
  const entries = [zero, Uint8Array.of(I32, MUTABLE, OP.i32Const, 0, OP.end), zero, zero];
  if (memory !== undefined) {
    const entry = new ByteWriter(16);
    entry.bytes([I32, MUTABLE, OP.i32Const]);
    entry.signed(memory.initial);
    entry.byte(OP.end);
    entries.push(entry.take());
  }
  return entries;
}
