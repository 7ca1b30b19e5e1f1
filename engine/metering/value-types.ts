import { InputError } from '../encoding/input-error.ts';
import type { Cursor } from '../module/cursor.ts';

// The bytes of number and vector types (5.3.1, 5.3.2).
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;

/** The type of a block without parameters and results (5.4.1). */
export const EMPTY_BLOCK = 0x40;

/**
 * The bytes of a value type (5.3.5), or of a field's packed one. Only the one spelling that the
 * specification gives is taken: what V8 might read in another way must not be guessed at.
 */
export function readValueType(cursor: Cursor): number[] {
  const start = cursor.position;
  const first = cursor.byte();
  if (first === 0x63 || first === 0x64) cursor.skipNumber();
  else if (!isTypeByte(first)) throw unknownType(first, start);
  return [...cursor.bytes.subarray(start, cursor.position)];
}

function isTypeByte(byte: number): boolean {
  return (byte >= 0x69 && byte <= 0x74) || (byte >= V128 && byte <= I32) || isPacked(byte);
}

/** i8 and i16, of fields only. */
function isPacked(byte: number): boolean {
  return byte === 0x77 || byte === 0x78;
}

/** Metering fails closed: a type that it does not know is not stepped over. */
export function unknownType(byte: number, offset: number): InputError {
  return new InputError(
    'invalid-module',
    `the type 0x${byte.toString(16)} at byte ${offset} is not known to this version, so the module cannot be metered`,
    { offset },
  );
}
