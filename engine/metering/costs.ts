// The one table of what instructions cost, in units of fuel. One unit is about one simple
// instruction. Any change of a number here is a new version: receipts name the version, and the same
// module, input and limit use the same fuel under it everywhere.

/** Names the table below; receipts state it beside the fuel used. */
export const FUEL_SCHEDULE = 'fuel/1';

/** What is paid by size, before the work is done. Sizes are cut to what is there to work on. */
export const BY_SIZE = Object.freeze({
  /** memory.fill, memory.copy, memory.init: bytes for one unit, as a shift. */
  memoryShift: 3,
  /** table.fill, table.copy, table.init, table.grow: units for an element. */
  tableElement: 8,
  /** array.new…, array.fill, array.copy, array.init…: units for a byte, so that fuel bounds the heap. */
  arrayByte: 1,
  /** struct.new…: units for a field; array.new_fixed: for an element. */
  field: 16,
  /** memory.grow: units for a page of 64 KiB. */
  page: 1024,
  /** Host functions: bytes of arguments and answers for one unit, as a shift. */
  hostShift: 3,
  /** An active data segment at instantiation: bytes for one unit, as a shift. */
  dataShift: 3,
  /** An active element segment at instantiation: units for an element. */
  segmentElement: 8,
});

/** A call that reaches the host: it crosses over and back. The host charges it, and bytes besides. */
export const HOST_CALL = 500;

/**
 * What every call pays ahead for the function called: one that is left again before it has spent this
 * much, without a loop or a call of its own, charges nothing itself.
 */
export const PREPAID = 16;

/** The host's call of the entry function: it pays ahead like every call. */
export const ENTRY_CALL = 4 + PREPAID;

type Cost = readonly [first: number, last: number, units: number];

function table(size: number, exceptions: readonly Cost[]): Uint16Array {
  const costs = new Uint16Array(size).fill(1);
  for (const [first, last, units] of exceptions) costs.fill(units, first, last + 1);
  return costs;
}

/** Opcodes of one byte. Markers of structure cost nothing; what is not named costs 1. */
const PLAIN = table(256, [
  [0x00, 0x03, 0], // unreachable, nop, block, loop
  [0x05, 0x07, 0], // else, try, catch
  [0x08, 0x0a, 256], // throw, rethrow, throw_ref: engines unwind slowly
  [0x0b, 0x0b, 0], // end
  [0x0e, 0x0e, 2], // br_table
  [0x10, 0x10, 4 + PREPAID], // call
  [0x11, 0x11, 8 + PREPAID], // call_indirect
  [0x12, 0x12, 4 + PREPAID], // return_call
  [0x13, 0x15, 8 + PREPAID], // return_call_indirect, call_ref, return_call_ref
  [0x18, 0x1a, 0], // delegate, catch_all, drop
  [0x1f, 0x1f, 0], // try_table
  [0x26, 0x26, 16], // table.set
  [0x40, 0x40, 512], // memory.grow
  [0x6d, 0x70, 8], // i32.div, i32.rem
  [0x7f, 0x82, 8], // i64.div, i64.rem
  [0x91, 0x91, 4], // f32.sqrt
  [0x95, 0x95, 4], // f32.div
  [0x9f, 0x9f, 4], // f64.sqrt
  [0xa3, 0xa3, 4], // f64.div
]);

/** Opcodes with prefix 0xfb. */
const GC = table(32, [
  [0, 1, 32], // struct.new…
  [6, 10, 32], // array.new…
  [16, 19, 8], // array.fill, array.copy, array.init…
  [20, 25, 4], // ref.test, ref.cast, br_on_cast…
]);

/** Opcodes with prefix 0xfc. */
const MISC = table(32, [
  [8, 8, 16], // memory.init
  [10, 12, 16], // memory.copy, memory.fill, table.init
  [14, 14, 16], // table.copy
  [15, 15, 512], // table.grow
  [17, 17, 16], // table.fill
]);

const VECTOR = 2;
const ATOMIC = 8;

/** The fixed cost of an instruction; what it pays by size comes on top. */
export function costOf(code: number): number {
  switch (code >>> 16) {
    case 0:
      return PLAIN[code] ?? 1;
    case 0xfb:
      return GC[code & 0xffff] ?? 1;
    case 0xfc:
      return MISC[code & 0xffff] ?? 1;
    case 0xfd:
      return VECTOR;
    default:
      return ATOMIC;
  }
}
