// The symbol of a C++ function (Itanium C++ ABI, 5.1): the name of an import that has no
// `import_name` and no C linkage. Functions and types that imports have are covered, templates are not.

import type { CType, FunctionType, Qualifier } from './c-types.ts';

export interface MangledFunction {
  readonly name: string;
  /** The namespaces and classes around it, the outermost first. */
  readonly scope: readonly string[];
  readonly type: FunctionType;
  /** Qualifiers of a member function. */
  readonly qualifiers: readonly Qualifier[];
}

/** The symbol of a function; `undefined` where the text alone does not tell it. */
export function mangle({ name, scope, type, qualifiers }: MangledFunction): string | undefined {
  if (!/^[\p{L}_$][\p{L}\p{N}\p{M}_$]*$/u.test(name)) return undefined;
  try {
    const mangler = new Mangler();
    const prefix = scope.length === 0 ? '' : `N${cvText(qualifiers)}${mangler.scope(scope)}`;
    const end = scope.length === 0 ? '' : 'E';
    return `_Z${prefix}${sourceName(name)}${end}${mangler.parameters(type, 0)}`;
  } catch (error) {
    if (error instanceof UnknownTypeError) return undefined;
    throw error;
  }
}

class UnknownTypeError extends Error {}

/** Pointers to functions that take pointers to functions … deeper than this are not told. */
const MAX_DEPTH = 24;

/** One symbol: what it has named once, it names by `S_`, `S0_` and so on afterwards (5.1.10). */
class Mangler {
  readonly #seen = new Map<string, number>();

  /** Namespaces and classes, each with those around it a candidate for substitution. */
  scope(names: readonly string[]): string {
    let text = '';
    for (const [i, name] of names.entries()) {
      // The namespace `std` has letters of its own.
      if (i === 0 && name === 'std') throw new UnknownTypeError();
      const key = `scope ${names.slice(0, i + 1).join('::')}`;
      text = this.#known(key) ?? text + sourceName(name);
      this.#remember(key);
    }
    return text;
  }

  parameters({ parameters, list }: FunctionType, depth: number): string {
    if (list === 'unspecified' || depth > MAX_DEPTH) throw new UnknownTypeError();
    const rest = list === 'variadic' ? 'z' : '';
    const text = parameters
      .map((type) => this.#type(unqualified(decayed(type)), depth + 1))
      .join('');
    return text + rest || 'v';
  }

  #type(type: CType, depth: number): string {
    if (type.kind === 'unknown' || depth > MAX_DEPTH) throw new UnknownTypeError();
    if (type.kind === 'builtin') {
      if (type.builtin.mangled === '') throw new UnknownTypeError();
      return type.builtin.mangled;
    }
    if (type.kind === 'named') return this.#named(type.name, type.scope);
    const key = keyOf(type, depth);
    const known = this.#known(key);
    if (known !== undefined) return known;
    const text = this.#compound(type, depth);
    this.#remember(key);
    return text;
  }

  #compound(
    type: Exclude<CType, { kind: 'builtin' | 'named' | 'unknown' }>,
    depth: number,
  ): string {
    switch (type.kind) {
      case 'pointer':
        return `P${this.#type(type.of, depth + 1)}`;
      case 'reference':
        return `R${this.#type(type.of, depth + 1)}`;
      case 'rvalue-reference':
        return `O${this.#type(type.of, depth + 1)}`;
      case 'qualified':
        return cvText(type.qualifiers) + this.#type(type.of, depth + 1);
      case 'function':
        return `F${this.#type(type.result, depth + 1)}${this.parameters(type, depth + 1)}E`;
      case 'array':
        throw new UnknownTypeError();
    }
  }

  #named(name: string, scope: readonly string[]): string {
    const key = `scope ${[...scope, name].join('::')}`;
    const known = this.#known(key);
    if (known !== undefined) return known;
    const text =
      scope.length === 0 ? sourceName(name) : `N${this.scope(scope)}${sourceName(name)}E`;
    this.#remember(key);
    return text;
  }

  #known(key: string): string | undefined {
    const index = this.#seen.get(key);
    if (index === undefined) return undefined;
    return index === 0 ? 'S_' : `S${(index - 1).toString(36).toUpperCase()}_`;
  }

  #remember(key: string): void {
    if (!this.#seen.has(key)) this.#seen.set(key, this.#seen.size);
  }
}

/** What a parameter of a type really is: an array is passed as a pointer, and so is a function. */
function decayed(type: CType): CType {
  if (type.kind === 'array') return { kind: 'pointer', of: type.of };
  return type.kind === 'function' ? { kind: 'pointer', of: type } : type;
}

function unqualified(type: CType): CType {
  return type.kind === 'qualified' ? type.of : type;
}

/** An unnamed namespace has a name in symbols, which no source can write. */
function sourceName(name: string): string {
  const written = name === '' ? '_GLOBAL__N_1' : name;
  return `${new TextEncoder().encode(written).length}${written}`;
}

function cvText(qualifiers: readonly Qualifier[]): string {
  const has = (qualifier: Qualifier) => qualifiers.includes(qualifier);
  return `${has('restrict') ? 'r' : ''}${has('volatile') ? 'V' : ''}${has('const') ? 'K' : ''}`;
}

/** One text for one type. */
function keyOf(type: CType, depth: number): string {
  if (depth > 2 * MAX_DEPTH) throw new UnknownTypeError();
  switch (type.kind) {
    case 'unknown':
      throw new UnknownTypeError();
    case 'builtin':
      return type.builtin.mangled;
    case 'named':
      return [...type.scope, type.name].join('::');
    case 'qualified':
      return `${cvText(type.qualifiers)} ${keyOf(type.of, depth + 1)}`;
    case 'function':
      return `function ${[type.result, ...type.parameters].map((each) => keyOf(each, depth + 1)).join(',')} ${type.list}`;
    default:
      return `${type.kind} ${keyOf(type.of, depth + 1)}`;
  }
}
