import type { WatReference, WatSpace } from './document.ts';

/** Every space; a reference keeps the place of its own in this list. */
const SPACES: readonly (WatSpace | undefined)[] = [
  undefined,
  'function',
  'type',
  'table',
  'memory',
  'global',
  'tag',
  'element',
  'data',
  'local',
];
const CODES: ReadonlyMap<WatSpace | undefined, number> = new Map(
  SPACES.map((space, code) => [space, code]),
);
const SPACE_BITS = 4;
const SPACE_MASK = (1 << SPACE_BITS) - 1;

/**
 * The uses of identifiers and indices in the order of the text, eight bytes each: a text of 16 Mi
 * may hold five million. No text above 2²⁷ units fits.
 */
export class References {
  #starts = new Int32Array(256);
  /** Length and space of each. */
  #rest = new Int32Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** @param space `undefined` for one that may turn out to be none, see {@link setLastSpace}. */
  add(start: number, end: number, space: WatSpace | undefined): void {
    if (this.#length === this.#starts.length) this.#grow();
    this.#starts[this.#length] = start;
    this.#rest[this.#length++] = ((end - start) << SPACE_BITS) | (CODES.get(space) ?? 0);
  }

  /** What was read last means another space than it seemed to. */
  setLastSpace(space: WatSpace | undefined): void {
    const last = this.#length - 1;
    const length = (this.#rest[last] ?? 0) & ~SPACE_MASK;
    this.#rest[last] = length | (CODES.get(space) ?? 0);
  }

  at(index: number): WatReference | undefined {
    const start = this.#starts[index];
    const rest = this.#rest[index];
    if (start === undefined || rest === undefined || index >= this.#length) return undefined;
    const space = SPACES[rest & SPACE_MASK];
    return space && { space, range: { offset: start, length: rest >>> SPACE_BITS } };
  }

  /** The use that holds an offset, its edges included. */
  around(offset: number): WatReference | undefined {
    const found = this.at(this.#firstFrom(offset + 1) - 1);
    return found && offset <= found.range.offset + found.range.length ? found : undefined;
  }

  *all(): Generator<WatReference> {
    for (let index = 0; index < this.#length; index++) {
      const reference = this.at(index);
      if (reference) yield reference;
    }
  }

  /** The uses of a space that begin in a piece of the text. */
  *within(space: WatSpace, from: number, to: number): Generator<WatReference> {
    const code = CODES.get(space) ?? 0;
    for (let index = this.#firstFrom(from); index < this.#length; index++) {
      if ((this.#starts[index] ?? 0) >= to) return;
      if (((this.#rest[index] ?? 0) & SPACE_MASK) !== code) continue;
      const reference = this.at(index);
      if (reference) yield reference;
    }
  }

  /** The place of the first use that begins at an offset or after it. */
  #firstFrom(offset: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? 0) < offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    this.#starts = grown(this.#starts);
    this.#rest = grown(this.#rest);
  }
}

function grown(values: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * values.length);
  larger.set(values);
  return larger;
}
