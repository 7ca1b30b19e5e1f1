import type { FunctionAnalysis } from './analysis.ts';
import { BY_SIZE, costOf } from './costs.ts';
import type { Declarations } from './declarations.ts';
import { InstructionReader } from './instruction-reader.ts';
import { isWork, OP } from './opcodes.ts';
import { OpenBlocks } from './open-blocks.ts';
import { OperandStack } from './operand-stack.ts';
import { blockSignature, signatureOf, tagParams } from './signatures.ts';
import type { DefinedType } from './type-section.ts';

const FIRST_VECTOR = 0xfd_0000;
/** Relaxed SIMD, and behind it the prefix of threads. */
const FIRST_RELAXED = 0xfd_0100;

/**
 * Walks a body once and finds out what its rewriting needs. Linear in the body's size.
 * @param canonicalNaN whether to look for NaNs that can be told apart.
 * @throws {InputError} `invalid-module` for code that this version does not know.
 */
export function analyse(
  bytes: Uint8Array,
  start: number,
  end: number,
  type: DefinedType & { readonly kind: 'function' },
  declarations: Declarations,
  canonicalNaN: boolean,
): FunctionAnalysis {
  const walk = new BodyWalk(declarations, type.results.length, canonicalNaN);
  const reader = new InstructionReader(bytes, start, end);
  while (reader.next()) walk.take(reader);
  return walk.finish(start);
}

/** Tells each instruction to what keeps account of it. */
class BodyWalk {
  private readonly declarations: Declarations;
  private readonly stack: OperandStack;
  private readonly blocks: OpenBlocks;
  private readonly callees = new Set<number>();
  private readonly tailCallees = new Set<number>();
  private callsUnknown = false;
  private tailCallsUnknown = false;
  private vectors = false;
  private nondeterministic: number | undefined;

  constructor(declarations: Declarations, results: number, canonicalNaN: boolean) {
    this.declarations = declarations;
    this.stack = new OperandStack(canonicalNaN);
    this.blocks = new OpenBlocks(this.stack, results);
  }

  /** @param start where the instructions began. */
  finish(start: number): FunctionAnalysis {
    const { stack, blocks } = this;
    blocks.expectClosed(start);
    return {
      regions: blocks.paths.regions,
      caught: blocks.caught,
      branchesToEnd: blocks.branchesToEnd,
      callees: this.callees,
      tailCallees: this.tailCallees,
      callsUnknown: this.callsUnknown,
      tailCallsUnknown: this.tailCallsUnknown,
      paidAtEnd: blocks.payment.paidAtEnd,
      withElse: blocks.withElse,
      cheapExits: blocks.payment.cheapExits,
      unrolled: blocks.loops.found,
      operands: stack.most,
      vectors: this.vectors,
      nondeterministic: this.nondeterministic,
      nans: stack.nans,
    };
  }

  take(reader: InstructionReader): void {
    const { code, start } = reader;
    this.blocks.paths.spend(costOf(code) + this.costOfFields(reader));
    if (isWork(code)) this.blocks.work(start);
    if (code >= FIRST_VECTOR) this.seeVector(reader);
    if (code >= OP.block && code <= OP.catch) this.structure(reader);
    else if (!this.control(reader)) this.stack.operate(code, start);
  }

  /** What an object that is made costs by its fields, which its type or the instruction tells. */
  private costOfFields({ code, first, second }: InstructionReader): number {
    if (code < OP.structNew || code > OP.arrayNewFixed) return 0;
    if (code === OP.arrayNewFixed) return second * BY_SIZE.field;
    return code <= OP.structNewDefault ? this.fieldsOf(first) * BY_SIZE.field : 0;
  }

  private fieldsOf(typeIndex: number): number {
    const type = this.declarations.types[typeIndex];
    return type?.kind === 'struct' ? type.fields : 0;
  }

  private seeVector({ code, start }: InstructionReader): void {
    if (code >= FIRST_RELAXED) this.nondeterministic ??= start;
    this.vectors = true;
  }

  private structure(reader: InstructionReader): void {
    const { code, first } = reader;
    if (code === OP.else) this.blocks.toElse();
    else if (code === OP.catch) this.blocks.toHandler(tagParams(this.declarations, first));
    else {
      if (code === OP.if) this.stack.pop(1);
      this.enter(reader);
    }
  }

  private enter(reader: InstructionReader): void {
    this.blocks.enter(reader, blockSignature(this.declarations, reader.blockType));
  }

  /** Control instructions but blocks; false for every other instruction. */
  private control(reader: InstructionReader): boolean {
    const { code, first, start } = reader;
    const { blocks, stack } = this;
    switch (code) {
      case OP.tryTable:
        this.enter(reader);
        return true;
      case OP.catchAll:
        blocks.toHandler(0);
        return true;
      case OP.end:
      case OP.delegate:
        blocks.leave(start);
        return true;
      case OP.br:
        blocks.exit(start);
        blocks.branch(first);
        blocks.die();
        return true;
      case OP.brIf:
        stack.pop(1);
        blocks.branchIf(first);
        return true;
      case OP.brTable:
        stack.pop(1);
        for (const label of reader.labels) blocks.branchIf(label);
        blocks.die();
        return true;
      case OP.brOnNull:
        blocks.loops.complicate();
        blocks.branchIf(first);
        return true;
      case OP.brOnNonNull:
        blocks.loops.complicate();
        blocks.branchIf(first);
        stack.pop(1);
        return true;
      case OP.brOnCast:
      case OP.brOnCastFail:
        blocks.loops.complicate();
        blocks.branchIf(reader.second);
        return true;
      case OP.return:
        blocks.exit(start);
        blocks.die();
        return true;
      case OP.throw:
      case OP.rethrow:
      case OP.throwRef:
      case OP.unreachable:
        blocks.die();
        return true;
      default:
        return this.callOrAllocate(reader);
    }
  }

  private callOrAllocate({ code, first, second }: InstructionReader): boolean {
    switch (code) {
      case OP.call:
        this.callees.add(first);
        this.call(this.declarations.functions[first] ?? -1, 0);
        return true;
      case OP.callIndirect:
      case OP.callRef:
        this.callsUnknown = true;
        this.call(first, 1);
        return true;
      case OP.returnCall:
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        if (code === OP.returnCall) this.tailCallees.add(first);
        else this.tailCallsUnknown = true;
        this.blocks.die();
        return true;
      case OP.structNew:
        this.allocate(this.fieldsOf(first));
        return true;
      case OP.arrayNewFixed:
        this.allocate(second);
        return true;
      default:
        return false;
    }
  }

  /** @param references to the function that are taken besides. */
  private call(typeIndex: number, references: number): void {
    const { params, results } = signatureOf(this.declarations, typeIndex);
    this.stack.pop(params + references);
    this.stack.push(results);
  }

  private allocate(fields: number): void {
    this.stack.pop(fields);
    this.stack.push(1);
  }
}
