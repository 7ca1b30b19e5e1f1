import type { ByteWriter } from './byte-writer.ts';
import { OP } from './opcodes.ts';
import type { PositionRecorder } from './positions.ts';
import { F32, F64, I32, I64, V128 } from './value-types.ts';

/** The type bytes of locals that a rewritten body adds behind its own, in this order. */
export const TEMPORARIES = Object.freeze({
  counter: I64,
  stack: I32,
  size: I64,
  wide: I64,
  word: I32,
  f32: F32,
  f64: F64,
  v128: V128,
});
export type Temporary = keyof typeof TEMPORARIES;

/** Writes the instructions of one body: those that it has, and what is put in between. */
export class BodyEmitter {
  /** Temporaries that the body uses, by the order in which they were asked for. */
  readonly temporaries: Temporary[] = [];
  readonly out: ByteWriter;
  private readonly bytes: Uint8Array;
  private readonly positions: PositionRecorder;
  /** Parameters and locals that the function has by itself. */
  private readonly locals: number;

  /** @param bytes the module, from which instructions are copied. */
  constructor(out: ByteWriter, bytes: Uint8Array, positions: PositionRecorder, locals: number) {
    this.out = out;
    this.bytes = bytes;
    this.positions = positions;
    this.locals = locals;
  }

  /** Notes that what is written next stands for the instruction at `start` of the module. */
  mark(start: number): void {
    this.positions.mark(this.out.length, start);
  }

  /** Writes an instruction as it is. */
  copy({ start, end }: { readonly start: number; readonly end: number }): void {
    this.mark(start);
    this.out.copy(this.bytes, start, end);
  }

  /** A one-byte instruction without immediates. */
  op(code: number): void {
    this.out.byte(code);
  }

  i64(value: bigint): void {
    this.out.byte(OP.i64Const);
    this.out.signed(BigInt.asIntN(64, value));
  }

  i32(value: number): void {
    this.out.byte(OP.i32Const);
    this.out.signed(BigInt(value));
  }

  globalGet(index: number): void {
    this.out.byte(OP.globalGet);
    this.out.unsigned(index);
  }

  globalSet(index: number): void {
    this.out.byte(OP.globalSet);
    this.out.unsigned(index);
  }

  setGlobal(index: number, value: bigint): void {
    this.i64(value);
    this.globalSet(index);
  }

  localGet(name: Temporary): void {
    this.local(OP.localGet, name);
  }

  localSet(name: Temporary): void {
    this.local(OP.localSet, name);
  }

  localTee(name: Temporary): void {
    this.local(OP.localTee, name);
  }

  private local(code: number, name: Temporary): void {
    let place = this.temporaries.indexOf(name);
    if (place < 0) place = this.temporaries.push(name) - 1;
    this.out.byte(code);
    this.out.unsigned(this.locals + place);
  }
}
