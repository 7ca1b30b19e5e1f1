// Finds the functions that a C or C++ text declares as imports, and those that it defines, in the tree
// of its plain text. Indices are those of plain tokens.

import type { Node, TreeCursor } from 'web-tree-sitter';
import type { Lifted, LiftedText } from './c-attributes.ts';
import { DeclaratorReader, type TypeNames } from './c-declarators.ts';
import type { FoundFunction, FunctionParts } from './c-functions.ts';
import { mangle } from './c-mangling.ts';
import { PartsReader, spanOf, specifiersOf } from './c-parts.ts';
import type { PlainText } from './c-plain-text.ts';
import { type CType, type FunctionType, type Qualifier, signatureOf } from './c-types.ts';
import { childOf, walk } from './syntax.ts';

/**
 * Finds declarations with attributes of imports, those that assembly names, and definitions.
 * @param names the types that the text names; those that `root` has are added.
 */
export function findFunctions(
  root: Node,
  plain: PlainText,
  { lifted, assembly }: LiftedText,
  names: TypeNames,
): readonly FoundFunction[] {
  const symbols = new Set(assembly.map(({ symbol }) => symbol));
  const finder = new Finder(plain, lifted, symbols, names);
  walk(
    root,
    (cursor) => finder.enter(cursor),
    (cursor) => finder.leave(cursor),
  );
  return finder.found;
}

interface Scope {
  /** Namespaces and classes, the outermost first. */
  readonly names: readonly string[];
  readonly hasCLinkage: boolean;
  readonly isClass: boolean;
  /** The first token of the `extern "C"` of a single declaration. */
  readonly start?: number;
}

/** Nodes in which declarations are looked for whether or not they hold what concerns imports. */
const CONTAINERS = new Set([
  'translation_unit',
  'declaration_list',
  'declaration',
  'ERROR',
  'type_definition',
]);
const SCOPES = new Set([
  'namespace_definition',
  'linkage_specification',
  'class_specifier',
  'struct_specifier',
  'union_specifier',
]);

class Finder {
  readonly found: FoundFunction[] = [];
  readonly #plain: PlainText;
  readonly #lifted: readonly Lifted[];
  readonly #symbols: ReadonlySet<string>;
  readonly #isCpp: boolean;
  readonly #names: TypeNames;
  readonly #reader: DeclaratorReader;
  readonly #parts: PartsReader;
  /** Offsets in the plain text of what concerns imports, in order. */
  readonly #marks: readonly number[];
  readonly #scopes: Scope[] = [{ names: [], hasCLinkage: false, isClass: false }];

  constructor(
    plain: PlainText,
    lifted: readonly Lifted[],
    symbols: ReadonlySet<string>,
    names: TypeNames,
  ) {
    this.#plain = plain;
    this.#lifted = lifted;
    this.#symbols = symbols;
    this.#isCpp = names.isCpp;
    this.#names = names;
    this.#reader = new DeclaratorReader(plain, this.#names);
    this.#parts = new PartsReader(plain, this.#reader);
    const named = [...plain.tokens.keys()].filter((i) => symbols.has(plain.tokens[i]?.text ?? ''));
    this.#marks = [...lifted.map(({ at }) => at), ...named]
      .map((index) => plain.offsetOf(index))
      .sort((a, b) => a - b);
  }

  enter(cursor: TreeCursor): boolean {
    const type = cursor.nodeType;
    if (SCOPES.has(type)) return this.#enterScope(cursor.currentNode);
    switch (type) {
      case 'template_declaration':
      case 'friend_declaration':
        return false;
      case 'type_definition':
        this.#nameTypes(cursor.currentNode);
        return true;
      case 'alias_declaration':
        this.#nameAlias(cursor.currentNode);
        return false;
      case 'enum_specifier':
        this.#nameEnumeration(cursor.currentNode);
        return false;
      case 'function_definition':
        this.#declare(cursor.currentNode);
        break;
      case 'declaration':
      case 'field_declaration':
        if (this.#isMarkedFrom(this.#scope.start, cursor)) this.#declare(cursor.currentNode);
        break;
    }
    return CONTAINERS.has(type) || this.#isMarked(cursor);
  }

  leave(cursor: TreeCursor): void {
    if (SCOPES.has(cursor.nodeType)) this.#scopes.pop();
  }

  get #scope(): Scope {
    return this.#scopes.at(-1) ?? { names: [], hasCLinkage: false, isClass: false };
  }

  #enterScope(node: Node): boolean {
    const outer = this.#scope;
    const name = childOf(node, 'name');
    if (node.type === 'namespace_definition') {
      const names = name === undefined ? [''] : this.#plain.wordOf(name).split('::');
      const { hasCLinkage } = outer;
      this.#scopes.push({ names: [...outer.names, ...names], hasCLinkage, isClass: false });
      return true;
    }
    if (node.type === 'linkage_specification') {
      const hasCLinkage = this.#isCpp && childOf(node, 'value')?.text === '"C"';
      const isList = childOf(node, 'body')?.type === 'declaration_list';
      const start = isList ? {} : { start: this.#plain.indexAt(node.startIndex) };
      this.#scopes.push({ names: outer.names, isClass: false, hasCLinkage, ...start });
      return true;
    }
    if (name?.type !== 'type_identifier') return false;
    const word = this.#plain.wordOf(name);
    const hasBody = childOf(node, 'body') !== undefined;
    if (hasBody || this.#names.lookUp(word) === undefined) {
      this.#names.add(word, { kind: 'named', name: word, scope: outer.names });
    }
    if (!hasBody || !this.#isMarked(node)) return false;
    this.#scopes.push({ names: [...outer.names, word], hasCLinkage: false, isClass: true });
    return true;
  }

  #isMarked({ startIndex, endIndex }: { startIndex: number; endIndex: number }): boolean {
    const i = firstAtLeast(this.#marks, startIndex);
    return (this.#marks[i] ?? Number.POSITIVE_INFINITY) < endIndex;
  }

  /** The same of a declaration that an `extern "C"` begins, and with it what stands before that. */
  #isMarkedFrom(start: number | undefined, { startIndex, endIndex }: TreeCursor): boolean {
    const from = start === undefined ? startIndex : this.#plain.offsetOf(start);
    return this.#isMarked({ startIndex: from, endIndex });
  }

  #nameTypes(node: Node): void {
    const base = this.#reader.baseOf(node);
    for (const declarator of node.childrenForFieldName('declarator')) {
      const { type, name } = this.#reader.read(base, declarator);
      if (name === undefined) continue;
      const word = this.#plain.wordOf(name);
      // A class or enumeration without a name of its own goes by the alias.
      const isUnnamed = type.kind === 'unknown' || (type.kind === 'named' && type.name === '');
      const scope = this.#scope.names;
      const value = type.kind === 'named' && type.value ? { value: type.value } : {};
      this.#names.add(word, isUnnamed ? { kind: 'named', name: word, scope, ...value } : type);
    }
  }

  #nameAlias(node: Node): void {
    const name = childOf(node, 'name');
    if (name !== undefined) this.#names.add(this.#plain.wordOf(name), this.#reader.alias(node));
  }

  #nameEnumeration(node: Node): void {
    const name = childOf(node, 'name');
    if (name === undefined) return;
    this.#names.add(this.#plain.wordOf(name), this.#reader.enumeration(node, this.#scope.names));
  }

  /** Reads the functions of one declaration or definition. */
  #declare(node: Node): void {
    const { start } = this.#scope;
    const first = start ?? this.#plain.indexAt(node.startIndex);
    const declaration = { first, last: this.#plain.indexAt(node.endIndex) - 1 };
    const isDefinition = node.type === 'function_definition';
    const base = this.#reader.baseOf(node);
    const result = specifiersOf(node, this.#plain);
    const isStatic = node.children.some(
      (child) => child.type === 'storage_class_specifier' && child.child(0)?.type === 'static',
    );
    const declarators = node.childrenForFieldName('declarator');
    const spans = declarators.map((declarator) => spanOf(declarator, this.#plain));
    for (const [i, declarator] of declarators.entries()) {
      const [own, following] = [spans[i], spans[i + 1]];
      const { type, name, function: ofFunction } = this.#reader.read(base, declarator);
      if (own === undefined || name === undefined || type.kind !== 'function') continue;
      const parts = ofFunction && this.#parts.read(result, type, own, ofFunction);
      const until = following === undefined ? declaration.last : following.first - 1;
      const lifted = [
        ...this.#liftedIn(declaration.first, spans[0]?.first ?? own.first),
        ...this.#liftedIn(i === 0 ? own.first + 1 : own.first, until),
      ].filter(({ at }) => !isInsideType(at, parts));
      const isImport = lifted.some(({ attributes }) => attributes.length > 0);
      const names = this.#namesOf(name, type, lifted, ofFunction, isStatic);
      if (!isDefinition && !isImport && !this.#symbols.has(names.symbol)) continue;
      const signature = signatureOf(names.passed);
      this.found.push({
        identifier: names.identifier,
        symbol: names.symbol,
        isDefinition,
        lifted,
        declaration,
        declarator: { first: own.first, last: until - 1 },
        place: declarators.length === 1 ? 'only' : i === 0 ? 'first' : 'later',
        name: spanOf(name, this.#plain).last,
        ...(signature && { signature }),
        ...(parts && { parts }),
      });
    }
  }

  /** What was lifted from before the tokens `first` to `last`. */
  #liftedIn(first: number, last: number): readonly Lifted[] {
    const found: Lifted[] = [];
    let low = 0;
    let high = this.#lifted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#lifted[middle]?.at ?? 0) < first) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.#lifted.length; i++) {
      const lifted = this.#lifted[i];
      if (lifted === undefined || lifted.at > last) break;
      found.push(lifted);
    }
    return found;
  }

  /** What a function is called, and the type with which it is called: a member takes its object. */
  #namesOf(
    name: Node,
    type: FunctionType,
    lifted: readonly Lifted[],
    ofFunction: Node | undefined,
    isStatic: boolean,
  ): { readonly identifier: string; readonly symbol: string; readonly passed: FunctionType } {
    const { names, hasCLinkage, isClass } = this.#scope;
    const path = this.#plain.wordOf(name).split('::');
    const identifier = path.at(-1) ?? '';
    const scope = [...names, ...path.slice(0, -1).filter((part) => part !== '')];
    const label = lifted.find((each) => each.label !== undefined)?.label;
    const qualifiers = qualifiersAfter(ofFunction);
    const isMangled = this.#isCpp && (isClass || !hasCLinkage);
    const mangled = isMangled ? mangle({ name: identifier, scope, type, qualifiers }) : undefined;
    const isMember = isClass && !isStatic;
    const parameters = isMember ? [OBJECT, ...type.parameters] : type.parameters;
    return { identifier, symbol: label ?? mangled ?? identifier, passed: { ...type, parameters } };
  }
}

/** The object that a member function is called on. */
const OBJECT: CType = { kind: 'pointer', of: { kind: 'unknown' } };

/** Attributes among the parameters are theirs, and those behind a trailing type are its. */
function isInsideType(at: number, parts: FunctionParts | undefined): boolean {
  if (parts === undefined || at <= parts.list.first) return false;
  return at <= parts.list.last || parts.isTrailing;
}

function qualifiersAfter(ofFunction: Node | undefined): readonly Qualifier[] {
  const words = (ofFunction?.namedChildren ?? [])
    .filter((child) => child.type === 'type_qualifier')
    .map((child) => child.child(0)?.type);
  return (['const', 'volatile'] as const).filter((qualifier) => words.includes(qualifier));
}

/** The index of the first of ascending numbers that is not less than `least`. */
function firstAtLeast(numbers: readonly number[], least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((numbers[middle] ?? 0) < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
