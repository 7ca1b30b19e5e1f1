/** Where a program lies in a host, and what must be sent before a job can name it. */
export interface Placement {
  /** The number under which the host knows the program. */
  readonly slot: number;
  /** Whether the host holds it already. */
  readonly isHeld: boolean;
  /** The numbers whose programs the host shall forget first. */
  readonly forgotten: readonly number[];
}

export interface ProgramBounds {
  readonly count: number;
  /** Bytes of all programs together; one that is larger is held alone. */
  readonly bytes: number;
}

const BOUNDS: ProgramBounds = Object.freeze({ count: 64, bytes: 64 * 1024 * 1024 });

/**
 * The parent's list of the programs that one host holds, the least recently used first. The parent
 * alone decides what is kept: the host follows, so that the two lists cannot differ.
 */
export class HeldPrograms {
  readonly #bounds: ProgramBounds;
  readonly #held = new Map<string, { readonly slot: number; readonly bytes: number }>();
  #bytes = 0;

  constructor(bounds: ProgramBounds = BOUNDS) {
    this.#bounds = bounds;
  }

  /** Whether the host holds the program of this id. */
  has(id: string): boolean {
    return this.#held.has(id);
  }

  /** Uses a program that is held, or makes room for one of `bytes` bytes and notes it as held. */
  place(id: string, bytes: number): Placement {
    const known = this.#held.get(id);
    if (known !== undefined) {
      this.#held.delete(id);
      this.#held.set(id, known);
      return { slot: known.slot, isHeld: true, forgotten: NOTHING };
    }
    const forgotten = this.#makeRoom(bytes);
    const slot = this.#freeSlot();
    this.#held.set(id, { slot, bytes });
    this.#bytes += bytes;
    return { slot, isHeld: false, forgotten };
  }

  #makeRoom(bytes: number): readonly number[] {
    const forgotten: number[] = [];
    for (const [id, entry] of this.#held) {
      const isFull = this.#held.size >= this.#bounds.count;
      if (!isFull && this.#bytes + bytes <= this.#bounds.bytes) break;
      this.#held.delete(id);
      this.#bytes -= entry.bytes;
      forgotten.push(entry.slot);
    }
    return forgotten;
  }

  #freeSlot(): number {
    const taken = new Set([...this.#held.values()].map(({ slot }) => slot));
    let slot = 0;
    while (taken.has(slot)) slot++;
    return slot;
  }
}

const NOTHING: readonly number[] = Object.freeze([]);
