import { InputError } from '../encoding/input-error.ts';
import type { FunctionAnalysis, UnrolledLoop } from './analysis.ts';
import type { ByteWriter } from './byte-writer.ts';
import { BY_SIZE, PREPAID } from './costs.ts';
import type { AddressSpace, Declarations } from './declarations.ts';
import { InstructionReader } from './instruction-reader.ts';
import { LIMIT_REACHED, MACHINE_FAILED } from './meter.ts';
import { type NanShape, nanShape } from './nan-tracker.ts';
import { isWork, OP } from './opcodes.ts';
import type { PositionRecorder } from './positions.ts';

/** Indices of what the rewriting adds to the module. */
export interface HiddenGlobals {
  /** Fuel that is left: i64. */
  readonly fuel: number;
  /** Stack that is left, in units of 8 bytes: i32. */
  readonly stack: number;
  /** Pages that memories may still grow by: i64. */
  readonly pagesLeft: number;
  /** Elements that tables may still grow by: i64. */
  readonly elementsLeft: number;
  /** The pages that the guest believes its memory has, where its memory is fixed. */
  readonly fixedPages: number | undefined;
}

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

/** The type bytes of locals that a rewritten body adds behind its own, in this order. */
export const TEMPORARIES = Object.freeze({
  counter: 0x7e,
  stack: 0x7f,
  size: 0x7e,
  wide: 0x7e,
  word: 0x7f,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
});
export type Temporary = keyof typeof TEMPORARIES;

/** An entry whose longest path costs more than this is charged at once: nothing runs far unpaid. */
const MAX_UNPAID = 4096;

/** A frame of more units than this has its share of the stack tested before anything else. */
export const LARGE_FRAME = 512;

const EMPTY = 0x40;
const I32 = 0x7f;
const MINUS_ONE = 0x7f;
const PAGE_SHIFT = 16n;
const BITSELECT = 82;

/** How the NaNs of a shape are made canonical (4.3.3): quiet, with an empty payload. */
const CANONICAL = Object.freeze({
  f32: { local: 'f32', constant: [0x43, 0, 0, 0xc0, 0x7f], equal: OP.f32Eq },
  f64: { local: 'f64', constant: [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], equal: OP.f64Eq },
  f32x4: { local: 'v128', constant: vectorOf([0, 0, 0xc0, 0x7f]), equal: 65 },
  f64x2: { local: 'v128', constant: vectorOf([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]), equal: 71 },
} as const satisfies Record<
  NanShape,
  { readonly local: Temporary; readonly constant: readonly number[]; readonly equal: number }
>);

/** `v128.const` with a lane repeated. */
function vectorOf(lane: readonly number[]): readonly number[] {
  const lanes = Array.from({ length: 16 }, (_, i) => lane[i % lane.length] ?? 0);
  return [0xfd, 12, ...lanes];
}

/** Where the truth about the meter is, at a point of the code. */
type Place = 'counter' | 'both' | 'meter';

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
  /** Temporaries that the body uses, by the order in which they were asked for. */
  readonly temporaries: Temporary[] = [];
  private readonly out: ByteWriter;
  private readonly context: RewriteContext;
  private readonly analysis: FunctionAnalysis;
  /** Parameters and locals that the function has by itself. */
  private readonly locals: number;
  private readonly results: readonly (readonly number[])[];
  /** This frame's share of the stack, in units of 8 bytes. */
  private readonly units: number;
  private readonly hasLoops: boolean;
  private readonly paidAtEnd: ReadonlySet<number>;
  private readonly blocks: Block[] = [];
  private place: Place = 'meter';
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
    out: ByteWriter,
    context: RewriteContext,
    analysis: FunctionAnalysis,
    about: {
      readonly locals: number;
      /** The frame's share of the stack, in units of 8 bytes; 0 where it need not be known. */
      readonly units: number;
      readonly results: readonly (readonly number[])[];
    },
  ) {
    this.out = out;
    this.context = context;
    this.analysis = analysis;
    this.locals = about.locals;
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
        this.copy(reader);
        return;
      default:
        if (!this.call(reader)) this.operate(reader);
    }
  }

  /** Calls and throws; false for every other instruction. */
  private call(reader: InstructionReader): boolean {
    switch (reader.code) {
      case OP.call:
      case OP.callIndirect:
      case OP.callRef:
        this.pay();
        this.toMeter();
        if (!this.callsBounded(reader)) this.takeStack();
        this.copy(reader);
        this.place = 'meter';
        return true;
      case OP.returnCall:
      case OP.returnCallIndirect:
      case OP.returnCallRef:
        this.pay();
        this.toMeter();
        this.giveStackBack();
        this.copy(reader);
        return true;
      case OP.throw:
      case OP.rethrow:
      case OP.throwRef:
        this.pay();
        this.toMeter();
        this.copy(reader);
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
    if (isCaughtLoop) this.toMeter();
    const unrolled = this.analysis.unrolled.get(ordinal);
    if (unrolled !== undefined) {
      this.unroll(reader, ordinal, unrolled);
      return;
    }
    this.copy(reader);
    const { place, charged, stackChecked } = this;
    this.blocks.push({ code, ordinal, place, charged, stackChecked });
    if (code !== OP.loop) return;
    this.place = isCaughtLoop ? 'meter' : 'counter';
    this.toCounter();
    this.chargeRegion(this.region++);
  }

  /**
   * Writes the rounds of a loop one after the other, with one charge for all of them:
   * `block loop charge (block round end)… round end end`. What went to the loop goes to the next
   * round; what left it leaves the outer block.
   */
  private unroll(reader: InstructionReader, ordinal: number, loop: UnrolledLoop): void {
    const { bytes } = this.context;
    const { out, stackChecked } = this;
    const type = bytes.subarray(reader.start + 1, reader.end);
    const [bodyStart, outer, ordinals] = [reader.end, this.outerBlocks, this.ordinals];
    out.byte(OP.block);
    out.bytes(type);
    this.context.positions.mark(out.length, reader.start);
    out.byte(OP.loop);
    out.bytes(type);
    this.toCounter();
    this.blocks.push({ code: OP.loop, ordinal, place: 'counter', charged: true, stackChecked });
    this.chargeRegion(this.region++);
    for (let copy = 1; copy <= loop.copies; copy++) {
      const isLast = copy === loop.copies;
      this.outerBlocks = isLast ? 1 : 2;
      this.unrolledDepth = this.blocks.length;
      this.ordinals = ordinals;
      if (!isLast) out.bytes([OP.block, EMPTY]);
      const round = new InstructionReader(bytes, bodyStart, loop.end);
      while (round.next()) this.take(round);
      out.bytes([OP.br, this.outerBlocks, OP.end]);
      this.place = 'counter';
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
    this.copy(reader);
    this.place = block.place;
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
    this.copy(reader);
    this.charged = this.isChargedAt(block);
    this.stackChecked = block.stackChecked;
    this.place = isCaught ? 'meter' : this.meetingPlace();
  }

  /** A body that is left by a branch is put into a block. */
  private enterFunction(): void {
    const { analysis, context, out } = this;
    if ((analysis.regions[0] ?? 0) > MAX_UNPAID || this.units > LARGE_FRAME) this.pay();
    if (this.units > LARGE_FRAME) this.checkStack();
    if (!analysis.branchesToEnd) return;
    out.byte(OP.block);
    out.bytes(context.blockType(this.results));
    this.chargedInside = this.charged;
  }

  private endFunction(reader: InstructionReader): void {
    if (this.analysis.branchesToEnd) {
      const body = this.body();
      const isCaught = this.analysis.caught.has(0);
      this.meetAt(body);
      this.out.byte(OP.end);
      this.charged = this.isChargedAt(body);
      this.place = isCaught ? 'meter' : this.meetingPlace();
    }
    this.leave(reader.start);
    this.copy(reader);
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
    this.toMeter();
  }

  private branch(reader: InstructionReader, labels: readonly number[]): void {
    const depth = this.blocks.length;
    if (!this.analysis.branchesToEnd && labels.includes(depth)) {
      // An unconditional branch to the function's end, the only kind there is without the block.
      this.leave(reader.start);
      this.out.byte(OP.return);
      return;
    }
    for (const label of labels) this.meetAt(this.blocks[depth - 1 - label] ?? this.body());
    if (this.outerBlocks === 0) this.copy(reader);
    else this.copyBranch(reader, labels);
  }

  /** A branch in a round of an unrolled loop: labels beyond the loop are further away. */
  private copyBranch({ code, start }: InstructionReader, labels: readonly number[]): void {
    const { out } = this;
    const inside = this.blocks.length - this.unrolledDepth;
    this.context.positions.mark(out.length, start);
    out.byte(code);
    if (code === OP.brTable) out.unsigned(labels.length - 1);
    for (const label of labels) out.unsigned(label > inside ? label + this.outerBlocks : label);
  }

  /** Makes the state here the one that all ways to a block's label have in common. */
  private meetAt(block: Block): void {
    if (this.isChargedAt(block)) this.pay();
    if (!this.charged) return;
    if (this.isChargedAt(block)) this.meet();
    else this.toMeter();
    if (this.analysis.caught.has(block.ordinal)) this.toMeter();
  }

  private isChargedAt({ charged, ordinal }: Block): boolean {
    return charged || this.paidAtEnd.has(ordinal);
  }

  private meetingPlace(): Place {
    return this.hasLoops && this.charged ? 'counter' : 'meter';
  }

  private meet(): void {
    if (this.hasLoops) this.toCounter();
    else this.toMeter();
  }

  /** A handler knows its share of the stack, and learns from the meter what the throwing path spent. */
  private handler(reader: InstructionReader): void {
    const block = this.blocks.at(-1);
    if (block === undefined) throw unbalanced(reader);
    this.meetAt(block);
    this.copy(reader);
    this.charged = true;
    this.stackChecked = block.stackChecked;
    this.place = 'meter';
  }

  /**
   * Pays for the entry's region, if that is not done on every path to here.
   * @param tested whether to end the run where that was too much.
   */
  private pay(tested = true): void {
    if (this.charged) return;
    const { hidden } = this.context;
    this.charged = true;
    this.globalGet(hidden.fuel);
    this.i64(BigInt(Math.max(1, (this.analysis.regions[0] ?? 0) - PREPAID)));
    this.out.byte(OP.i64Sub);
    if (tested) this.localTee('counter');
    else this.localSet('counter');
    if (!this.hasLoops) {
      this.globalSet(hidden.fuel);
      this.localGet('counter');
    }
    this.place = this.hasLoops ? 'counter' : 'both';
    if (tested) this.stopIfNegative();
    if (this.units === 0) return;
    this.globalGet(hidden.stack);
    this.localSet('stack');
  }

  /** Before a call: what this frame leaves of the stack, or the end of the run. */
  private takeStack(): void {
    if (this.units === 0) return;
    this.checkStack();
    this.localGet('stack');
    this.i32(this.units);
    this.out.byte(OP.i32Sub);
    this.globalSet(this.context.hidden.stack);
  }

  private checkStack(): void {
    if (this.stackChecked) return;
    this.stackChecked = true;
    this.localGet('stack');
    this.i32(this.units);
    this.out.byte(OP.i32LtS);
    this.stopIf(() => {
      this.i32(-1);
      this.globalSet(this.context.hidden.stack);
    });
  }

  /** Before a tail call: the frame is gone, whatever calls have told of the stack since. */
  private giveStackBack(): void {
    if (this.units === 0) return;
    this.localGet('stack');
    this.globalSet(this.context.hidden.stack);
  }

  private chargeRegion(region: number): void {
    this.localGet('counter');
    this.i64(BigInt(this.analysis.regions[region] ?? 1));
    this.out.byte(OP.i64Sub);
    this.localTee('counter');
    this.place = 'counter';
    this.stopIfNegative();
  }

  /** Takes the counter from the stack; ends the run if fuel has run out. */
  private stopIfNegative(): void {
    this.i64(0n);
    this.out.byte(OP.i64LtS);
    this.stopIf(() => {});
  }

  /** Takes a condition from the stack; where it holds, the run ends here. */
  private stopIf(before: () => void): void {
    const { out } = this;
    out.byte(OP.if);
    out.byte(EMPTY);
    before();
    if (this.place === 'counter') {
      this.localGet('counter');
      this.globalSet(this.context.hidden.fuel);
    }
    out.byte(OP.unreachable);
    out.byte(OP.end);
  }

  private operate(reader: InstructionReader): void {
    const { code, first, start } = reader;
    const { hidden } = this.context;
    if (isWork(code)) {
      this.pay();
      this.toCounter();
    }
    switch (code) {
      case OP.memoryInit:
        this.chargeMemory(reader.second, 'i32');
        break;
      case OP.memoryFill:
        this.chargeMemory(first, this.memory(first).address);
        break;
      case OP.memoryCopy:
        this.chargeMemory(first, narrower(this.memory(first), this.memory(reader.second)));
        break;
      case OP.tableInit:
        this.chargeTable(reader.second, 'i32');
        break;
      case OP.tableFill:
        this.chargeTable(first, this.table(first).address);
        break;
      case OP.tableCopy:
        this.chargeTable(first, narrower(this.table(first), this.table(reader.second)));
        break;
      case OP.arrayNew:
      case OP.arrayNewDefault:
      case OP.arrayNewData:
      case OP.arrayNewElem:
      case OP.arrayFill:
      case OP.arrayCopy:
      case OP.arrayInitData:
      case OP.arrayInitElem:
        this.keepSize('i32');
        this.chargeUnits(this.elementBytes(first) * BY_SIZE.arrayByte);
        break;
      case OP.memoryGrow:
        if (hidden.fixedPages === undefined || first !== 0) this.growMemory(reader);
        else this.growFixedMemory(hidden.fixedPages);
        return;
      case OP.memorySize:
        if (hidden.fixedPages !== undefined && first === 0) {
          this.globalGet(hidden.fixedPages);
          return;
        }
        break;
      case OP.tableGrow:
        this.growTable(reader);
        return;
      default:
    }
    this.copy(reader);
    const shape = this.analysis.nans.has(start) ? nanShape(code) : undefined;
    if (shape !== undefined) this.makeCanonical(shape);
  }

  /** Charges for the bytes that the topmost operand says, cut to those the memory has. */
  private chargeMemory(index: number, address: 'i32' | 'i64'): void {
    const { out } = this;
    this.keepSize(address);
    this.cutSize(() => {
      this.memorySize(index);
      this.i64(PAGE_SHIFT);
      out.byte(OP.i64Shl);
    });
    this.i64(BigInt(BY_SIZE.memoryShift));
    out.byte(OP.i64ShrU);
    this.localSet('size');
    this.chargeUnits(1);
  }

  private chargeTable(index: number, address: 'i32' | 'i64'): void {
    this.keepSize(address);
    this.cutSize(() => this.tableSize(index));
    this.localSet('size');
    this.chargeUnits(BY_SIZE.tableElement);
  }

  /** Keeps the topmost operand, an unsigned size, in `size` as well. */
  private keepSize(address: 'i32' | 'i64'): void {
    if (address === 'i64') {
      this.localTee('size');
      return;
    }
    this.localTee('word');
    this.localGet('word');
    this.out.byte(OP.i64ExtendI32U);
    this.localSet('size');
  }

  /** Leaves the smaller of `size` and what `most` gives. */
  private cutSize(most: () => void): void {
    this.localGet('size');
    most();
    this.localGet('size');
    most();
    this.out.byte(OP.i64LtU);
    this.out.byte(OP.select);
  }

  /** Charges `size` times some units, and stops where that is more than there is. */
  private chargeUnits(units: number): void {
    const { out } = this;
    this.localGet('counter');
    this.localGet('size');
    if (units > 1) {
      this.i64(BigInt(units));
      out.byte(OP.i64Mul);
    }
    out.byte(OP.i64Sub);
    this.localTee('counter');
    this.place = 'counter';
    this.stopIfNegative();
  }

  /**
   * Growing: what the memory's own maximum forbids fails as ever. Beyond the run's limit the run
   * ends; within both it is paid for, and where the machine then fails, the run ends as well, so that
   * no machine's shortage is ever a result.
   */
  private growMemory(reader: InstructionReader): void {
    const memory = this.memory(reader.first);
    const { pagesLeft } = this.context.hidden;
    this.keepSize(memory.address);
    this.ifItFits(maximumPages(memory), () => this.memorySize(reader.first), EMPTY);
    this.reserve(pagesLeft, BY_SIZE.page);
    this.elseNothing();
    this.copy(reader);
    this.stopIfMachineFailed(memory.address, pagesLeft);
  }

  private growTable(reader: InstructionReader): void {
    const table = this.table(reader.first);
    const { elementsLeft } = this.context.hidden;
    this.keepSize(table.address);
    this.ifItFits(maximumElements(table), () => this.tableSize(reader.first), EMPTY);
    this.reserve(elementsLeft, BY_SIZE.tableElement);
    this.elseNothing();
    this.copy(reader);
    this.stopIfMachineFailed(table.address, elementsLeft);
  }

  /** A fixed memory is all there from the start; growing hands out what is there. */
  private growFixedMemory(pages: number): void {
    const { out } = this;
    const handedOut = () => {
      this.globalGet(pages);
      out.byte(OP.i64ExtendI32U);
    };
    this.keepSize('i32');
    out.byte(OP.drop);
    this.ifItFits(maximumPages(this.memory(0)), handedOut, I32);
    this.reserve(this.context.hidden.pagesLeft, BY_SIZE.page);
    this.globalGet(pages);
    this.globalGet(pages);
    this.localGet('size');
    out.byte(OP.i32WrapI64);
    out.byte(OP.i32Add);
    this.globalSet(pages);
    out.byte(OP.else);
    this.i32(-1);
    out.byte(OP.end);
  }

  /** Opens a block for the case that `size` more is within a maximum. */
  private ifItFits(most: bigint, current: () => void, type: number): void {
    const { out } = this;
    this.place = 'counter';
    this.localGet('size');
    this.i64(BigInt.asIntN(64, most));
    current();
    out.byte(OP.i64Sub);
    out.byte(OP.i64LeU);
    out.byte(OP.if);
    out.byte(type);
  }

  /** Takes `size` from what is left to the run, or ends it, and charges for it. */
  private reserve(left: number, units: number): void {
    this.localGet('size');
    this.globalGet(left);
    this.out.byte(OP.i64GtU);
    this.stopIf(() => this.setGlobal(left, LIMIT_REACHED));
    this.globalGet(left);
    this.localGet('size');
    this.out.byte(OP.i64Sub);
    this.globalSet(left);
    this.chargeUnits(units);
  }

  private elseNothing(): void {
    this.out.byte(OP.else);
    this.i64(0n);
    this.localSet('size');
    this.out.byte(OP.end);
  }

  /** After growing: a failure where a size was reserved is the machine's. */
  private stopIfMachineFailed(address: 'i32' | 'i64', left: number): void {
    const { out } = this;
    const wide = address === 'i64';
    const answer: Temporary = wide ? 'wide' : 'word';
    this.localTee(answer);
    this.localGet(answer);
    out.byte(wide ? OP.i64Const : OP.i32Const);
    out.byte(MINUS_ONE);
    out.byte(wide ? OP.i64Eq : OP.i32Eq);
    this.localGet('size');
    this.i64(0n);
    out.byte(OP.i64Ne);
    out.byte(OP.i32And);
    this.stopIf(() => this.setGlobal(left, MACHINE_FAILED));
  }

  private memorySize(index: number): void {
    this.out.byte(OP.memorySize);
    this.out.unsigned(index);
    if (this.memory(index).address === 'i32') this.out.byte(OP.i64ExtendI32U);
  }

  /** Bytes of an element of an array type. */
  private elementBytes(typeIndex: number): number {
    const type = this.context.declarations.types[typeIndex];
    return type?.kind === 'array' ? type.elementBytes : 16;
  }

  private tableSize(index: number): void {
    this.out.byte(0xfc);
    this.out.unsigned(OP.tableSize & 0xffff);
    this.out.unsigned(index);
    if (this.table(index).address === 'i32') this.out.byte(OP.i64ExtendI32U);
  }

  /** Makes the NaNs of the topmost operand canonical. */
  private makeCanonical(shape: NanShape): void {
    const { out } = this;
    const { local, constant, equal } = CANONICAL[shape];
    this.localTee(local);
    out.bytes(constant);
    this.localGet(local);
    this.localGet(local);
    if (shape === 'f32' || shape === 'f64') {
      out.byte(equal);
      out.byte(OP.select);
      return;
    }
    out.byte(0xfd);
    out.unsigned(equal);
    out.byte(0xfd);
    out.unsigned(BITSELECT);
  }

  private toCounter(): void {
    if (this.place !== 'meter') return;
    this.globalGet(this.context.hidden.fuel);
    this.localSet('counter');
    this.place = 'both';
  }

  private toMeter(): void {
    if (this.place !== 'counter') return;
    this.localGet('counter');
    this.globalSet(this.context.hidden.fuel);
    this.place = 'both';
  }

  private copy({ start, end }: InstructionReader): void {
    this.context.positions.mark(this.out.length, start);
    this.out.copy(this.context.bytes, start, end);
  }

  private memory(index: number): AddressSpace {
    return addressSpace(this.context.declarations.memories, index);
  }

  private table(index: number): AddressSpace {
    return addressSpace(this.context.declarations.tables, index);
  }

  private i64(value: bigint): void {
    this.out.byte(OP.i64Const);
    this.out.signed(BigInt.asIntN(64, value));
  }

  private i32(value: number): void {
    this.out.byte(OP.i32Const);
    this.out.signed(BigInt(value));
  }

  private globalGet(index: number): void {
    this.out.byte(OP.globalGet);
    this.out.unsigned(index);
  }

  private globalSet(index: number): void {
    this.out.byte(OP.globalSet);
    this.out.unsigned(index);
  }

  private setGlobal(index: number, value: bigint): void {
    this.i64(value);
    this.globalSet(index);
  }

  private localGet(name: Temporary): void {
    this.local(OP.localGet, name);
  }

  private localSet(name: Temporary): void {
    this.local(OP.localSet, name);
  }

  private localTee(name: Temporary): void {
    this.local(OP.localTee, name);
  }

  private local(code: number, name: Temporary): void {
    let place = this.temporaries.indexOf(name);
    if (place < 0) place = this.temporaries.push(name) - 1;
    this.out.byte(code);
    this.out.unsigned(this.locals + place);
  }
}

function unbalanced({ start }: InstructionReader): InputError {
  return new InputError('invalid-module', `the block that ends at byte ${start} never began`, {
    offset: start,
  });
}

function addressSpace(all: readonly AddressSpace[], index: number): AddressSpace {
  const found = all[index];
  if (found !== undefined) return found;
  throw new InputError(
    'invalid-module',
    `memory or table ${index} is used, and is not there; the module cannot be metered`,
  );
}

function narrower(a: AddressSpace, b: AddressSpace): 'i32' | 'i64' {
  return a.address === 'i64' && b.address === 'i64' ? 'i64' : 'i32';
}

/** Pages of 64 KiB that a memory may have by its own type (core specification 3.2.14). */
function maximumPages({ address, maximum }: AddressSpace): bigint {
  return maximum ?? (address === 'i32' ? 65_536n : 1n << 48n);
}

function maximumElements({ address, maximum }: AddressSpace): bigint {
  return maximum ?? (address === 'i32' ? 0xffff_ffffn : (1n << 64n) - 1n);
}
