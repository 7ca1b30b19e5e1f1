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
