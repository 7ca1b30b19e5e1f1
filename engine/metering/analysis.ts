import { InputError } from '../encoding/input-error.ts';
import { BY_SIZE, costOf, PREPAID } from './costs.ts';
import type { Declarations, DefinedType } from './declarations.ts';
import { InstructionReader } from './instruction-reader.ts';
import { NanTracker } from './nan-tracker.ts';
import { isWork, OP } from './opcodes.ts';
import { stackEffect } from './stack-effects.ts';

/** What is known of a function body before it is rewritten. */
export interface FunctionAnalysis {
  /**
   * Fuel of each region: the function's entry first, then its loops in order. A region is what runs
   * from its head to the next head or the end, and costs what its longest path costs.
   */
  readonly regions: readonly number[];
  /** Ordinals of the blocks (the body is 0) at whose label an exception handler can arrive. */
  readonly caught: ReadonlySet<number>;
  /** Whether a conditional branch, or a handler, leads to the function's own label. */
  readonly branchesToEnd: boolean;
  /** Functions that are called by index, tail calls aside, and those that are called at a tail. */
  readonly callees: ReadonlySet<number>;
  readonly tailCallees: ReadonlySet<number>;
  /** Whether a function is called that is known when it runs only; the same at a tail. */
  readonly callsUnknown: boolean;
  readonly tailCallsUnknown: boolean;
  /**
   * Ordinals of the blocks at whose end every way must have paid for the entry's region: they hold
   * something that has to be paid for before it happens. Left out are those behind which no such
   * thing follows, where what the other ways have spent is what the call has paid.
   */
  readonly paidAtEnd: ReadonlySet<number>;
  /** Ordinals of the `if`s that have an `else`. */
  readonly withElse: ReadonlySet<number>;
  /** Offsets of exits to which no way costs more than the call has paid, unless work is on it. */
  readonly cheapExits: ReadonlySet<number>;
  /** The small innermost loops, by ordinal: they are written several times over. */
  readonly unrolled: ReadonlyMap<number, UnrolledLoop>;
  /** Most operands on the stack at once, block parameters included. */
  readonly operands: number;
  readonly vectors: boolean;
  /** Offset of the first instruction of relaxed SIMD or of threads. */
  readonly nondeterministic: number | undefined;
  /** Offsets of the floating-point instructions whose NaN can be told apart afterwards. */
  readonly nans: ReadonlySet<number>;
}

/** A loop whose rounds are paid for several at a time. */
export interface UnrolledLoop {
  /** How many rounds are written, and paid for, together. */
  readonly copies: number;
  /** Where its body ends: the offset of its `end`. */
  readonly end: number;
}

/** Bodies of at most so many bytes are written so many times. */
const UNROLLED: readonly (readonly [bytes: number, copies: number])[] = [
  [256, 4],
  [512, 2],
];

/** Longer paths than this are not told apart: 2^40 units, beyond any sensible limit. */
const MAX_COST = 2 ** 40;
const DEAD = -1;
const FIRST_VECTOR = 0xfd_0000;
/** Relaxed SIMD, and behind it the prefix of threads. */
const FIRST_RELAXED = 0xfd_0100;
const NONE: ReadonlySet<number> = new Set();

interface Frame {
  readonly code: number;
  readonly ordinal: number;
  /** Region in which the block's label lies. */
  readonly region: number;
  /** Operands below the block's parameters. */
  readonly height: number;
  readonly params: number;
  readonly results: number;
  /** Cost of the region's path at the block's start; {@link DEAD} where nothing leads there. */
  readonly entry: number;
  /** The longest path that a branch has brought to the label so far. */
  arrived: number;
  /** The same of ways without any work: at the block's start, and at the label so far. */
  readonly unpaidEntry: number;
  unpaidArrived: number;
  readonly catches: readonly Frame[];
  /** Where its instructions begin. */
  readonly start: number;
  /** Whether anything branches to it again, and whether a loop may be written several times. */
  repeats: boolean;
  isSimple: boolean;
}

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
  const walk = new Walk(declarations, type, canonicalNaN);
  const reader = new InstructionReader(bytes, start, end);
  while (reader.next()) walk.take(reader);
  if (walk.open) throw unbalanced(start);
  return walk;
}

function unbalanced(offset: number): InputError {
  return new InputError(
    'invalid-module',
    `the blocks of the function at byte ${offset} do not end where it does, so it cannot be metered`,
    { offset },
  );
}

class Walk implements FunctionAnalysis {
  readonly regions = [0];
  readonly caught = new Set<number>();
  readonly withElse = new Set<number>();
  readonly cheapExits = new Set<number>();
  branchesToEnd = false;
  readonly callees = new Set<number>();
  readonly tailCallees = new Set<number>();
  callsUnknown = false;
  tailCallsUnknown = false;
  readonly unrolled = new Map<number, UnrolledLoop>();
  operands = 0;
  vectors = false;
  nondeterministic: number | undefined;
  private readonly declarations: Declarations;
  private readonly tracker: NanTracker | undefined;
  private readonly frames: Frame[];
  /** The longest way to here without any work; {@link DEAD} where there is none. */
  private unpaid = 0;
  /** Ordinals of the blocks that hold work. */
  private readonly working = new Set<number>();
  private lastWork = -1;
  private lastExpensiveExit = -1;
  /** Where working blocks end. */
  private readonly ends: (readonly [ordinal: number, offset: number])[] = [];
  /** The loop around here that holds no other so far. */
  private innermost: Frame | undefined;
  private ordinals = 1;
  private height = 0;
  private region = 0;
  /** Cost of the path to here within the current region. */
  private cost = 0;
  /** For each region that encloses the current one: the cost of its path where the inner one began. */
  private readonly frozen: number[] = [0];

  constructor(
    declarations: Declarations,
    type: DefinedType & { readonly kind: 'function' },
    canonicalNaN: boolean,
  ) {
    this.declarations = declarations;
    this.tracker = canonicalNaN ? new NanTracker() : undefined;
    this.frames = [
      {
        code: OP.block,
        ordinal: 0,
        region: 0,
        height: 0,
        params: 0,
        results: type.results.length,
        entry: 0,
        arrived: DEAD,
        unpaidEntry: 0,
        unpaidArrived: DEAD,
        start: 0,
        repeats: false,
        isSimple: false,
        catches: [],
      },
    ];
  }

  get nans(): ReadonlySet<number> {
    return this.tracker?.needed ?? NONE;
  }

  get paidAtEnd(): ReadonlySet<number> {
    if (this.lastExpensiveExit > this.lastWork) return this.working;
    return new Set(this.ends.filter(([, end]) => end <= this.lastWork).map(([ordinal]) => ordinal));
  }

  get open(): boolean {
    return this.frames.length > 0;
  }

  take(reader: InstructionReader): void {
    const { code } = reader;
    this.spend(costOf(code) + this.costOfFields(reader));
    if (isWork(code)) this.work(reader);
    if (code >= FIRST_VECTOR) this.seeVector(reader);
    if (code >= OP.block && code <= OP.catch) this.structure(reader);
    else if (!this.control(reader)) this.operate(reader);
  }

  /** What an object that is made costs by its fields, which its type or the instruction tells. */
  private costOfFields({ code, first, second }: InstructionReader): number {
    if (code < OP.structNew || code > OP.arrayNewFixed) return 0;
    if (code === OP.arrayNewFixed) return second * BY_SIZE.field;
    const type = this.declarations.types[first];
    return code <= OP.structNewDefault && type?.kind === 'struct' ? type.fields * BY_SIZE.field : 0;
  }

  private seeVector({ code, start }: InstructionReader): void {
    if (code >= FIRST_RELAXED) this.nondeterministic ??= start;
    this.vectors = true;
  }

  private work({ start }: InstructionReader): void {
    this.working.add(this.top().ordinal);
    this.complicate();
    this.lastWork = start;
    this.unpaid = DEAD;
  }

  private structure(reader: InstructionReader): void {
    const { code } = reader;
    if (code === OP.else) this.toElse();
    else if (code === OP.catch) this.toHandler(this.tagParams(reader.first));
    else {
      if (code === OP.if) this.pop(1);
      this.enter(reader);
    }
  }

  /** Control instructions but blocks; false for every other instruction. */
  private control(reader: InstructionReader): boolean {
    const { code, first } = reader;
    switch (code) {
      case OP.tryTable:
        this.enter(reader);
        return true;
      case OP.catchAll:
        this.toHandler(0);
        return true;
      case OP.end:
      case OP.delegate:
        this.leave(reader);
        if (!this.open) this.exit(reader);
        return true;
      case OP.br:
        this.exit(reader);
        this.branch(first);
        this.die();
        return true;
      case OP.brIf:
        this.pop(1);
        this.branchIf(first);
        return true;
      case OP.brTable:
        this.pop(1);
        for (const label of reader.labels) this.branchIf(label);
        this.die();
        return true;
      case OP.brOnNull:
        this.complicate();
        this.branchIf(first);
        this.tracker?.useAll();
        return true;
      case OP.brOnNonNull:
        this.complicate();
        this.branchIf(first);
        this.pop(1);
        return true;
      case OP.brOnCast:
      case OP.brOnCastFail:
        this.complicate();
        this.branchIf(reader.second);
        return true;
      case OP.return:
        this.exit(reader);
        this.tracker?.useAll();
        this.die();
        return true;
      case OP.throw:
      case OP.rethrow:
      case OP.throwRef:
      case OP.unreachable:
        this.tracker?.useAll();
        this.die();
        return true;
      default:
        return this.callOrAllocate(reader);
    }
  }

  private callOrAllocate({ code, first, second }: InstructionReader): boolean {
    const { functions, types } = this.declarations;
    switch (code) {
      case OP.call:
        this.callees.add(first);
        this.call(functions[first] ?? -1, 0);
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
        this.tracker?.useAll();
        this.die();
        return true;
      case OP.structNew: {
        const type = types[first];
        this.pop(type?.kind === 'struct' ? type.fields : 0);
        this.push(1);
        return true;
      }
      case OP.arrayNewFixed:
        this.pop(second);
        this.push(1);
        return true;
      default:
        return false;
    }
  }

  private operate({ code, start }: InstructionReader): void {
    const effect = stackEffect(code, start);
    this.tracker?.operate(code, start, effect >> 4, effect & 15, this.base());
    this.height = Math.max(this.base(), this.height - (effect >> 4));
    this.rise(effect & 15);
  }

  private call(typeIndex: number, references: number): void {
    const { params, results } = this.signature(typeIndex);
    this.pop(params + references);
    this.push(results);
  }

  private enter({ code, blockType, catches, end }: InstructionReader): void {
    const { params, results } = this.blockSignature(blockType);
    this.pop(params);
    const ordinal = this.ordinals++;
    const targets = code === OP.tryTable ? catches.map(({ label }) => this.target(label)) : [];
    for (const target of targets) {
      this.caught.add(target.ordinal);
      if (target.ordinal === 0) this.branchesToEnd = true;
    }
    this.frames.push({
      code,
      ordinal,
      region: this.region,
      height: this.height,
      params,
      results,
      entry: this.cost,
      arrived: DEAD,
      unpaidEntry: this.unpaid,
      unpaidArrived: DEAD,
      catches: targets,
      start: end,
      repeats: false,
      isSimple: params === 0,
    });
    if (code === OP.loop) this.enterRegion();
    this.push(params);
  }

  private enterRegion(): void {
    this.innermost = this.top();
    this.frozen[this.region] = this.cost;
    this.region = this.regions.length;
    this.regions.push(1);
    this.cost = this.cost === DEAD ? DEAD : 0;
  }

  private toElse(): void {
    const frame = this.top();
    this.tracker?.useAll();
    this.arrive(frame, this.cost);
    this.unpaid = frame.unpaidEntry;
    this.withElse.add(frame.ordinal);
    this.cost = frame.entry;
    this.reset(frame.height);
    this.push(frame.params);
  }

  /** A handler can be reached from anywhere in its block: it starts with the region's longest path. */
  private toHandler(params: number): void {
    const frame = this.top();
    this.tracker?.useAll();
    this.arrive(frame, this.cost);
    this.cost = frame.entry === DEAD ? DEAD : (this.regions[frame.region] ?? 0);
    this.reset(frame.height);
    this.push(params);
  }

  private leave({ start }: InstructionReader): void {
    const frame = this.frames.pop();
    if (frame === undefined) throw unbalanced(start);
    if (this.working.has(frame.ordinal)) this.ends.push([frame.ordinal, start]);
    this.tracker?.useAll();
    if (frame.entry !== DEAD) this.arriveAtHandlers(frame);
    const outer = this.frames.at(-1);
    if (outer !== undefined && this.working.has(frame.ordinal)) this.working.add(outer.ordinal);
    if (frame.code === OP.loop) {
      this.unroll(frame, start);
      this.region = frame.region;
      this.cost = this.cost === DEAD ? DEAD : frame.entry;
    } else {
      const skips = frame.code === OP.if && !this.withElse.has(frame.ordinal);
      this.cost = Math.max(this.cost, frame.arrived, skips ? frame.entry : DEAD);
      this.unpaid = Math.max(this.unpaid, frame.unpaidArrived, skips ? frame.unpaidEntry : DEAD);
    }
    this.reset(frame.height);
    this.push(frame.results);
  }

  /** The loop around here is not one that can be written several times. */
  private complicate(): void {
    if (this.innermost !== undefined) this.innermost.isSimple = false;
  }

  private unroll({ ordinal, start, isSimple, repeats }: Frame, end: number): void {
    this.innermost = undefined;
    if (!isSimple || !repeats) return;
    const copies = UNROLLED.find(([bytes]) => end - start <= bytes)?.[1];
    if (copies === undefined) return;
    this.unrolled.set(ordinal, { copies, end });
    const cost = this.regions[this.region] ?? 1;
    this.regions[this.region] = Math.min(copies * cost, MAX_COST);
  }

  private arriveAtHandlers({ catches }: Frame): void {
    for (const target of catches) {
      if (target.code === OP.loop) continue;
      target.arrived = Math.max(target.arrived, this.regions[target.region] ?? 0);
    }
  }

  private branchIf(label: number): void {
    if (label === this.frames.length - 1) this.branchesToEnd = true;
    this.branch(label);
  }

  private branch(label: number): void {
    this.tracker?.useAll();
    const target = this.target(label);
    if (target.code === OP.loop) target.repeats = true;
    if (target.code === OP.loop || this.cost === DEAD) return;
    const cost = target.region === this.region ? this.cost : (this.frozen[target.region] ?? 0);
    this.arrive(target, cost);
  }

  private arrive(frame: Frame, cost: number): void {
    frame.arrived = Math.max(frame.arrived, cost);
    frame.unpaidArrived = Math.max(frame.unpaidArrived, this.unpaid);
  }

  /** Here the function may be left, or is, as far as this instruction alone decides it. */
  private exit({ start }: InstructionReader): void {
    if (this.unpaid <= PREPAID) this.cheapExits.add(start);
    else this.lastExpensiveExit = start;
  }

  private die(): void {
    this.cost = DEAD;
    this.unpaid = DEAD;
    this.reset(this.base());
  }

  private spend(units: number): void {
    if (this.unpaid !== DEAD) this.unpaid = Math.min(this.unpaid + units, MAX_COST);
    if (this.cost === DEAD) return;
    this.cost = Math.min(this.cost + units, MAX_COST);
    if (this.cost > (this.regions[this.region] ?? 0)) this.regions[this.region] = this.cost;
  }

  private signature(typeIndex: number): { readonly params: number; readonly results: number } {
    const type = this.declarations.types[typeIndex];
    if (type?.kind !== 'function') throw unknownType(typeIndex);
    return { params: type.params, results: type.results.length };
  }

  private blockSignature(blockType: number): { readonly params: number; readonly results: number } {
    if (blockType < 0) return { params: 0, results: blockType === -2 ? 1 : 0 };
    return this.signature(blockType);
  }

  private tagParams(tag: number): number {
    return this.signature(this.declarations.tags[tag] ?? -1).params;
  }

  private target(label: number): Frame {
    const frame = this.frames[this.frames.length - 1 - label];
    if (frame === undefined) throw unknownLabel(label);
    return frame;
  }

  private top(): Frame {
    return this.target(0);
  }

  private base(): number {
    return this.frames[this.frames.length - 1]?.height ?? 0;
  }

  private pop(count: number): void {
    this.tracker?.use(count);
    this.height = Math.max(this.base(), this.height - count);
  }

  private push(count: number): void {
    this.tracker?.push(count);
    this.rise(count);
  }

  private rise(count: number): void {
    this.height += count;
    if (this.height > this.operands) this.operands = this.height;
  }

  private reset(height: number): void {
    this.height = height;
    this.tracker?.cut(height);
  }
}

function unknownType(typeIndex: number): InputError {
  return new InputError(
    'invalid-module',
    `type ${typeIndex} is used as a function's, and is not one; the module cannot be metered`,
  );
}

function unknownLabel(label: number): InputError {
  return new InputError(
    'invalid-module',
    `a branch goes to label ${label}, which is not there; the module cannot be metered`,
  );
}
