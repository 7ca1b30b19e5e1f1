import type { UnrolledLoop } from './analysis.ts';

/** Bodies of at most so many bytes are written so many times. */
const UNROLLED: readonly (readonly [bytes: number, copies: number])[] = [
  [256, 4],
  [512, 2],
];

/** A loop that has not ended yet. */
export interface OpenLoop {
  readonly ordinal: number;
  /** Where its instructions begin. */
  readonly start: number;
  /** Whether anything branches to it again. */
  repeats: boolean;
  /** Whether nothing in it keeps it from being written several times. */
  isSimple: boolean;
}

/** Finds the small innermost loops that only compute: their rounds can be paid for together. */
export class UnrolledLoops {
  /** By ordinal. */
  readonly found = new Map<number, UnrolledLoop>();
  /** The loop around here that holds no other so far. */
  private innermost: OpenLoop | undefined;

  enter(ordinal: number, start: number, params: number): OpenLoop {
    const loop = { ordinal, start, repeats: false, isSimple: params === 0 };
    this.innermost = loop;
    return loop;
  }

  /** The loop around here is not one that can be written several times. */
  complicate(): void {
    if (this.innermost !== undefined) this.innermost.isSimple = false;
  }

  /** @returns how many times the loop that ends here is written. */
  leave({ ordinal, start, isSimple, repeats }: OpenLoop, end: number): number {
    this.innermost = undefined;
    if (!isSimple || !repeats) return 1;
    const copies = UNROLLED.find(([bytes]) => end - start <= bytes)?.[1];
    if (copies === undefined) return 1;
    this.found.set(ordinal, { copies, end });
    return copies;
  }
}
