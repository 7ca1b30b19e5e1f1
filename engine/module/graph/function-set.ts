/** Told of each member: the function, and its index in the table or -1 where that is not known. */
export type MemberVisitor = (functionIndex: number, elementIndex: number) => void;

/** A run of functions: at `base` of a table, or at a place that is not known. */
export interface Run {
  /** Function indices in order; negative ones hold no function. */
  readonly functions: readonly number[];
  readonly base: number | undefined;
}

/**
 * Functions that may be called through one place: a table, or references. Sorted by function type on
 * first use, in typed arrays: a table may have millions of elements.
 */
export class FunctionSet {
  private readonly runs: readonly Run[];
  private byType: TypeIndex | undefined;

  constructor(runs: readonly Run[]) {
    this.runs = runs;
  }

  forEach(visit: MemberVisitor): void {
    for (const { functions, base } of this.runs) {
      for (let i = 0; i < functions.length; i++) {
        const functionIndex = functions[i] ?? -1;
        if (functionIndex >= 0) visit(functionIndex, base === undefined ? -1 : base + i);
      }
    }
  }

  /**
   * Visits those whose type is `typeKey` or a declared subtype of it, in order.
   * @param typeKeysOf the keys of a function's own type and of its supertypes.
   */
  forEachOfType(
    typeKey: number,
    typeKeysOf: (functionIndex: number) => readonly number[],
    visit: MemberVisitor,
  ): void {
    const { starts, functions, elements } = this.sorted(typeKeysOf);
    const { start, end } = starts.get(typeKey) ?? NOWHERE;
    for (let i = start; i < end; i++) visit(functions[i] ?? 0, elements[i] ?? -1);
  }

  /** How many {@link forEachOfType} visits. */
  countOfType(typeKey: number, typeKeysOf: (functionIndex: number) => readonly number[]): number {
    const { start, end } = this.sorted(typeKeysOf).starts.get(typeKey) ?? NOWHERE;
    return end - start;
  }

  private sorted(typeKeysOf: (functionIndex: number) => readonly number[]): TypeIndex {
    this.byType ??= sortByType(this, typeKeysOf);
    return this.byType;
  }
}

const NOWHERE = { start: 0, end: 0 };

interface TypeIndex {
  readonly starts: ReadonlyMap<number, { readonly start: number; readonly end: number }>;
  readonly functions: Int32Array;
  readonly elements: Float64Array;
}

function sortByType(
  set: FunctionSet,
  typeKeysOf: (functionIndex: number) => readonly number[],
): TypeIndex {
  const counts = new Map<number, number>();
  set.forEach((functionIndex) => {
    for (const key of typeKeysOf(functionIndex)) counts.set(key, (counts.get(key) ?? 0) + 1);
  });
  const starts = new Map<number, { start: number; end: number }>();
  let total = 0;
  for (const [key, count] of counts) {
    starts.set(key, { start: total, end: total });
    total += count;
  }
  const functions = new Int32Array(total);
  const elements = new Float64Array(total);
  set.forEach((functionIndex, elementIndex) => {
    for (const key of typeKeysOf(functionIndex)) {
      const place = starts.get(key);
      if (place === undefined) continue;
      functions[place.end] = functionIndex;
      elements[place.end] = elementIndex;
      place.end++;
    }
  });
  return { starts, functions, elements };
}
