import { NanTracker } from './nan-tracker.ts';
import { stackEffect } from './stack-effects.ts';

const NONE: ReadonlySet<number> = new Set();

/**
 * Counts the operands at each point of a body, and follows the NaNs among them where that is asked
 * for. Dead code may take operands that nothing has put there: none is taken from below its block.
 */
export class OperandStack {
  /** Most operands at once, block parameters included. */
  most = 0;
  private readonly tracker: NanTracker | undefined;
  private height = 0;
  /** Operands below the parameters of each block around here, the body's first. */
  private readonly bases = [0];

  /** @param canonicalNaN whether to look for NaNs that can be told apart. */
  constructor(canonicalNaN: boolean) {
    this.tracker = canonicalNaN ? new NanTracker() : undefined;
  }

  /** Offsets of the floating-point instructions whose NaN can be told apart afterwards. */
  get nans(): ReadonlySet<number> {
    return this.tracker?.needed ?? NONE;
  }

  /**
   * An instruction whose opcode alone says what it takes and gives.
   * @throws {InputError} `invalid-module` for one that this version does not know.
   */
  operate(code: number, start: number): void {
    const effect = stackEffect(code, start);
    const base = this.base();
    this.tracker?.operate(code, start, effect >> 4, effect & 15, base);
    this.height = Math.max(base, this.height - (effect >> 4));
    this.rise(effect & 15);
  }

  pop(count: number): void {
    this.tracker?.use(count);
    this.height = Math.max(this.base(), this.height - count);
  }

  push(count: number): void {
    this.tracker?.push(count);
    this.rise(count);
  }

  /** A block begins, on operands that are there. */
  enter(params: number): void {
    this.pop(params);
    this.bases.push(this.height);
    this.push(params);
  }

  /** The block's other arm begins, or a handler. */
  restart(params: number): void {
    this.cut();
    this.push(params);
  }

  leave(results: number): void {
    this.cut();
    this.bases.pop();
    this.push(results);
  }

  /** All operands are carried to a label, or may be. */
  carry(): void {
    this.tracker?.useAll();
  }

  /** Nothing goes on from here: the block's operands are gone, to where they may be seen. */
  cut(): void {
    this.tracker?.useAll();
    this.height = this.base();
    this.tracker?.cut(this.height);
  }

  private base(): number {
    return this.bases[this.bases.length - 1] ?? 0;
  }

  private rise(count: number): void {
    this.height += count;
    if (this.height > this.most) this.most = this.height;
  }
}
