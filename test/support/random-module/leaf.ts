// The smallest code that gives a value of a type, which every type has. It is constant (3.4.13) too.

import type { WasmWriter } from '../wasm-writer.ts';
import { OP } from './opcodes.ts';
import type { Random } from './random.ts';
import type { DefinedType } from './shape.ts';
import {
  definedIndex,
  F32,
  F64,
  HEAP,
  heapOf,
  I32,
  I64,
  isNullable,
  isReference,
  V128,
  type ValueType,
  writeHeap,
} from './types.ts';

/** Where instructions are written, and noted as generated. */
export interface Emitter {
  readonly writer: WasmWriter;
  readonly random: Random;
  /** Writes an opcode, with its prefix if it has one. */
  op(code: number): WasmWriter;
}

export function writeFloat(writer: WasmWriter, bits: bigint, bytes: 4 | 8): WasmWriter {
  for (let i = 0; i < bytes; i++) writer.byte(Number((bits >> BigInt(8 * i)) & 0xffn));
  return writer;
}

/**
 * Writes code for some value of the type. References that may be null are; the others are new.
 * @throws {RangeError} for types that no constant has, such as references to exceptions that are not null.
 */
export function emitLeaf(
  to: Emitter,
  types: readonly DefinedType[],
  type: ValueType,
  functions: readonly number[],
): void {
  const { random } = to;
  switch (type) {
    case I32:
      to.op(OP.i32Const).s32(Number(random.integer(32)));
      return;
    case I64:
      to.op(OP.i64Const).s64(random.integer(64));
      return;
    case F32:
      writeFloat(to.op(OP.f32Const), random.float(32), 4);
      return;
    case F64:
      writeFloat(to.op(OP.f64Const), random.float(64), 8);
      return;
    case V128: {
      const writer = to.op(OP.v128Const);
      writeFloat(writer, BigInt.asUintN(64, random.integer(64)), 8);
      writeFloat(writer, random.float(64), 8);
      return;
    }
  }
  if (!isReference(type)) throw new RangeError(`no value of type 0x${type.toString(16)}`);
  if (isNullable(type)) writeHeap(to.op(OP.refNull), heapOf(type));
  else emitNonNull(to, types, type, functions);
}

function emitNonNull(
  to: Emitter,
  types: readonly DefinedType[],
  type: ValueType,
  functions: readonly number[],
): void {
  const index = definedIndex(type);
  const defined = index === undefined ? undefined : types[index];
  if (defined?.kind === 'struct') {
    to.op(OP.structNewDefault).u32(index ?? 0);
  } else if (defined?.kind === 'array') {
    to.op(OP.i32Const).s32(to.random.below(6));
    to.op(OP.arrayNewDefault).u32(index ?? 0);
  } else if (heapOf(type) === HEAP.func) {
    to.op(OP.refFunc).u32(to.random.below(functions.length));
  } else if ([HEAP.i31, HEAP.eq, HEAP.any].some((heap) => heap === heapOf(type))) {
    to.op(OP.i32Const).s32(to.random.below(100));
    to.op(OP.refI31);
  } else {
    throw new RangeError(`no constant of type 0x${type.toString(16)}`);
  }
}
