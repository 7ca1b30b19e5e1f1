/**
 * Where the instructions of rewritten bodies came from. Bodies are told one after the other; within
 * one, a mark is kept only where the distance between the two offsets changes.
 */
export class PositionRecorder {
  private readonly written: number[] = [];
  private readonly original: number[] = [];
  /** For each body: its first mark, and where its instructions begin in the rewritten module. */
  private readonly firstMarks: number[] = [];
  private readonly starts: number[] = [];

  /** The instructions of the next body follow, counted from 0. */
  begin(): void {
    this.firstMarks.push(this.written.length);
  }

  /** At offset `written` of the body stands what was at offset `original` of the module. */
  mark(written: number, original: number): void {
    const last = this.written.length - 1;
    const isFirst = last < (this.firstMarks.at(-1) ?? 0);
    const distance = (this.original[last] ?? 0) - (this.written[last] ?? 0);
    if (!isFirst && original - written === distance) return;
    this.written.push(written);
    this.original.push(original);
  }

  /** The instructions of the last body begin at this offset of the code section's bodies. */
  place(start: number): void {
    this.starts.push(start);
  }

  /** @param base offset, in the rewritten module, that the places were counted from. */
  finish(base: number): Positions {
    return new Positions(
      Uint32Array.from(this.written),
      Uint32Array.from(this.original),
      Uint32Array.from([...this.firstMarks, this.written.length]),
      Uint32Array.from(this.starts, (start) => start + base),
    );
  }
}

/** Finds the places of the original module that places of the rewritten one came from. */
export class Positions {
  private readonly written: Uint32Array;
  private readonly original: Uint32Array;
  private readonly firstMarks: Uint32Array;
  private readonly starts: Uint32Array;

  constructor(
    written: Uint32Array,
    original: Uint32Array,
    firstMarks: Uint32Array,
    starts: Uint32Array,
  ) {
    this.written = written;
    this.original = original;
    this.firstMarks = firstMarks;
    this.starts = starts;
  }

  /**
   * The byte offset, in the original module, of the instruction at a byte offset of the rewritten
   * one. What was put in belongs to the instruction that it was put before.
   * @returns `undefined` for an offset that lies in no function body.
   */
  toOriginal(offset: number): number | undefined {
    const body = lastAtMost(this.starts, offset, 0, this.starts.length);
    if (body < 0) return undefined;
    const first = this.firstMarks[body] ?? 0;
    const limit = this.firstMarks[body + 1] ?? first;
    if (first === limit) return undefined;
    const within = offset - (this.starts[body] ?? 0);
    const mark = Math.max(first, lastAtMost(this.written, within, first, limit));
    const distance = Math.max(0, within - (this.written[mark] ?? 0));
    const found = (this.original[mark] ?? 0) + distance;
    // A loop that is written several times begins anew: the next mark lies before this one then.
    const next = mark + 1 < limit ? (this.original[mark + 1] ?? 0) : 0;
    return next > (this.original[mark] ?? 0) ? Math.min(found, next) : found;
  }
}

/** The last index from `first` up whose value is at most `value`, in ascending values; else first − 1. */
function lastAtMost(values: Uint32Array, value: number, first: number, limit: number): number {
  let low = first;
  let high = limit;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
