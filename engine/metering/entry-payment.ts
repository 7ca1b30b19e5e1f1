/**
 * Where a body need not pay for its entry's region: at cheap exits, and at the ends of blocks behind
 * which nothing comes that has to be paid for before it happens.
 */
export class EntryPayment {
  /** Offsets of exits to which no way costs more than the call has paid, unless work is on it. */
  readonly cheapExits = new Set<number>();
  /** Ordinals of the blocks that hold work. */
  private readonly working = new Set<number>();
  private lastWork = -1;
  private lastExpensiveExit = -1;
  /** Where working blocks end. */
  private readonly ends: (readonly [ordinal: number, offset: number])[] = [];

  /** Ordinals of the blocks at whose end every way must have paid, when the whole body is known. */
  get paidAtEnd(): ReadonlySet<number> {
    if (this.lastExpensiveExit > this.lastWork) return this.working;
    return new Set(this.ends.filter(([, end]) => end <= this.lastWork).map(([ordinal]) => ordinal));
  }

  /** Work at an offset, directly in a block. */
  work(ordinal: number, offset: number): void {
    this.working.add(ordinal);
    this.lastWork = offset;
  }

  /** At an offset the function may be left, or is. */
  exit(offset: number, isPrepaid: boolean): void {
    if (isPrepaid) this.cheapExits.add(offset);
    else this.lastExpensiveExit = offset;
  }

  /** A block ends at an offset, inside the outer one if there is one. */
  leave(ordinal: number, outer: number | undefined, offset: number): void {
    if (!this.working.has(ordinal)) return;
    this.ends.push([ordinal, offset]);
    if (outer !== undefined) this.working.add(outer);
  }
}
