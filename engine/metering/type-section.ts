import type { Cursor } from '../module/cursor.ts';
import { readAll } from './section-entries.ts';
import { readValueType, unknownType, V128 } from './value-types.ts';

/** A defined type, as far as operands are counted by it. */
export type DefinedType =
  | {
      readonly kind: 'function';
      readonly params: number;
      /** The bytes of each result's value type. */
      readonly results: readonly (readonly number[])[];
      /** Whether it takes or gives a v128. */
      readonly vectors: boolean;
    }
  | { readonly kind: 'struct'; readonly fields: number }
  | {
      readonly kind: 'array';
      /** Bytes of an element; 8 for a reference. */
      readonly elementBytes: number;
    };

/** A recursive type (5.3.10): one defined type or a group of them. */
export function readTypeGroup(cursor: Cursor): DefinedType[] {
  if (cursor.bytes[cursor.position] !== 0x4e) return [readSubtype(cursor)];
  cursor.skip(1);
  return readAll(cursor, readSubtype);
}

function readSubtype(cursor: Cursor): DefinedType {
  const first = cursor.bytes[cursor.position];
  if (first === 0x50 || first === 0x4f) {
    cursor.skip(1);
    for (let left = cursor.u32(); left > 0 && cursor.ok; left--) cursor.skipNumber();
  }
  const start = cursor.position;
  const form = cursor.byte();
  if (form === 0x60) {
    const params = readAll(cursor, readValueType);
    const results = readAll(cursor, readValueType);
    const vectors = [...params, ...results].some(([byte]) => byte === V128);
    return { kind: 'function', params: params.length, results, vectors };
  }
  if (form === 0x5f) return { kind: 'struct', fields: readAll(cursor, readField).length };
  if (form === 0x5e) return { kind: 'array', elementBytes: readField(cursor) };
  throw unknownType(form, start);
}

/** A field (5.3.9). @returns the bytes that its values take. */
function readField(cursor: Cursor): number {
  const [first = 0] = readValueType(cursor);
  cursor.skip(1);
  return FIELD_BYTES.get(first) ?? 8;
}

/** Of the types that are not references; 8 for i64, f64 and all others. */
const FIELD_BYTES: ReadonlyMap<number, number> = new Map([
  [V128, 16],
  [0x7f, 4],
  [0x7d, 4],
  [0x78, 1],
  [0x77, 2],
]);
