// Reads types and declarators out of the tree of a C or C++ text: from a base type inwards to the name
// that is declared (C17 6.7.6).

import type { Node } from 'web-tree-sitter';
import type { PlainText } from './c-plain-text.ts';
import {
  builtinType,
  type CType,
  type FunctionType,
  type Qualifier,
  standardType,
  UNKNOWN,
  valueTypeOf,
} from './c-types.ts';
import { childOf } from './syntax.ts';

/** What a declarator declares. */
export interface Declarator {
  readonly type: CType;
  /** The node of the name; absent for a parameter without one. */
  readonly name?: Node;
  /** The node of a function's own declarator: name, parameters, and what follows them. */
  readonly function?: Node;
}

/** Types that a text names, and the kind of its language. */
export class TypeNames {
  readonly #names = new Map<string, CType>();
  readonly isCpp: boolean;

  constructor(isCpp: boolean) {
    this.isCpp = isCpp;
  }

  /** Remembers a name. One that stands for several types, in branches or scopes, stands for none. */
  add(name: string, type: CType): void {
    const known = this.#names.get(name);
    this.#names.set(name, known === undefined || isAlike(known, type) ? type : UNKNOWN);
  }

  lookUp(name: string): CType | undefined {
    return this.#names.get(name);
  }
}

function isAlike(a: CType, b: CType): boolean {
  if (a.kind === 'named' && b.kind === 'named' && a.scope.join('::') !== b.scope.join('::'))
    return false;
  return valueTypeOf(a) === valueTypeOf(b);
}

/** What engines take as a function's parameters (WebAssembly JavaScript Interface, 6). */
const MAX_PARAMETERS = 1000;
/** A declarator inside a declarator inside … deeper than this is not followed. */
const MAX_DEPTH = 32;

export class DeclaratorReader {
  readonly #plain: PlainText;
  readonly #names: TypeNames;

  constructor(plain: PlainText, names: TypeNames) {
    this.#plain = plain;
    this.#names = names;
  }

  /** The type that a declaration or a parameter begins with, before its declarators. */
  baseOf(node: Node): CType {
    const type = childOf(node, 'type');
    if (type === undefined) return UNKNOWN;
    return qualify(this.#specifier(type), qualifiersOf(node));
  }

  /** Follows a declarator down to its name. */
  read(base: CType, declarator: Node | undefined, depth = 0): Declarator {
    let type = base;
    let node = declarator;
    let ofFunction: Node | undefined;
    while (node !== undefined) {
      const kind = node.type.replace(/^abstract_/, '');
      if (kind === 'pointer_declarator') {
        type = qualify({ kind: 'pointer', of: type }, qualifiersOf(node));
      } else if (kind === 'reference_declarator') {
        type = { kind: node.child(0)?.type === '&&' ? 'rvalue-reference' : 'reference', of: type };
      } else if (kind === 'array_declarator') {
        type = { kind: 'array', of: type };
      } else if (kind === 'function_declarator') {
        type = this.#function(type, node, depth);
        ofFunction = node;
      } else if (!WRAPPERS.has(kind)) {
        const isName = NAMES.has(kind);
        const found = { type: isName ? type : UNKNOWN, ...(isName ? { name: node } : {}) };
        return ofFunction === undefined ? found : { ...found, function: ofFunction };
      }
      node = innerOf(node);
    }
    return { type };
  }

  /** What stands between a function's parentheses: each parameter's node with what it declares. */
  parameters(list: Node, depth = 0): { readonly node: Node; readonly declared: Declarator }[] {
    if (list.namedChildCount > MAX_PARAMETERS) return [];
    return list.namedChildren
      .filter((node) => PARAMETERS.has(node.type))
      .map((node) => ({
        node,
        declared: this.read(this.baseOf(node), childOf(node, 'declarator'), depth + 1),
      }));
  }

  #function(result: CType, node: Node, depth: number): CType {
    const list = childOf(node, 'parameters');
    if (list === undefined || depth > MAX_DEPTH) return UNKNOWN;
    // What does not parse is a parameter of its own, of a type that nobody knows.
    if (list.hasError || list.namedChildCount > MAX_PARAMETERS)
      return { kind: 'function', result, parameters: [UNKNOWN], list: 'closed' };
    const trailing = node.namedChildren.find((child) => child.type === 'trailing_return_type');
    const types = this.parameters(list, depth).map(({ declared }) => declared.type);
    const only = types.length === 1 ? types[0] : undefined;
    const isVoid = only?.kind === 'builtin' && only.builtin.value === 'void';
    const isVariadic = list.children.some((child) => /^\.\.\.$|^variadic_/.test(child.type));
    const isEmpty = types.length === 0 && !isVariadic;
    return {
      kind: 'function',
      result: trailing === undefined ? result : this.#typeId(trailing.namedChild(0)),
      parameters: isVoid ? [] : types,
      list: isVariadic ? 'variadic' : isEmpty && !this.#names.isCpp ? 'unspecified' : 'closed',
    } satisfies FunctionType;
  }

  /** A type without a name to declare, as after `->` and `using X =`. */
  #typeId(node: Node | null): CType {
    if (node === null) return UNKNOWN;
    return this.read(this.baseOf(node), childOf(node, 'declarator')).type;
  }

  /** The type of an `alias_declaration`. */
  alias(node: Node): CType {
    return this.#typeId(childOf(node, 'type') ?? null);
  }

  #specifier(node: Node): CType {
    const words = this.#words(node);
    const word = words.at(-1) ?? '';
    switch (node.type) {
      case 'primitive_type':
      case 'sized_type_specifier':
        return (
          this.#names.lookUp(words.join(' ')) ?? builtinType(words) ?? standardType(word) ?? UNKNOWN
        );
      case 'type_identifier':
        return this.#named(word);
      case 'qualified_identifier':
        return /^(?:::)?(?:std::)?\w+$/.test(words.join('')) ? this.#named(word) : UNKNOWN;
      case 'enum_specifier':
        return this.enumeration(node, []);
      case 'struct_specifier':
      case 'class_specifier':
      case 'union_specifier': {
        const name = childOf(node, 'name');
        if (name?.type !== 'type_identifier') return UNKNOWN;
        const known = this.#names.lookUp(this.#plain.wordOf(name));
        return known?.kind === 'named' ? known : this.#elsewhere(this.#plain.wordOf(name));
      }
      default:
        return UNKNOWN;
    }
  }

  /** The type of an enumeration: that of its base, else the one that clang gives to small values. */
  enumeration(node: Node, scope: readonly string[]): CType {
    const [name, base] = [childOf(node, 'name'), childOf(node, 'base')];
    const word = name === undefined ? '' : this.#plain.wordOf(name);
    const known = this.#names.lookUp(word);
    if (known !== undefined && childOf(node, 'body') === undefined) return known;
    const value = base === undefined ? 'i32' : valueTypeOf(this.#specifier(base));
    if (value === undefined || value === 'void') return UNKNOWN;
    return { kind: 'named', name: word, scope, value };
  }

  #named(word: string): CType {
    return (
      this.#names.lookUp(word) ?? standardType(word) ?? builtinType([word]) ?? this.#elsewhere(word)
    );
  }

  /** What no declaration of the text tells is taken for a class at the top, as most are. */
  #elsewhere(name: string): CType {
    return { kind: 'named', name, scope: [] };
  }

  #words(node: Node): string[] {
    const { tokens, indexAt } = this.#plain;
    const first = indexAt(node.startIndex);
    const last = Math.min(indexAt(node.endIndex), first + MAX_DEPTH);
    return tokens.slice(first, last).map((token) => token.text);
  }
}

const WRAPPERS = new Set(['parenthesized_declarator', 'attributed_declarator', 'init_declarator']);
const NAMES = new Set([
  'identifier',
  'type_identifier',
  'field_identifier',
  'qualified_identifier',
  'primitive_type',
]);
const PARAMETERS = new Set(['parameter_declaration', 'optional_parameter_declaration']);

/** The declarator inside a declarator. The grammar gives it a name only where it has siblings. */
function innerOf(node: Node): Node | undefined {
  const inner = childOf(node, 'declarator');
  if (inner !== undefined || node.type === 'function_declarator') return inner;
  if (NAMES.has(node.type)) return undefined;
  return node.namedChildren.find((child) => /declarator$|identifier$/.test(child.type));
}

function qualifiersOf(node: Node): readonly Qualifier[] {
  const found: Qualifier[] = [];
  for (const child of node.namedChildren) {
    if (child.type !== 'type_qualifier') continue;
    const word = child.child(0)?.type.replaceAll('_', '');
    if (word === 'const' || word === 'volatile' || word === 'restrict') found.push(word);
  }
  return found;
}

function qualify(type: CType, qualifiers: readonly Qualifier[]): CType {
  return qualifiers.length === 0 ? type : { kind: 'qualified', of: type, qualifiers };
}
