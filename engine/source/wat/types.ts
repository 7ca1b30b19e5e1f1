import type { IndexSpaces } from './index-spaces.ts';
import { Scanner, TOKEN } from './scanner.ts';
import { type FunctionType, readSignature, type Signature, spelledType } from './signature.ts';
import type { FindType } from './value-types.ts';

/** The function types that a text defines, read when they are asked for. */
export class DefinedTypes {
  readonly #text: string;
  readonly #spaces: IndexSpaces;
  readonly #known = new Map<number, FunctionType | undefined>();

  constructor(text: string, spaces: IndexSpaces) {
    this.#text = text;
    this.#spaces = spaces;
  }

  readonly find: FindType = (use) => this.#spaces.find('type', use);

  /** `undefined` for an index that is not there, or is of no function type. */
  functionType(index: number): FunctionType | undefined {
    if (this.#known.has(index)) return this.#known.get(index);
    const type = this.#read(index);
    this.#known.set(index, type);
    return type;
  }

  /** What a type use means: the type it names, or without a name what it spells out. */
  typeOf(signature: Signature): FunctionType | undefined {
    if (signature.type === undefined) return spelledType(signature);
    const index = this.find(signature.type);
    const named = index === undefined ? undefined : this.functionType(index);
    if (named !== undefined) return named;
    const isSpelled = signature.params?.length !== 0 || signature.results?.length !== 0;
    return isSpelled ? spelledType(signature) : undefined;
  }

  /** `(type $t (func …))`, or in the long form `(type $t (sub final $s (func …)))`. */
  #read(index: number): FunctionType | undefined {
    const field = this.#spaces.of('type')[index];
    if (field === undefined) return undefined;
    const end = field.range.offset + field.range.length;
    const scanner = new Scanner(this.#text, field.mark.offset, end);
    scanner.next();
    scanner.next();
    if (scanner.kind !== TOKEN.open) return undefined;
    scanner.next();
    if (scanner.is('sub')) {
      do scanner.next();
      while (scanner.at(TOKEN.identifier) || scanner.at(TOKEN.number) || scanner.is('final'));
      if (!scanner.at(TOKEN.open)) return undefined;
      scanner.next();
    }
    if (!scanner.is('func')) return undefined;
    scanner.next();
    return spelledType(readSignature(scanner, this.find));
  }
}
