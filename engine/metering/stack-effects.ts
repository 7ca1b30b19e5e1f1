import { InputError } from '../encoding/input-error.ts';

// How many operands instructions take and give (core specification 3.0, appendix "Index of
// Instructions"), for those of which the opcode alone decides it. Written as 16 * taken + given.

type Effect = readonly [first: number, last: number, takenAndGiven: number];

const UNKNOWN = 0xff;

function table(size: number, ranges: readonly Effect[]): Uint8Array {
  const effects = new Uint8Array(size).fill(UNKNOWN);
  for (const [first, last, effect] of ranges) effects.fill(effect, first, last + 1);
  return effects;
}

/** Opcodes of one byte, but for control instructions and calls. */
const PLAIN = table(256, [
  [0x01, 0x01, 0x00], // nop
  [0x1a, 0x1a, 0x10], // drop
  [0x1b, 0x1c, 0x31], // select
  [0x20, 0x20, 0x01], // local.get
  [0x21, 0x21, 0x10], // local.set
  [0x22, 0x22, 0x11], // local.tee
  [0x23, 0x23, 0x01], // global.get
  [0x24, 0x24, 0x10], // global.set
  [0x25, 0x25, 0x11], // table.get
  [0x26, 0x26, 0x20], // table.set
  [0x28, 0x35, 0x11], // loads
  [0x36, 0x3e, 0x20], // stores
  [0x3f, 0x3f, 0x01], // memory.size
  [0x40, 0x40, 0x11], // memory.grow
  [0x41, 0x44, 0x01], // constants
  [0x45, 0x45, 0x11], // i32.eqz
  [0x46, 0x4f, 0x21],
  [0x50, 0x50, 0x11], // i64.eqz
  [0x51, 0x66, 0x21],
  [0x67, 0x69, 0x11], // i32.clz, ctz, popcnt
  [0x6a, 0x78, 0x21],
  [0x79, 0x7b, 0x11], // i64.clz, ctz, popcnt
  [0x7c, 0x8a, 0x21],
  [0x8b, 0x91, 0x11], // f32.abs … sqrt
  [0x92, 0x98, 0x21],
  [0x99, 0x9f, 0x11], // f64.abs … sqrt
  [0xa0, 0xa6, 0x21],
  [0xa7, 0xc4, 0x11], // conversions, sign extensions
  [0xd0, 0xd0, 0x01], // ref.null
  [0xd1, 0xd1, 0x11], // ref.is_null
  [0xd2, 0xd2, 0x01], // ref.func
  [0xd3, 0xd3, 0x21], // ref.eq
  [0xd4, 0xd4, 0x11], // ref.as_non_null
]);

/** Prefix 0xfb, but for struct.new, array.new_fixed and the branches. */
const GC = table(32, [
  [1, 1, 0x01], // struct.new_default
  [2, 4, 0x11], // struct.get…
  [5, 5, 0x20], // struct.set
  [6, 6, 0x21], // array.new
  [7, 7, 0x11], // array.new_default
  [9, 10, 0x21], // array.new_data, array.new_elem
  [11, 13, 0x21], // array.get…
  [14, 14, 0x30], // array.set
  [15, 15, 0x11], // array.len
  [16, 16, 0x40], // array.fill
  [17, 17, 0x50], // array.copy
  [18, 19, 0x40], // array.init_data, array.init_elem
  [20, 23, 0x11], // ref.test, ref.cast
  [26, 30, 0x11], // conversions, ref.i31, i31.get…
]);

/** Prefix 0xfc. */
const MISC = table(32, [
  [0, 7, 0x11], // saturating truncations
  [8, 8, 0x30], // memory.init
  [9, 9, 0x00], // data.drop
  [10, 12, 0x30], // memory.copy, memory.fill, table.init
  [13, 13, 0x00], // elem.drop
  [14, 14, 0x30], // table.copy
  [15, 15, 0x21], // table.grow
  [16, 16, 0x01], // table.size
  [17, 17, 0x30], // table.fill
]);

/** Prefix 0xfd: most take two vectors and give one. */
const VECTOR = table(0x114, [
  [0, 0x113, 0x21],
  [0, 10, 0x11], // loads
  [11, 11, 0x20], // v128.store
  [12, 12, 0x01], // v128.const
  [15, 20, 0x11], // splats
  [21, 22, 0x11], // extract_lane, with replace_lane in between
  [24, 25, 0x11],
  [27, 27, 0x11],
  [29, 29, 0x11],
  [31, 31, 0x11],
  [33, 33, 0x11],
  [77, 77, 0x11], // v128.not
  [82, 82, 0x31], // v128.bitselect
  [83, 83, 0x11], // v128.any_true
  [88, 91, 0x20], // store lanes
  [92, 100, 0x11], // load zero, demote, promote, i8x16.abs … bitmask
  [103, 106, 0x11], // f32x4.ceil … nearest
  [116, 117, 0x11], // f64x2.ceil, floor
  [122, 122, 0x11], // f64x2.trunc
  [124, 129, 0x11], // extadd_pairwise, i16x8.abs, neg
  [131, 132, 0x11], // i16x8.all_true, bitmask
  [135, 138, 0x11], // i16x8.extend…
  [148, 148, 0x11], // f64x2.nearest
  [160, 161, 0x11], // i32x4.abs, neg
  [163, 164, 0x11], // i32x4.all_true, bitmask
  [167, 170, 0x11], // i32x4.extend…
  [192, 193, 0x11], // i64x2.abs, neg
  [195, 196, 0x11], // i64x2.all_true, bitmask
  [199, 202, 0x11], // i64x2.extend…
  [224, 227, 0x11], // f32x4.abs, neg, sqrt
  [236, 239, 0x11], // f64x2.abs, neg, sqrt
  [248, 255, 0x11], // conversions
  [257, 260, 0x11], // relaxed truncations
  [261, 268, 0x31], // relaxed madd, nmadd, laneselect
  [275, 275, 0x31], // relaxed dot add
]);

/** Prefix 0xfe. */
const ATOMIC = table(0x4f, [
  [0, 0, 0x21], // notify
  [1, 2, 0x31], // wait
  [3, 3, 0x00], // fence
  [0x10, 0x16, 0x11], // loads
  [0x17, 0x1d, 0x20], // stores
  [0x1e, 0x47, 0x21], // read-modify-write
  [0x48, 0x4e, 0x31], // compare and exchange
]);

const TABLES: ReadonlyMap<number, Uint8Array> = new Map([
  [0, PLAIN],
  [0xfb, GC],
  [0xfc, MISC],
  [0xfd, VECTOR],
  [0xfe, ATOMIC],
]);

/**
 * Operands that an instruction takes and gives, as `16 * taken + given`.
 * @param code with its prefix in the bits from 16 up.
 * @throws {InputError} `invalid-module` for an instruction that this version does not know.
 */
export function stackEffect(code: number, offset: number): number {
  const effect = TABLES.get(code >>> 16)?.[code & 0xffff] ?? UNKNOWN;
  if (effect === UNKNOWN) throw unknownInstruction(code, offset);
  return effect;
}

/** Metering fails closed: what it does not know, it does not let through. */
export function unknownInstruction(code: number, offset: number): InputError {
  return new InputError(
    'invalid-module',
    `the instruction 0x${code.toString(16)} at byte ${offset} is not known to this version, so it cannot be metered`,
    { offset },
  );
}
