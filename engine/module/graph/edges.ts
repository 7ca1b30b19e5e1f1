/** Unsigned numbers of 32 bits in an array that grows. */
class GrowingArray {
  private array = new Uint32Array(1024);
  length = 0;

  push(value: number): void {
    if (this.length === this.array.length) {
      const larger = new Uint32Array(this.length * 2);
      larger.set(this.array);
      this.array = larger;
    }
    this.array[this.length++] = value;
  }

  at(index: number): number {
    return this.array[index] ?? 0;
  }

  set(index: number, value: number): void {
    this.array[index] = value;
  }
}

/**
 * The edges of a call graph, compact: for each function of the module the nodes that it reaches and
 * the byte offset of the first instruction that does. Nodes below `functionCount` are functions, the
 * others what the caller numbers so. Edges are added function by function, in ascending order.
 */
export class Edges {
  private readonly targets = new GrowingArray();
  private readonly offsets = new GrowingArray();
  private readonly starts: Uint32Array;
  private readonly ends: Uint32Array;
  /** For each node, one more than the last function that reached it: to add each edge once. */
  private readonly reachedBy = new GrowingArray();
  private source = 0;

  constructor(functionCount: number) {
    this.starts = new Uint32Array(functionCount);
    this.ends = new Uint32Array(functionCount);
    for (let i = 0; i < functionCount; i++) this.reachedBy.push(0);
  }

  /** Begins the edges of `functionIndex`. */
  begin(functionIndex: number): void {
    this.source = functionIndex;
    this.starts[functionIndex] = this.targets.length;
    this.ends[functionIndex] = this.targets.length;
  }

  /** Adds an edge to `node`, unless the function has one already. */
  add(node: number, offset: number): void {
    while (this.reachedBy.length <= node) this.reachedBy.push(0);
    if (this.reachedBy.at(node) === this.source + 1) return;
    this.reachedBy.set(node, this.source + 1);
    this.targets.push(node);
    this.offsets.push(offset);
    this.ends[this.source] = this.targets.length;
  }

  firstOf(functionIndex: number): number {
    return this.starts[functionIndex] ?? 0;
  }

  endOf(functionIndex: number): number {
    return this.ends[functionIndex] ?? 0;
  }

  target(edge: number): number {
    return this.targets.at(edge);
  }

  offset(edge: number): number {
    return this.offsets.at(edge);
  }
}
