// What a C or C++ text says of a function, by indices of plain tokens: it outlives the tree.

import type { ValueType } from '../whitelist/types.ts';
import type { Lifted } from './c-attributes.ts';
import type { WasmSignature } from './c-types.ts';

/** A run of plain tokens, by the indices of its first and its last. */
export interface Span {
  readonly first: number;
  readonly last: number;
}

/** A function that a text declares or defines. */
export interface FoundFunction {
  readonly identifier: string;
  /** What the linker calls it: the identifier, a label, or the mangled name of C++. */
  readonly symbol: string;
  readonly isDefinition: boolean;
  /** Absent where the text does not tell the types. */
  readonly signature?: WasmSignature;
  /** What was lifted out of the declaration and holds for this declarator. */
  readonly lifted: readonly Lifted[];
  /** The whole declaration, `extern "C"` included. */
  readonly declaration: Span;
  /** The declarator; `place` tells it from its siblings. */
  readonly declarator: Span;
  readonly place: 'only' | 'first' | 'later';
  readonly name: number;
  /** Absent for a function whose type is an alias. */
  readonly parts?: FunctionParts;
}

/** The pieces of a declaration that give a function its type. */
export interface FunctionParts {
  /** The list, parentheses included. */
  readonly list: Span;
  readonly parameters: readonly (Span & {
    readonly name?: string;
    readonly value?: ValueType;
    readonly hasDefault: boolean;
  })[];
  /** Whether the list leaves open what is passed: `()` in C, and `(int, ...)`. */
  readonly isOpen: boolean;
  readonly result: ResultParts & {
    readonly value: ValueType | 'void' | undefined;
    /** Asterisks between the type and the declarator of the function. */
    readonly pointers?: Span;
  };
  /** Whether the result stands behind the parameters: `auto f() -> int`. */
  readonly isTrailing: boolean;
}

/** The specifiers that the functions of one declaration share. */
export interface ResultParts {
  readonly type?: Span;
  readonly qualifiers: readonly Span[];
}
