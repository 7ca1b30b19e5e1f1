import type { ParsedModule } from '../parsed-module.ts';

const NO_KEYS: readonly number[] = [];

/**
 * Equality of function types. Two type indices with one structure have one key, since
 * `call_indirect` compares structures, not indices (core specification 4.6.7). Where a type refers to
 * another by index, that index does not count, so that no equal types are ever told apart.
 */
export class FunctionTypes {
  private readonly keysOfType: readonly (readonly number[])[];
  private readonly functionTypes: readonly number[];

  constructor({ types, functionTypes }: Pick<ParsedModule, 'types' | 'functionTypes'>) {
    const keyOfText = new Map<string, number>();
    const keysOfType: (readonly number[])[] = [];
    for (const { text, supertypes } of types) {
      if (text === undefined) {
        keysOfType.push(NO_KEYS);
        continue;
      }
      const structure = text.replace(/\(ref (null )?\d+\)/g, '(ref $1_)');
      const key = keyOfText.get(structure) ?? keyOfText.size;
      keyOfText.set(structure, key);
      const inherited = supertypes.flatMap((supertype) => keysOfType[supertype] ?? []);
      keysOfType.push([...new Set([key, ...inherited])]);
    }
    this.keysOfType = keysOfType;
    this.functionTypes = functionTypes;
  }

  /** The key of a function type, or -1 if the index names none. */
  keyOfType(typeIndex: number): number {
    return this.keysOfType[typeIndex]?.[0] ?? -1;
  }

  /** The keys under which a function can be called: of its own type and of declared supertypes. */
  readonly keysOfFunction = (functionIndex: number): readonly number[] =>
    this.keysOfType[this.functionTypes[functionIndex] ?? -1] ?? NO_KEYS;
}
