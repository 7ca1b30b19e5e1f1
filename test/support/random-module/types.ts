// Value types (core specification 5.3.1 - 5.3.5) as numbers, so that equal types are equal values.

import type { WasmWriter } from '../wasm-writer.ts';

export type ValueType = number;

export const I32: ValueType = 0x7f;
export const I64: ValueType = 0x7e;
export const F32: ValueType = 0x7d;
export const F64: ValueType = 0x7c;
export const V128: ValueType = 0x7b;

/** Abstract heap types by their byte. */
export const HEAP = {
  noexn: 0x74,
  nofunc: 0x73,
  noextern: 0x72,
  none: 0x71,
  func: 0x70,
  extern: 0x6f,
  any: 0x6e,
  eq: 0x6d,
  i31: 0x6c,
  struct: 0x6b,
  array: 0x6a,
  exn: 0x69,
} as const;

/** Heap types: an abstract one by its byte, a defined one by its index above this. */
const DEFINED = 0x100;
const REFERENCE = 0x1000;

export function definedHeap(index: number): number {
  return DEFINED + index;
}

/** A reference type; the same heap type and nullability give the same value. */
export function reference(heap: number, nullable = true): ValueType {
  return REFERENCE + heap * 2 + (nullable ? 1 : 0);
}

export const FUNCREF = reference(HEAP.func);
export const EXTERNREF = reference(HEAP.extern);
export const EXNREF = reference(HEAP.exn);
export const ANYREF = reference(HEAP.any);
export const EQREF = reference(HEAP.eq);
export const I31REF = reference(HEAP.i31);
export const STRUCTREF = reference(HEAP.struct);
export const ARRAYREF = reference(HEAP.array);

export function isReference(type: ValueType): boolean {
  return type >= REFERENCE;
}

export function isNullable(type: ValueType): boolean {
  return (type & 1) === 1;
}

export function heapOf(type: ValueType): number {
  return (type - REFERENCE) >> 1;
}

export function withNull(type: ValueType, nullable: boolean): ValueType {
  return reference(heapOf(type), nullable);
}

/** The index of the type that a reference is defined by, if it is no abstract one. */
export function definedIndex(type: ValueType): number | undefined {
  return isReference(type) && heapOf(type) >= DEFINED ? heapOf(type) - DEFINED : undefined;
}

export function isNumber(type: ValueType): boolean {
  return type >= F64 && type <= I32;
}

/** Whether JavaScript can be given a value of the type, or give one. */
export function crossesToHost(type: ValueType): boolean {
  return isNumber(type) || type === EXTERNREF || type === FUNCREF;
}

export function writeHeap(writer: WasmWriter, heap: number): void {
  if (heap >= DEFINED) writer.s32(heap - DEFINED);
  else writer.byte(heap);
}

export function writeType(writer: WasmWriter, type: ValueType): void {
  if (!isReference(type)) {
    writer.byte(type);
    return;
  }
  const heap = heapOf(type);
  if (isNullable(type) && heap < DEFINED) {
    writer.byte(heap);
    return;
  }
  writer.byte(isNullable(type) ? 0x63 : 0x64);
  writeHeap(writer, heap);
}
