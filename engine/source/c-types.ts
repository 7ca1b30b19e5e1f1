// Types of C and C++ as far as one text tells them, and the WebAssembly types they have on wasm32
// (the C ABI of the WebAssembly tool conventions).

import type { ValueType } from '../whitelist/types.ts';

/** A type. What a text does not tell, or no import is likely to take, is `unknown`. */
export type CType =
  | { readonly kind: 'builtin'; readonly builtin: Builtin }
  /** A class, union or enumeration, or what another file calls so: `value` is absent for all but enumerations. */
  | {
      readonly kind: 'named';
      readonly name: string;
      /** The namespaces and classes around it, the outermost first. */
      readonly scope: readonly string[];
      readonly value?: ValueType;
    }
  | { readonly kind: 'pointer' | 'reference' | 'rvalue-reference' | 'array'; readonly of: CType }
  | { readonly kind: 'qualified'; readonly of: CType; readonly qualifiers: readonly Qualifier[] }
  | FunctionType
  | { readonly kind: 'unknown' };

export interface FunctionType {
  readonly kind: 'function';
  readonly result: CType;
  readonly parameters: readonly CType[];
  /** Whether the parameters are all that are passed; `f()` in C does not say, `f(int, ...)` takes more. */
  readonly list: 'closed' | 'unspecified' | 'variadic';
}

export type Qualifier = 'const' | 'volatile' | 'restrict';

/** A type that the language has, as the Itanium ABI (5.1.5.2) and wasm32 write it. */
export interface Builtin {
  /** Empty for a vendor's own type, which the ABI does not list. */
  readonly mangled: string;
  /** `void` has none, and neither has what is passed in memory or in two values. */
  readonly value: ValueType | 'void' | undefined;
}

export const UNKNOWN: CType = { kind: 'unknown' };

const BUILTINS: Readonly<Record<string, readonly [string, Builtin['value']]>> = {
  void: ['v', 'void'],
  bool: ['b', 'i32'],
  char: ['c', 'i32'],
  'char signed': ['a', 'i32'],
  'char unsigned': ['h', 'i32'],
  short: ['s', 'i32'],
  'short unsigned': ['t', 'i32'],
  int: ['i', 'i32'],
  unsigned: ['j', 'i32'],
  long: ['l', 'i32'],
  'long unsigned': ['m', 'i32'],
  'long long': ['x', 'i64'],
  'long long unsigned': ['y', 'i64'],
  __int128: ['n', undefined],
  '__int128 unsigned': ['o', undefined],
  float: ['f', 'f32'],
  double: ['d', 'f64'],
  'double long': ['e', undefined],
  wchar_t: ['w', 'i32'],
  char8_t: ['Du', 'i32'],
  char16_t: ['Ds', 'i32'],
  char32_t: ['Di', 'i32'],
  v128_t: ['', 'v128'],
  __externref_t: ['', 'externref'],
};

/** Names that the standard headers give to types of the language, by what clang makes of them. */
const STANDARD_NAMES: Readonly<Record<string, string>> = {
  _Bool: 'bool',
  size_t: 'unsigned long',
  ssize_t: 'long',
  ptrdiff_t: 'long',
  intptr_t: 'long',
  uintptr_t: 'unsigned long',
  int8_t: 'signed char',
  int16_t: 'short',
  int32_t: 'int',
  int64_t: 'long long',
  uint8_t: 'unsigned char',
  uint16_t: 'unsigned short',
  uint32_t: 'unsigned',
  uint64_t: 'unsigned long long',
  intmax_t: 'long long',
  uintmax_t: 'unsigned long long',
  int_least8_t: 'signed char',
  int_least16_t: 'short',
  int_least32_t: 'int',
  int_least64_t: 'long long',
  uint_least8_t: 'unsigned char',
  uint_least16_t: 'unsigned short',
  uint_least32_t: 'unsigned',
  uint_least64_t: 'unsigned long long',
  char8_t: 'char8_t',
  char16_t: 'char16_t',
  char32_t: 'char32_t',
  wchar_t: 'wchar_t',
};
const SPELLINGS: Readonly<Record<string, string>> = {
  __signed__: 'signed',
  __signed: 'signed',
  _Bool: 'bool',
};

/**
 * The type that words of the language name in any order: `unsigned long int`, `long unsigned`.
 * `undefined` for words that name none.
 */
export function builtinType(words: readonly string[]): CType | undefined {
  const known = words.map((word) => own(SPELLINGS, word) ?? word);
  const key = normalize(known);
  const found = own(BUILTINS, key);
  return found && { kind: 'builtin', builtin: { mangled: found[0], value: found[1] } };
}

/** The type that a name of the standard headers stands for. */
export function standardType(name: string): CType | undefined {
  const words = own(STANDARD_NAMES, name);
  return words === undefined ? undefined : builtinType(words.split(' '));
}

/** `int` and `signed` go where another word says the same. */
function normalize(words: readonly string[]): string {
  const isCharacter = words.includes('char');
  const rest = words.filter((word) => word !== 'int' && (word !== 'signed' || isCharacter));
  return rest.length === 0 && words.length > 0 ? 'int' : rest.sort().join(' ');
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}

/** The WebAssembly type of a value of a type, as a parameter or a result. */
export function valueTypeOf(type: CType): ValueType | 'void' | undefined {
  let bare = type;
  while (bare.kind === 'qualified') bare = bare.of;
  switch (bare.kind) {
    case 'builtin':
      return bare.builtin.value;
    case 'named':
      return bare.value;
    case 'unknown':
      return undefined;
    default:
      return 'i32';
  }
}

/** The WebAssembly types of a function. */
export interface WasmSignature {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** `undefined` where a type is not known, or the caller decides what is passed. */
export function signatureOf(type: FunctionType): WasmSignature | undefined {
  const params = type.parameters.map(valueTypeOf);
  const result = valueTypeOf(type.result);
  if (type.list !== 'closed' || result === undefined || !params.every(isValueType))
    return undefined;
  return { params, results: result === 'void' ? [] : [result] };
}

export function isValueType(type: ValueType | 'void' | undefined): type is ValueType {
  return type !== undefined && type !== 'void';
}
