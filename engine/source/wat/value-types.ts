// Value types (core specification 3.0, 6.4.1 - 6.4.4), and the lists of them that functions take and
// give, spelled as the readers of modules spell them.

import { SHORT_FORMS } from '../../module/type-text.ts';
import type { TextRange } from '../../project/json-document.ts';
import { type Scanner, TOKEN } from './scanner.ts';
import { identifierText } from './strings.ts';

const WORDS: ReadonlySet<string> = new Set([
  ...['i32', 'i64', 'f32', 'f64', 'v128'],
  ...SHORT_FORMS.values(),
]);
const LONGEST = 16;

/** What V8 and the specification's implementation limits allow a function to take, and to give. */
export const MAX_VALUES = 1000;

/** Finds the index of a type by what names it: `$t` or `3`. */
export type FindType = (use: string) => number | undefined;

/**
 * Reads a value type, and leaves the scanner behind it.
 * @returns `undefined` for what is none, or names a type that is not there.
 */
export function readValueType(scanner: Scanner, findType: FindType): string | undefined {
  const word = shortText(scanner);
  if (scanner.kind !== TOKEN.open) {
    scanner.next();
    return word !== undefined && WORDS.has(word) ? word : undefined;
  }
  scanner.next();
  const type = scanner.is('ref') ? readReferenceType(scanner, findType) : undefined;
  scanner.skipGroup();
  return type;
}

/** What follows `(ref`, up to its parenthesis. */
function readReferenceType(scanner: Scanner, findType: FindType): string | undefined {
  scanner.next();
  const isNullable = scanner.is('null');
  if (isNullable) scanner.next();
  const heap = readHeapType(scanner, findType);
  if (heap === undefined) return undefined;
  scanner.next();
  if (scanner.kind !== TOKEN.close) return undefined;
  return isNullable ? (SHORT_FORMS.get(heap) ?? `(ref null ${heap})`) : `(ref ${heap})`;
}

function readHeapType(scanner: Scanner, findType: FindType): string | undefined {
  const text = shortText(scanner);
  if (text === undefined) return undefined;
  if (scanner.kind === TOKEN.word) return SHORT_FORMS.has(text) ? text : undefined;
  const index = findType(text);
  return index === undefined ? undefined : String(index);
}

/** The text of a token that may name a type; identifiers as they are compared. */
function shortText({ kind, text, start, end }: Scanner): string | undefined {
  if (kind === TOKEN.identifier) return identifierText(text.slice(start, end));
  const isWord = kind === TOKEN.word || kind === TOKEN.number;
  return isWord && end - start <= LONGEST ? text.slice(start, end) : undefined;
}

/** A value that a function takes, or a variable it has. */
export interface Value {
  /** `undefined` where it is none that is known. */
  readonly type: string | undefined;
  /** With its dollar; empty where it has none. */
  readonly identifier: string;
  /** Its identifier where it has one, else its type. */
  readonly mark: TextRange;
}

/**
 * Reads what follows `(param`, `(local` or `(result`, and leaves the scanner behind its `)`.
 * @returns `undefined` for more values than `max`.
 */
export function readValues(
  scanner: Scanner,
  findType: FindType,
  max = MAX_VALUES,
): readonly Value[] | undefined {
  const values: Value[] = [];
  scanner.next();
  let identifier = '';
  let mark: TextRange | undefined;
  if (scanner.kind === TOKEN.identifier) {
    identifier = identifierText(scanner.text.slice(scanner.start, scanner.end));
    mark = { offset: scanner.start, length: scanner.end - scanner.start };
    scanner.next();
  }
  while (scanner.kind !== TOKEN.close && scanner.kind !== TOKEN.end) {
    const { start } = scanner;
    const type = readValueType(scanner, findType);
    mark ??= { offset: start, length: scanner.previousEnd - start };
    values.push({ type, identifier, mark });
    identifier = '';
    mark = undefined;
    if (values.length > max) {
      scanner.skipGroup();
      return undefined;
    }
  }
  // A parameter whose type is still to be written is one already.
  if (mark !== undefined) values.push({ type: undefined, identifier, mark });
  scanner.next();
  return values;
}
