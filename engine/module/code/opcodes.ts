// Which immediates follow an opcode (core specification 3.0, 5.4, and the legacy exceptions of the
// exception-handling proposal). A number of a table below says how many LEB128 numbers follow; the
// other forms have codes of their own.

/** Forms of immediates that are not a plain count of LEB128 numbers. */
export const FORM = {
  memory: 10,
  block: 11,
  branchTable: 12,
  types: 13,
  tryTable: 14,
  four: 15,
  eight: 16,
  call: 20,
  callIndirect: 21,
  callRef: 22,
  refFunc: 23,
  global: 24,
  table: 25,
  tag: 26,
  memoryIndex: 27,
  prefixGc: 30,
  prefixMisc: 31,
  prefixVector: 32,
  prefixAtomic: 33,
  unknown: 99,
} as const;

type Range = readonly [first: number, last: number, form: number];

function table(size: number, ranges: readonly Range[]): Uint8Array {
  const forms = new Uint8Array(size).fill(FORM.unknown);
  for (const [first, last, form] of ranges) forms.fill(form, first, last + 1);
  return forms;
}

/** Forms of the opcodes of one byte. */
export const FORMS: Uint8Array = table(256, [
  [0x00, 0x01, 0], // unreachable, nop
  [0x02, 0x04, FORM.block], // block, loop, if
  [0x05, 0x05, 0], // else
  [0x06, 0x06, FORM.block], // try (legacy)
  [0x07, 0x08, FORM.tag], // catch (legacy), throw
  [0x09, 0x09, 1], // rethrow (legacy)
  [0x0a, 0x0b, 0], // throw_ref, end
  [0x0c, 0x0d, 1], // br, br_if
  [0x0e, 0x0e, FORM.branchTable],
  [0x0f, 0x0f, 0], // return
  [0x10, 0x10, FORM.call],
  [0x11, 0x11, FORM.callIndirect],
  [0x12, 0x12, FORM.call], // return_call
  [0x13, 0x13, FORM.callIndirect], // return_call_indirect
  [0x14, 0x15, FORM.callRef], // call_ref, return_call_ref
  [0x18, 0x18, 1], // delegate (legacy)
  [0x19, 0x1b, 0], // catch_all (legacy), drop, select
  [0x1c, 0x1c, FORM.types], // select with types
  [0x1f, 0x1f, FORM.tryTable],
  [0x20, 0x22, 1], // local.get, local.set, local.tee
  [0x23, 0x24, FORM.global],
  [0x25, 0x26, FORM.table], // table.get, table.set
  [0x28, 0x3e, FORM.memory],
  [0x3f, 0x40, FORM.memoryIndex], // memory.size, memory.grow
  [0x41, 0x42, 1], // i32.const, i64.const
  [0x43, 0x43, FORM.four],
  [0x44, 0x44, FORM.eight],
  [0x45, 0xc4, 0],
  [0xd0, 0xd0, 1], // ref.null
  [0xd1, 0xd1, 0], // ref.is_null
  [0xd2, 0xd2, FORM.refFunc],
  [0xd3, 0xd4, 0], // ref.eq, ref.as_non_null
  [0xd5, 0xd6, 1], // br_on_null, br_on_non_null
  [0xfb, 0xfb, FORM.prefixGc],
  [0xfc, 0xfc, FORM.prefixMisc],
  [0xfd, 0xfd, FORM.prefixVector],
  [0xfe, 0xfe, FORM.prefixAtomic],
]);

/** How many LEB128 numbers follow the opcodes with prefix 0xfb. */
export const GC_FORMS: Uint8Array = table(32, [
  [0, 1, 1], // struct.new, struct.new_default
  [2, 5, 2], // struct.get…, struct.set
  [6, 7, 1], // array.new, array.new_default
  [8, 10, 2], // array.new_fixed, array.new_data, array.new_elem
  [11, 14, 1], // array.get…, array.set
  [15, 15, 0], // array.len
  [16, 16, 1], // array.fill
  [17, 19, 2], // array.copy, array.init_data, array.init_elem
  [20, 23, 1], // ref.test, ref.cast
  [24, 25, 4], // br_on_cast, br_on_cast_fail: flags, label, two heap types
  [26, 30, 0],
]);

/** How many LEB128 numbers follow the opcodes with prefix 0xfc. */
export const MISC_FORMS: Uint8Array = table(32, [
  [0, 7, 0], // saturating truncations
  [8, 8, 2], // memory.init
  [9, 9, 1], // data.drop
  [10, 10, 2], // memory.copy
  [11, 11, 1], // memory.fill
  [12, 12, 2], // table.init
  [13, 13, 1], // elem.drop
  [14, 14, 2], // table.copy
  [15, 17, 1], // table.grow, table.size, table.fill
]);

/** What follows the vector opcodes (prefix 0xfd): bytes after the memory immediate, if any. */
export function vectorImmediates(code: number): { memory: boolean; bytes: number } | undefined {
  if (code > LAST_RELAXED_SIMD) return undefined;
  if (code <= 11) return VECTOR.memory;
  if (code <= 13) return VECTOR.sixteen; // v128.const, i8x16.shuffle
  if (code >= 21 && code <= 34) return VECTOR.lane;
  if (code >= 84 && code <= 91) return VECTOR.memoryLane;
  if (code === 92 || code === 93) return VECTOR.memory;
  return VECTOR.none;
}

const VECTOR = {
  none: { memory: false, bytes: 0 },
  memory: { memory: true, bytes: 0 },
  lane: { memory: false, bytes: 1 },
  memoryLane: { memory: true, bytes: 1 },
  sixteen: { memory: false, bytes: 16 },
} as const;

export const FIRST_RELAXED_SIMD = 0x100;
export const LAST_RELAXED_SIMD = 0x113;
/** Atomic opcodes (prefix 0xfe): 0 – 2 wait and notify, 3 the fence, then those of memory. */
export const ATOMIC_FENCE = 3;
export const FIRST_ATOMIC_ACCESS = 0x10;
export const LAST_ATOMIC = 0x4e;
