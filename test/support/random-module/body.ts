import { WasmWriter } from '../wasm-writer.ts';
import { type Emitter, emitLeaf, writeFloat } from './leaf.ts';
import { OP } from './opcodes.ts';
import type { Random } from './random.ts';
import type { Producer, Repertoire } from './repertoire.ts';
import { BUDGET_GLOBAL, type FunctionType, type Shape } from './shape.ts';
import { F32, F64, I32, isNumber, isReference, V128, type ValueType, writeType } from './types.ts';

/** A label that code can branch to. */
export interface Label {
  readonly kind: 'function' | 'block' | 'loop' | 'if' | 'try' | 'catch';
  /** What a branch to it carries. */
  readonly types: readonly ValueType[];
  /** Operands below the block. */
  readonly base: number;
}

const CANONICAL_NAN = { f32: 0x7fc00000n, f64: 0x7ff8000000000000n } as const;
const VALUE_DEPTH = 3;
const MOST_STATEMENTS = 6;
/** Deeper blocks hold no further ones. */
const MOST_LABELS = 12;

/**
 * The code of one function while it is generated. It is valid at every moment, because the types of
 * all operands are known: after an unconditional branch, where any operand may be assumed
 * (3.3.8, the polymorphic stack), it goes on as if those had been pushed.
 */
export class Body implements Emitter {
  readonly writer = new WasmWriter();
  readonly random: Random;
  readonly shape: Shape;
  readonly type: FunctionType;
  /** Types of parameters and locals. */
  readonly locals: ValueType[];
  /** Types of the operands, the last one on top. */
  readonly stack: ValueType[] = [];
  /** Labels, the innermost last. */
  readonly labels: Label[];
  readonly #repertoire: Repertoire;
  readonly #used: Set<number>;
  readonly #scratch = new Map<ValueType, number>();
  /** Instructions that may still be generated, roughly. */
  #left: number;

  constructor(
    shape: Shape,
    type: FunctionType,
    options: {
      readonly random: Random;
      readonly repertoire: Repertoire;
      readonly used: Set<number>;
      readonly size: number;
    },
  ) {
    this.shape = shape;
    this.type = type;
    this.random = options.random;
    this.#repertoire = options.repertoire;
    this.#used = options.used;
    this.#left = options.size;
    const own = shape.valueTypes.filter((t) => !isReference(t) || (t & 1) === 1);
    const count = this.random.below(6);
    this.locals = [...type.params];
    for (let i = 0; i < count; i++) this.locals.push(this.random.pick(own));
    this.labels = [{ kind: 'function', types: type.results, base: 0 }];
  }

  /** Whether there is room for more than the necessary. */
  get hasRoom(): boolean {
    return this.#left > 0;
  }

  get hasRoomForBlocks(): boolean {
    return this.#left > 0 && this.labels.length < MOST_LABELS;
  }

  /** Generates the whole body. */
  generate(): void {
    if (this.shape.style.bounded) this.spend();
    this.statements();
    this.settle(this.type.results, 0);
    this.op(OP.end);
  }

  /** The body with its locals, as the code section has it (5.5.13). */
  encode(): WasmWriter {
    const own = this.locals.slice(this.type.params.length);
    const encoded = new WasmWriter().u32(own.length);
    for (const type of own) writeType(encoded.u32(1), type);
    return encoded.raw(this.writer.bytes());
  }

  op(code: number): WasmWriter {
    this.#left--;
    this.#used.add(code);
    if (code < 0x100) return this.writer.byte(code);
    return this.writer.byte(Math.floor(code / 0x1000)).u32(code % 0x1000);
  }

  push(...types: readonly ValueType[]): void {
    this.stack.push(...types);
  }

  pop(count: number): void {
    this.stack.length -= count;
  }

  /** Code that leaves a value of the type on the stack. */
  value(type: ValueType, depth = VALUE_DEPTH): void {
    const producer = depth > 0 && this.#left > 0 ? this.#producer(type) : undefined;
    if (producer === undefined) this.leaf(type);
    else producer.emit(this, type, depth - 1);
  }

  values(types: readonly ValueType[], depth = VALUE_DEPTH): void {
    for (const type of types) this.value(type, depth);
  }

  /** A local or a constant of the type. */
  leaf(type: ValueType): void {
    const local = this.random.oneIn(2) ? this.random.pickAny(this.localsOf(type)) : undefined;
    if (local !== undefined) this.op(OP.localGet).u32(local);
    else emitLeaf(this, this.shape.types, type, this.shape.functions);
    this.push(type);
  }

  constant(value: number): void {
    this.op(OP.i32Const).s32(value);
    this.push(I32);
  }

  /** Locals of the type, but for the one that {@link scratch} keeps. */
  localsOf(type: ValueType): number[] {
    const scratch = this.#scratch.get(type);
    return this.locals.flatMap((other, i) => (other === type && i !== scratch ? [i] : []));
  }

  /** A local for moments: no other code uses it, so nobody sees what is left in it. */
  scratch(type: ValueType): number {
    let local = this.#scratch.get(type);
    if (local === undefined) {
      local = this.locals.push(type) - 1;
      this.#scratch.set(type, local);
    }
    return local;
  }

  /** Takes the value on top off the stack, and keeps it if there is a place for it. */
  consume(): void {
    const type = this.stack[this.stack.length - 1];
    const local = type === undefined ? undefined : this.random.pickAny(this.localsOf(type));
    if (local === undefined || this.random.oneIn(3)) this.op(OP.drop);
    else this.op(OP.localSet).u32(local);
    this.pop(1);
  }

  /** Some statements in a row. */
  statements(most = MOST_STATEMENTS): void {
    for (let n = 1 + this.random.below(most); n > 0 && this.#left > 0; n--) {
      this.#repertoire.statement(this.random).emit(this);
    }
  }

  /** Makes the operands above `base` exactly these, keeping what is there already. */
  settle(types: readonly ValueType[], base: number): void {
    let same = 0;
    while (same < types.length && this.stack[base + same] === types[same]) same++;
    while (this.stack.length > base + same) this.consume();
    this.values(types.slice(same), 1);
  }

  /**
   * The inside of a block whose parameters are on the stack: code that ends with its results there.
   * The opcode before and the `end` after are the caller's.
   */
  within(
    kind: Label['kind'],
    params: readonly ValueType[],
    results: readonly ValueType[],
    inside: () => void = () => this.statements(),
  ): void {
    const base = this.stack.length - params.length;
    this.labels.push({ kind, types: kind === 'loop' ? params : results, base });
    inside();
    this.settle(results, base);
    this.labels.pop();
  }

  /** Code that runs only if a random condition holds. */
  sometimes(inside: () => void): void {
    this.value(I32, 1);
    this.pop(1);
    this.op(OP.if).byte(0x40);
    this.within('if', [], [], inside);
    this.op(OP.end);
  }

  /** Leaves the function with the smallest results if the budget of the call is spent. */
  spend(): void {
    this.op(OP.globalGet).u32(BUDGET_GLOBAL);
    this.op(OP.i32Const).s32(1);
    this.op(OP.i32Sub);
    this.op(OP.globalSet).u32(BUDGET_GLOBAL);
    this.op(OP.globalGet).u32(BUDGET_GLOBAL);
    this.op(OP.i32Const).s32(0);
    this.op(OP.i32LtS);
    this.op(OP.if).byte(0x40);
    for (const type of this.type.results) {
      emitLeaf(this, this.shape.types, type, this.shape.functions);
    }
    this.op(OP.return);
    this.op(OP.end);
  }

  /** Makes the float on top canonical if it is a NaN. It counts for no room. */
  makeCanonical(type: ValueType): void {
    if (type !== F32 && type !== F64) return;
    const left = this.#left;
    const local = this.scratch(type);
    this.op(OP.localSet).u32(local);
    this.op(OP.localGet).u32(local);
    if (type === F32) writeFloat(this.op(OP.f32Const), CANONICAL_NAN.f32, 4);
    else writeFloat(this.op(OP.f64Const), CANONICAL_NAN.f64, 8);
    for (let i = 0; i < 2; i++) this.op(OP.localGet).u32(local);
    this.op(type === F32 ? OP.f32Eq : OP.f64Eq);
    this.op(OP.select);
    this.#left = left;
  }

  /** The same for the lanes of the vector on top. */
  makeLanesCanonical(lanes: 'f32' | 'f64'): void {
    const left = this.#left;
    const local = this.scratch(V128);
    this.op(OP.localSet).u32(local);
    this.op(OP.localGet).u32(local);
    const writer = this.op(OP.v128Const);
    const bytes = lanes === 'f32' ? 4 : 8;
    for (let at = 0; at < 16; at += bytes) writeFloat(writer, CANONICAL_NAN[lanes], bytes);
    for (let i = 0; i < 2; i++) this.op(OP.localGet).u32(local);
    this.op(lanes === 'f32' ? OP.f32x4Eq : OP.f64x2Eq);
    this.op(OP.v128Bitselect);
    this.#left = left;
  }

  /** `select` for the type, whose three operands are on the stack. */
  select(type: ValueType): void {
    if (isNumber(type) || (type === V128 && this.random.oneIn(2))) this.op(OP.select);
    else writeType(this.op(OP.selectTyped).u32(1), type);
    this.pop(2);
  }

  #producer(type: ValueType): Producer | undefined {
    return this.#repertoire.producer(this.random, type);
  }
}
