import type { WatField, WatFieldKind } from './document.ts';

/**
 * The index that a number of the text format means (core specification 3.0, 6.3.1); `undefined` for
 * what is no unsigned number of 32 bits.
 */
export function parseIndex(written: string): number | undefined {
  if (!/^(?:\d+(?:_\d+)*|0x[\da-fA-F]+(?:_[\da-fA-F]+)*)$/.test(written)) return undefined;
  const value = Number(written.replaceAll('_', ''));
  return value < 2 ** 32 ? value : undefined;
}

/** The fields of each index space, by index and by identifier. */
export class IndexSpaces {
  readonly #spaces = new Map<WatFieldKind, WatField[]>();
  /** Made when the first identifier of a space is looked for. */
  readonly #identifiers = new Map<WatFieldKind, ReadonlyMap<string, number>>();

  constructor(fields: readonly WatField[]) {
    for (const field of fields) {
      const space = this.#spaces.get(field.kind);
      if (space === undefined) this.#spaces.set(field.kind, [field]);
      else space.push(field);
    }
  }

  of(kind: WatFieldKind): readonly WatField[] {
    return this.#spaces.get(kind) ?? [];
  }

  /**
   * The index that an identifier (as it is compared) or a number stands for; it may be none that is
   * defined. Of two fields with one identifier the first has it.
   */
  find(kind: WatFieldKind, use: string): number | undefined {
    return use.startsWith('$') ? this.#identifiersOf(kind).get(use) : parseIndex(use);
  }

  #identifiersOf(kind: WatFieldKind): ReadonlyMap<string, number> {
    const known = this.#identifiers.get(kind);
    if (known !== undefined) return known;
    const made = new Map<string, number>();
    for (const { identifier, index } of this.of(kind)) {
      if (identifier !== '' && !made.has(identifier)) made.set(identifier, index);
    }
    this.#identifiers.set(kind, made);
    return made;
  }
}
