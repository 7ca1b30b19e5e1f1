import type { Type } from 'wasmparser';

/** Value and abstract reference types by their negative code (core specification 3.0, 5.3.1 - 5.3.5). */
const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [-0x01, 'i32'],
  [-0x02, 'i64'],
  [-0x03, 'f32'],
  [-0x04, 'f64'],
  [-0x05, 'v128'],
  [-0x0c, 'nullexnref'],
  [-0x0d, 'nullfuncref'],
  [-0x0e, 'nullexternref'],
  [-0x0f, 'nullref'],
  [-0x10, 'funcref'],
  [-0x11, 'externref'],
  [-0x12, 'anyref'],
  [-0x13, 'eqref'],
  [-0x14, 'i31ref'],
  [-0x15, 'structref'],
  [-0x16, 'arrayref'],
  [-0x17, 'exnref'],
]);
const REF = -0x1c;

/**
 * `(ref null func)` and its like, by the heap type, have a second encoding and a short text, which is
 * the one text (core specification 3.0, 6.4.3).
 */
export const SHORT_FORMS: ReadonlyMap<string, string> = new Map([
  ['func', 'funcref'],
  ['extern', 'externref'],
  ['any', 'anyref'],
  ['eq', 'eqref'],
  ['i31', 'i31ref'],
  ['struct', 'structref'],
  ['array', 'arrayref'],
  ['exn', 'exnref'],
  ['noexn', 'nullexnref'],
  ['nofunc', 'nullfuncref'],
  ['noextern', 'nullexternref'],
  ['none', 'nullref'],
]);
const LONG_FORMS: ReadonlyMap<string, string> = new Map(
  [...SHORT_FORMS].map(([heap, short]) => [short, heap]),
);

/**
 * The text of a value type as wasmparser gives it.
 * @throws {RangeError} for a type this engine has no text for.
 */
export function valueTypeText(type: Type): string {
  return 'ref_index' in type && typeof type.ref_index === 'number'
    ? referenceTypeText(type.code !== REF, type.ref_index)
    : typeTextOfCode(type.code);
}

/**
 * The text of a reference type in its long form.
 * @param heap a type index, or the negative code of an abstract heap type.
 */
export function referenceTypeText(nullable: boolean, heap: number): string {
  const name = heap >= 0 ? String(heap) : abstractHeapText(heap);
  return nullable ? (SHORT_FORMS.get(name) ?? `(ref null ${name})`) : `(ref ${name})`;
}

function abstractHeapText(code: number): string {
  const short = typeTextOfCode(code);
  const heap = LONG_FORMS.get(short);
  if (heap === undefined) throw new RangeError(`${short} is not a heap type`);
  return heap;
}

/** The text of a type that is one negative code. Throws as {@link valueTypeText}. */
export function typeTextOfCode(code: number): string {
  const name = TYPE_NAMES.get(code);
  if (name === undefined) throw new RangeError(`unknown type code ${code}`);
  return name;
}

/** The text of a function type, from the texts of its value types: `(i32, i64) -> f32`. */
export function functionTypeText(params: readonly string[], results: readonly string[]): string {
  return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`;
}

/** Limits of a memory or a table (5.3.9), in pages or elements. */
export interface Limits {
  readonly address: 'i32' | 'i64';
  readonly minimum: bigint;
  readonly maximum: bigint | undefined;
  readonly shared: boolean;
}

/** The text of limits: `i32 1 16`, `i64 1 2 shared`. */
export function limitsText({ address, minimum, maximum, shared }: Limits): string {
  const parts = [address, String(minimum)];
  if (maximum !== undefined) parts.push(String(maximum));
  if (shared) parts.push('shared');
  return parts.join(' ');
}

/** Reads the text of {@link limitsText} back; what follows the numbers is left to the caller. */
export function parseLimitsText(text: string): Limits {
  const parts = text.split(' ');
  const numbers = parts.filter((part) => /^\d+$/.test(part)).map(BigInt);
  return {
    address: parts[0] === 'i64' ? 'i64' : 'i32',
    minimum: numbers[0] ?? 0n,
    maximum: numbers[1],
    shared: parts.includes('shared'),
  };
}

/** One text for one type, whichever of its two encodings a reader's text follows. */
export function sameTypeText(a: string, b: string): boolean {
  return a === b || shorten(a) === shorten(b);
}

function shorten(text: string): string {
  return text.replace(/\(ref null ([a-z0-9]+)\)/g, (long, heap) => SHORT_FORMS.get(heap) ?? long);
}

/**
 * Whether a type's text names a reference through which a function could be reached: any but the
 * external ones, small integers and the bottom types, since structures and arrays may hold functions.
 */
export function mayCarryFunction(text: string): boolean {
  return /\b(?:func|any|eq|struct|array|exn)ref\b|\(ref (?:null )?(?:\d+|func|any|eq|struct|array|exn)\)/.test(
    text,
  );
}
