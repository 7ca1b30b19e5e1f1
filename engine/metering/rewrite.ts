import { InputError } from '../encoding/input-error.ts';
import type { FunctionAnalysis, UnrolledLoop } from './analysis.ts';
import { makeCanonical } from './canonical-nan.ts';
import { PREPAID } from './costs.ts';
import type { Declarations } from './declarations.ts';
import type { BodyEmitter } from './emitter.ts';
import { FuelAccount, type Place } from './fuel-account.ts';
import type { HiddenGlobals } from './hidden-globals.ts';
import { InstructionReader } from './instruction-reader.ts';
import { nanShape } from './nan-tracker.ts';
import { isWork, OP } from './opcodes.ts';
import type { PositionRecorder } from './positions.ts';
import { SizedOperations } from './sized-operations.ts';
import { EMPTY_BLOCK } from './value-types.ts';

export interface RewriteContext {
  readonly bytes: Uint8Array;
  readonly declarations: Declarations;
  readonly hidden: HiddenGlobals;
  readonly positions: PositionRecorder;
  /** Whether a function needs no more stack than is always kept for such, calls and all. */
  readonly isBounded: (functionIndex: number) => boolean;
  /** The type index of a block without parameters that gives these results; inline where it can be. */
  readonly blockType: (results: readonly (readonly number[])[]) => readonly number[];
}

/** An entry whose longest path costs more than this is charged at once: nothing runs far unpaid. */
const MAX_UNPAID = 4096;

/** A frame of more units than this has its share of the stack tested before anything else. */
export const LARGE_FRAME = 512;

interface Block {
  readonly code: number;
  readonly ordinal: number;
  /** How it stood when the block began: its other arm begins with the same. */
  readonly place: Place;
  readonly charged: boolean;
  readonly stackChecked: boolean;
}

/**
 * Writes a body that counts (DESIGN 7). The way from the entry to the first thing that has to be paid
 * for is paid for there; each loop pays at its head. A function with loops keeps a copy of the fuel in
 * a local, its counter, and brings it to the global before whatever leaves the function. The stack
 * that is left is known from the first payment on, and told before each call. Every sequence that is
 * put in leaves the operand stack as it finds it, so that it is valid wherever it stands, dead code
 * included.
 */
export class BodyRewriter {
  private readonly emit: BodyEmitter;
  private readonly account: FuelAccount;
  private readonly sized: SizedOperations;
  private readonly context: RewriteContext;
  private readonly analysis: FunctionAnalysis;
  private readonly results: readonly (readonly number[])[];
  /** This frame's share of the stack, in units of 8 bytes. */
  private readonly units: number;
  private readonly hasLoops: boolean;
  private readonly paidAtEnd: ReadonlySet<number>;
  private readonly blocks: Block[] = [];
  /** Whether every path to here has paid for the entry's region. */
  private charged = false;
  /** Whether every path to here has seen to it that this frame's share of the stack is there. */
  private stackChecked = false;
  private ordinals = 1;
  private region = 1;
  /** In a round of an unrolled loop: blocks put around it, and the blocks that were open at it. */
  private outerBlocks = 0;
  private unrolledDepth = 0;
  /** Whether the body's block began paid. */
  private chargedInside = false;

  constructor(
    emit: BodyEmitter,
    context: RewriteContext,
    analysis: FunctionAnalysis,
    about: {
      /** The frame's share of the stack, in units of 8 bytes; 0 where it need not be known. */
      readonly units: number;
      readonly results: readonly (readonly number[])[];
    },
  ) {
    this.emit = emit;
    this.account = new FuelAccount(emit, context.hidden);
    this.sized = new SizedOperations(emit, this.account, context);
    this.context = context;
    this.analysis = analysis;
    this.results = about.results;
    this.units = about.units;
    this.hasLoops = analysis.regions.length > 1;
    this.paidAtEnd = analysis.paidAtEnd;
  }

  /** Writes the instructions from `start` to `end`; locals are written by the caller, afterwards. */
  write(start: number, end: number): void {
    const reader = new InstructionReader(this.context.bytes, start, end);
    this.enterFunction();
    while (reader.next()) this.take(reader);
  }

  private take(reader: InstructionReader): void {
    const { code, first } = reader;
    switch (code) {
      case OP.block:
      case OP.loop:
      case OP.if:
      case OP.try:
      case OP.tryTable:
        this.enter(reader);
        return;
      case OP.else:
        this.toElse(reader);
        return;
      case OP.catch:
      case OP.catchAll:
        this.handler(reader);
        return;
      case OP.delegate:
      case OP.end:
        this.end(reader);
        return;
      case OP.br:
      case OP.brIf:
      case OP.brOnNull:
      case OP.brOnNonNull:
        this.branch(reader, [first]);
        return;
      case OP.brOnCast:
      case OP.brOnCastFail:
        this.branch(reader, [reader.second]);
        return;
      case OP.brTable:
        this.branch(reader, reader.labels);
        return;
      case OP.return:
        this.leave(reader.start);
        this.emit.copy(reader);
        return;
      default:
        if (!this.call(reader)) this.operate(reader);
    }
  }

  /** Calls and throws; false for every other instruction. */
  private call(reader: InstructionReader): boolean {
    const { emit } = this;
    switch (reader.code) {
      case OP.call:
      case OP.callIndirect:
      case OP.callRef:
        this.pay();
        this.account.toMeter();
        if (!this.callsBounded(reader)) this.takeStack();
        emit.copy(reader);
        this.account.place = 'meter';
        return true;
      case OP.returnCall:
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        this.pay();
        this.account.toMeter();
        this.giveStackBack();
        emit.copy(reader);
        return true;
      case OP.throw:
      case OP.rethrow:
      case OP.throwRef:
        this.pay();
        this.account.toMeter();
        emit.copy(reader);
        return true;
      default:
        return false;
    }
  }

  private callsBounded({ code, first }: InstructionReader): boolean {
    return code === OP.call && this.context.isBounded(first);
  }

  private enter(reader: InstructionReader): void {
    const { code } = reader;
    const ordinal = this.ordinals++;
    const isCaughtLoop = code === OP.loop && this.analysis.caught.has(ordinal);
    // Both arms of an `if` meet behind it, and an arm that is not there cannot pay.
    const skips =
      code === OP.if && this.paidAtEnd.has(ordinal) && !this.analysis.withElse.has(ordinal);
    // A loop tests at its head what was paid before it.
    if (code === OP.loop) this.pay(false);
    else if (code === OP.try || code === OP.tryTable || skips) this.pay();
    if (this.charged) this.meet();
    if (isCaughtLoop) this.account.toMeter();
    const unrolled = this.analysis.unrolled.get(ordinal);
    if (unrolled !== undefined) {
      this.unroll(reader, ordinal, unrolled);
      return;
    }
    this.emit.copy(reader);
    const { charged, stackChecked } = this;
    const { place } = this.account;
    this.blocks.push({ code, ordinal, place, charged, stackChecked });
    if (code !== OP.loop) return;
    this.account.place = isCaughtLoop ? 'meter' : 'counter';
    this.account.toCounter();
    this.account.charge(this.analysis.regions[this.region++] ?? 1);
  }

  /**
   * Writes the rounds of a loop one after the other, with one charge for all of them:
   * `block loop charge (block round end)… round end end`. What went to the loop goes to the next
   * round; what left it leaves the outer block.
   */
  private unroll(reader: InstructionReader, ordinal: number, loop: UnrolledLoop): void {
    const { bytes } = this.context;
    const { stackChecked } = this;
    const { out } = this.emit;
    const type = bytes.subarray(reader.start + 1, reader.end);
    const [bodyStart, outer, ordinals] = [reader.end, this.outerBlocks, this.ordinals];
    out.byte(OP.block);
    out.bytes(type);
    this.emit.mark(reader.start);
    out.byte(OP.loop);
    out.bytes(type);
    this.account.toCounter();
    this.blocks.push({ code: OP.loop, ordinal, place: 'counter', charged: true, stackChecked });
    this.account.charge(this.analysis.regions[this.region++] ?? 1);
    for (let copy = 1; copy <= loop.copies; copy++) {
      const isLast = copy === loop.copies;
      this.outerBlocks = isLast ? 1 : 2;
      this.unrolledDepth = this.blocks.length;
      this.ordinals = ordinals;
      if (!isLast) out.bytes([OP.block, EMPTY_BLOCK]);
      const round = new InstructionReader(bytes, bodyStart, loop.end);
      while (round.next()) this.take(round);
      out.bytes([OP.br, this.outerBlocks, OP.end]);
      this.account.place = 'counter';
      this.charged = true;
      this.stackChecked = stackChecked;
    }
    out.byte(OP.end);
    this.outerBlocks = outer;
    this.blocks.pop();
    reader.skipTo(loop.end + 1);
  }

  private toElse(reader: InstructionReader): void {
    const block = this.blocks.at(-1);
    if (block === undefined) throw unbalanced(reader);
    this.meetAt(block);
    this.emit.copy(reader);
    this.account.place = block.place;
    this.charged = block.charged;
    this.stackChecked = block.stackChecked;
  }

  private end(reader: InstructionReader): void {
    const block = this.blocks.pop();
    if (block === undefined) {
      this.endFunction(reader);
      return;
    }
    const { code, ordinal } = block;
    const isCaught = code !== OP.loop && this.analysis.caught.has(ordinal);
    this.meetAt(block);
    this.emit.copy(reader);
    this.charged = this.isChargedAt(block);
    this.stackChecked = block.stackChecked;
    this.account.place = isCaught ? 'meter' : this.meetingPlace();
  }

  /** A body that is left by a branch is put into a block. */
  private enterFunction(): void {
    const { analysis, context } = this;
    const { out } = this.emit;
    if ((analysis.regions[0] ?? 0) > MAX_UNPAID || this.units > LARGE_FRAME) this.pay();
    if (this.units > LARGE_FRAME) this.checkStack();
    if (!analysis.branchesToEnd) return;
    out.byte(OP.block);
    out.bytes(context.blockType(this.results));
    this.chargedInside = this.charged;
  }

  private endFunction(reader: InstructionReader): void {
    const { emit } = this;
    if (this.analysis.branchesToEnd) {
      const body = this.body();
      const isCaught = this.analysis.caught.has(0);
      this.meetAt(body);
      emit.op(OP.end);
      this.charged = this.isChargedAt(body);
      this.account.place = isCaught ? 'meter' : this.meetingPlace();
    }
    this.leave(reader.start);
    emit.copy(reader);
  }

  /** The function's body as a block: what branches to its end go to. */
  private body(): Block {
    const charged = this.chargedInside;
    return { code: OP.block, ordinal: 0, place: 'meter', charged, stackChecked: false };
  }

  /** Before the function is left: what it spent is paid, unless the call has paid for all of it. */
  private leave(offset: number): void {
    if (!this.charged && this.analysis.cheapExits.has(offset)) return;
    this.pay();
    this.account.toMeter();
  }

  private branch(reader: InstructionReader, labels: readonly number[]): void {
    const { emit } = this;
    const depth = this.blocks.length;
    if (!this.analysis.branchesToEnd && labels.includes(depth)) {
      // An unconditional branch to the function's end, the only kind there is without the block.
      this.leave(reader.start);
      emit.op(OP.return);
      return;
    }
    for (const label of labels) this.meetAt(this.blocks[depth - 1 - label] ?? this.body());
    if (this.outerBlocks === 0) emit.copy(reader);
    else this.copyBranch(reader, labels);
  }

  /** A branch in a round of an unrolled loop: labels beyond the loop are further away. */
  private copyBranch({ code, start }: InstructionReader, labels: readonly number[]): void {
    const { out } = this.emit;
    const inside = this.blocks.length - this.unrolledDepth;
    this.emit.mark(start);
    out.byte(code);
    if (code === OP.brTable) out.unsigned(labels.length - 1);
    for (const label of labels) out.unsigned(label > inside ? label + this.outerBlocks : label);
  }

  /** Makes the state here the one that all ways to a block's label have in common. */
  private meetAt(block: Block): void {
    if (this.isChargedAt(block)) this.pay();
    if (!this.charged) return;
    if (this.isChargedAt(block)) this.meet();
    else this.account.toMeter();
    if (this.analysis.caught.has(block.ordinal)) this.account.toMeter();
  }

  private isChargedAt({ charged, ordinal }: Block): boolean {
    return charged || this.paidAtEnd.has(ordinal);
  }

  private meetingPlace(): Place {
    return this.hasLoops && this.charged ? 'counter' : 'meter';
  }

  private meet(): void {
    if (this.hasLoops) this.account.toCounter();
    else this.account.toMeter();
  }

  /** A handler knows its share of the stack, and learns from the meter what the throwing path spent. */
  private handler(reader: InstructionReader): void {
    const block = this.blocks.at(-1);
    if (block === undefined) throw unbalanced(reader);
    this.meetAt(block);
    this.emit.copy(reader);
    this.charged = true;
    this.stackChecked = block.stackChecked;
    this.account.place = 'meter';
  }

  /**
   * Pays for the entry's region, if that is not done on every path to here.
   * @param tested whether to end the run where that was too much.
   */
  private pay(tested = true): void {
    const { emit } = this;
    if (this.charged) return;
    this.charged = true;
    const units = Math.max(1, (this.analysis.regions[0] ?? 0) - PREPAID);
    this.account.payFromMeter(units, this.hasLoops, tested);
    if (this.units === 0) return;
    emit.globalGet(this.context.hidden.stack);
    emit.localSet('stack');
  }

  /** Before a call: what this frame leaves of the stack, or the end of the run. */
  private takeStack(): void {
    const { emit } = this;
    if (this.units === 0) return;
    this.checkStack();
    emit.localGet('stack');
    emit.i32(this.units);
    emit.op(OP.i32Sub);
    emit.globalSet(this.context.hidden.stack);
  }

  private checkStack(): void {
    const { emit } = this;
    if (this.stackChecked) return;
    this.stackChecked = true;
    emit.localGet('stack');
    emit.i32(this.units);
    emit.op(OP.i32LtS);
    this.account.stopIf(() => {
      emit.i32(-1);
      emit.globalSet(this.context.hidden.stack);
    });
  }

  /** Before a tail call: the frame is gone, whatever calls have told of the stack since. */
  private giveStackBack(): void {
    const { emit } = this;
    if (this.units === 0) return;
    emit.localGet('stack');
    emit.globalSet(this.context.hidden.stack);
  }

  private operate(reader: InstructionReader): void {
    const { code, start } = reader;
    if (isWork(code)) {
      this.pay();
      this.account.toCounter();
    }
    this.sized.charge(reader);
    if (this.sized.write(reader)) return;
    this.emit.copy(reader);
    const shape = this.analysis.nans.has(start) ? nanShape(code) : undefined;
    if (shape !== undefined) makeCanonical(this.emit, shape);
  }
}

function unbalanced({ start }: InstructionReader): InputError {
  return new InputError('invalid-module', `the block that ends at byte ${start} never began`, {
    offset: start,
  });
}
