import type { WatSpace, WatSymbol } from './document.ts';
import { type IndexSpaces, parseIndex } from './index-spaces.ts';
import type { References } from './references.ts';
import { identifierText } from './strings.ts';

/** What a module makes use of, gathered in one pass over all uses when it is first asked for. */
export class Usage {
  readonly #used = new Map<WatSpace, Set<number>>();
  readonly #greatest = new Map<WatSpace, number>();

  constructor(text: string, references: References, spaces: IndexSpaces) {
    for (const { space, range } of references.all()) {
      if (space === 'local') continue;
      const use = identifierText(text.slice(range.offset, range.offset + range.length));
      if (!use.startsWith('$')) {
        // A number that is none counts as any.
        const number = parseIndex(use) ?? Number.POSITIVE_INFINITY;
        this.#greatest.set(space, Math.max(this.greatestNumber(space), number));
      }
      const index = spaces.find(space, use);
      const used = this.#used.get(space) ?? new Set();
      this.#used.set(space, used);
      if (index !== undefined && index < spaces.of(space).length) used.add(index);
    }
  }

  isUsed({ kind, index }: WatSymbol): boolean {
    if (kind === 'export' || kind === 'start' || kind === 'import') return false;
    return this.#used.get(kind)?.has(index) === true;
  }

  /** The greatest index of a space that is written as a number; -1 where none is. */
  greatestNumber(space: WatSpace): number {
    return this.#greatest.get(space) ?? -1;
  }
}
