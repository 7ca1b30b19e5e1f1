// Types of AssemblyScript, and the WebAssembly types that `asc` gives them on wasm32.

import type { Node } from 'web-tree-sitter';
import { childOf, textOf } from './syntax.ts';

/** The text of a value type, as `ImportEntry.type` has it, or `void`. */
export type TypeText = string;

const BUILTINS: ReadonlyMap<string, TypeText> = new Map([
  ...'i8 i16 i32 u8 u16 u32 isize usize bool boolean'
    .split(' ')
    .map((name): [string, TypeText] => [name, 'i32']),
  ['i64', 'i64'],
  ['u64', 'i64'],
  ['f32', 'f32'],
  ['f64', 'f64'],
  ['number', 'f64'],
  ['v128', 'v128'],
  ['void', 'void'],
  ...'externref funcref anyref eqref structref arrayref i31ref'
    .split(' ')
    .map((name): [string, TypeText] => [name, name]),
  // Managed objects are addresses.
  ...(
    'string String symbol Symbol Object Function Array StaticArray ArrayBuffer DataView Map Set Date ' +
    'Error TypeError RangeError SyntaxError URIError Int8Array Uint8Array Uint8ClampedArray ' +
    'Int16Array Uint16Array Int32Array Uint32Array Int64Array Uint64Array Float32Array Float64Array'
  )
    .split(' ')
    .map((name): [string, TypeText] => [name, 'i32']),
]);

/** Aliases of aliases past this are not followed; they may go in a circle. */
const MAX_STEPS = 64;

/** The types that a text names itself. */
export class TypeNames {
  readonly #text: string;
  /** An alias by what it stands for; `object` is a class, an interface or an enumeration. */
  readonly #names = new Map<string, Node | 'object' | 'several'>();

  constructor(text: string) {
    this.#text = text;
  }

  /** Remembers what a declaration names. A name of several types, in namespaces, tells none. */
  add(declaration: Node): void {
    const name = childOf(declaration, 'name');
    if (name === undefined) return;
    const word = textOf(name, this.#text);
    const isGeneric = childOf(declaration, 'type_parameters') !== undefined;
    const alias = declaration.type === 'type_alias_declaration' && childOf(declaration, 'value');
    const meaning = alias === false ? 'object' : isGeneric ? 'several' : (alias ?? 'several');
    this.#names.set(word, this.#names.has(word) ? 'several' : meaning);
  }

  /** The type of a type's node; `undefined` where this text does not tell it. */
  typeOf(type: Node | undefined): TypeText | undefined {
    let node = type;
    for (let steps = 0; node !== undefined && steps < MAX_STEPS; steps++) {
      switch (node.type) {
        case 'type_annotation':
        case 'parenthesized_type':
          node = node.namedChild(0) ?? undefined;
          break;
        case 'union_type':
          node = besideNull(node);
          break;
        case 'array_type':
        case 'function_type':
          return 'i32';
        case 'generic_type': {
          // What an alias with parameters stands for depends on them.
          const name = childOf(node, 'name');
          const word = name === undefined ? '' : textOf(name, this.#text);
          const own = this.#names.get(word);
          return own === 'object' || (own === undefined && BUILTINS.get(word) === 'i32')
            ? 'i32'
            : undefined;
        }
        case 'type_identifier':
        case 'predefined_type': {
          const word = textOf(node, this.#text);
          const own = this.#names.get(word);
          if (own === undefined) return BUILTINS.get(word);
          if (own === 'object') return 'i32';
          node = own === 'several' ? undefined : own;
          break;
        }
        default:
          return undefined;
      }
    }
    return undefined;
  }
}

/** `T` of `T | null`, the one union that AssemblyScript has. */
function besideNull(union: Node): Node | undefined {
  const members = union.namedChildren.filter(({ type }) => type !== 'comment');
  const others = members.filter(
    ({ type, firstChild }) => !(type === 'literal_type' && firstChild?.type === 'null'),
  );
  return members.length === 2 && others.length === 1 ? others[0] : undefined;
}
