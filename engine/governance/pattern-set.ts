/**
 * Texts of a set, found in a longer text in one pass over its UTF-16 units, however many they are and
 * however they overlap (A. V. Aho, M. J. Corasick, "Efficient string matching", 1975). A state stands for
 * the longest end of what was read that is the beginning of a text of the set; 0 for none.
 */
export class PatternSet {
  /** Of a state: the last unit read, how many may be a beginning, and where to go on for another unit. */
  readonly #unit: Uint16Array;
  readonly #depth: Int32Array;
  readonly #fallback: Int32Array;
  /** The states one unit further: the first of them, and the next beside each. */
  readonly #child: Int32Array;
  readonly #sibling: Int32Array;
  /** The longest text of the set that ends in a state: its length, 0 for none, and its label. */
  readonly #length: Int32Array;
  readonly #label: Int32Array;
  /** The states after 0, by unit. */
  readonly #first = new Int32Array(65_536);
  #size = 1;

  /** @param patterns no empty texts. Of equal ones the first counts. */
  constructor(patterns: readonly { readonly text: string; readonly label: number }[]) {
    const most = 1 + patterns.reduce((sum, { text }) => sum + text.length, 0);
    const column = () => new Int32Array(most);
    this.#unit = new Uint16Array(most);
    this.#depth = column();
    this.#fallback = column();
    this.#child = column();
    this.#sibling = column();
    this.#length = column();
    this.#label = column();
    for (const { text, label } of patterns) this.#add(text, label);
    this.#link();
  }

  /** The state after one more unit. */
  next(state: number, unit: number): number {
    for (let from = state; from !== 0; from = this.#fallback[from] ?? 0) {
      const found = this.#below(from, unit);
      if (found !== 0) return found;
    }
    return this.#first[unit] ?? 0;
  }

  /** How many of the last units could be the beginning of a text of the set that is longer than they are. */
  depth(state: number): number {
    return this.#depth[state] ?? 0;
  }

  /** The length of the longest text of the set that ends here; 0 where none does. */
  matched(state: number): number {
    return this.#length[state] ?? 0;
  }

  /** The label of that text. */
  label(state: number): number {
    return this.#label[state] ?? 0;
  }

  /** Whether a text holds any of the set. */
  isIn(text: string): boolean {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      state = this.next(state, text.charCodeAt(i));
      if (this.matched(state) !== 0) return true;
    }
    return false;
  }

  #below(state: number, unit: number): number {
    let child = this.#child[state] ?? 0;
    while (child !== 0 && this.#unit[child] !== unit) child = this.#sibling[child] ?? 0;
    return child;
  }

  #add(text: string, label: number): void {
    let state = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      const known = state === 0 ? (this.#first[unit] ?? 0) : this.#below(state, unit);
      state = known === 0 ? this.#grow(state, unit) : known;
    }
    if (this.#length[state] !== 0) return;
    this.#length[state] = text.length;
    this.#label[state] = label;
  }

  #grow(parent: number, unit: number): number {
    const state = this.#size++;
    this.#unit[state] = unit;
    this.#depth[state] = this.depth(parent) + 1;
    this.#sibling[state] = this.#child[parent] ?? 0;
    this.#child[parent] = state;
    if (parent === 0) this.#first[unit] = state;
    return state;
  }

  /** Sets where states fall back to, in order of depth: each is found by the one before it. */
  #link(): void {
    const queue = [0];
    for (const state of queue) {
      for (let each = this.#child[state] ?? 0; each !== 0; each = this.#sibling[each] ?? 0) {
        const fallback =
          state === 0 ? 0 : this.next(this.#fallback[state] ?? 0, this.#unit[each] ?? 0);
        this.#fallback[each] = fallback;
        if (this.#length[each] === 0) {
          this.#length[each] = this.matched(fallback);
          this.#label[each] = this.label(fallback);
        }
        // Nothing goes on from here: only a later beginning can still become a text of the set.
        if (this.#child[each] === 0) this.#depth[each] = this.depth(fallback);
        queue.push(each);
      }
    }
  }
}
