// The parts of one import (core specification 3.0, 6.6.5), in either of its forms:
//   (import "m" "n" (func $f (param i32)))
//   (func $f (export "x") (import "m" "n") (param i32))

import { type Limits, limitsText } from '../../module/type-text.ts';
import type { ExternKind } from '../../module/types.ts';
import type { TextRange } from '../../project/json-document.ts';
import type { WatField } from './document.ts';
import { Scanner, TOKEN } from './scanner.ts';
import { readSignature, type Signature } from './signature.ts';
import { type StringToken, stringToken } from './string-token.ts';
import { type FindType, readValueType } from './value-types.ts';

export interface ImportSyntax {
  readonly module: StringToken | undefined;
  readonly name: StringToken | undefined;
  /** What is imported; `undefined` where that is still to be written. */
  readonly descriptor: ImportDescriptor | undefined;
}

export type ImportDescriptor = FunctionDescriptor | PlainDescriptor;

/** Of a function or a tag. */
export interface FunctionDescriptor {
  readonly kind: 'function' | 'tag';
  /** Its word, `func` or `tag`. */
  readonly keyword: TextRange;
  readonly signature: Signature;
}

/** Of what has no function type. */
export interface PlainDescriptor {
  readonly kind: 'memory' | 'table' | 'global';
  readonly keyword: TextRange;
  /** As `ImportEntry.type` spells it; `undefined` where it is not understood. */
  readonly type: string | undefined;
}

const KINDS: ReadonlyMap<string, ExternKind> = new Map([
  ['func', 'function'],
  ['table', 'table'],
  ['memory', 'memory'],
  ['global', 'global'],
  ['tag', 'tag'],
]);

/** Reads the parts of an import, as far as they are there. */
export function readImportSyntax(text: string, field: WatField, findType: FindType): ImportSyntax {
  const { offset, length } = field.range;
  const scanner = new Scanner(text, offset, offset + length);
  scanner.next();
  scanner.next();
  if (scanner.is('import')) {
    scanner.next();
    const names = readNames(scanner);
    if (scanner.kind !== TOKEN.open) return { ...names, descriptor: undefined };
    scanner.next();
    return { ...names, descriptor: readDescriptor(scanner, findType).descriptor };
  }
  const { names, descriptor } = readDescriptor(scanner, findType);
  return { ...names, descriptor };
}

interface Names {
  readonly module: StringToken | undefined;
  readonly name: StringToken | undefined;
}

function readNames(scanner: Scanner): Names {
  const module = takeString(scanner);
  return { module, name: module && takeString(scanner) };
}

function takeString(scanner: Scanner): StringToken | undefined {
  if (scanner.kind !== TOKEN.string) return undefined;
  const token = stringToken(scanner);
  scanner.next();
  return token;
}

function readDescriptor(
  scanner: Scanner,
  findType: FindType,
): { readonly names: Names; readonly descriptor: ImportDescriptor | undefined } {
  const { start, end } = scanner;
  const keyword = { offset: start, length: end - start };
  const kind = scanner.kind === TOKEN.word ? KINDS.get(scanner.text.slice(start, end)) : undefined;
  if (scanner.next() === TOKEN.identifier) scanner.next();
  const names = readInlineParts(scanner);
  if (kind === undefined) return { names, descriptor: undefined };
  if (kind === 'function' || kind === 'tag') {
    const signature = readSignature(scanner, findType);
    return { names, descriptor: { kind, keyword, signature } };
  }
  return { names, descriptor: { kind, keyword, type: READERS[kind](scanner, findType) } };
}

/** Steps over inline exports; the names are those of the inline import, if there is one. */
function readInlineParts(scanner: Scanner): Names {
  let names: Names = { module: undefined, name: undefined };
  while (scanner.kind === TOKEN.open) {
    const { start, previousEnd } = scanner;
    scanner.next();
    if (scanner.is('import')) {
      scanner.next();
      names = readNames(scanner);
    } else if (!scanner.is('export')) {
      backTo(scanner, start, previousEnd);
      break;
    }
    scanner.skipGroup();
  }
  return names;
}

type PlainReader = (scanner: Scanner, findType: FindType) => string | undefined;

const READERS: Readonly<Record<PlainDescriptor['kind'], PlainReader>> = {
  /** `i64 1 2 shared`; a page size of its own has no text. */
  memory: (scanner) => {
    const limits = readLimits(scanner);
    return limits && isAtEnd(scanner) ? limitsText(limits) : undefined;
  },
  /** `i64 0 10 funcref`. */
  table: (scanner, findType) => {
    const limits = readLimits(scanner);
    const element = limits && readValueType(scanner, findType);
    return limits && element && isAtEnd(scanner) ? `${limitsText(limits)} ${element}` : undefined;
  },
  /** `i32` or `(mut i32)`. */
  global: (scanner, findType) => {
    const { start } = scanner;
    const isGroup = scanner.kind === TOKEN.open;
    if (isGroup) scanner.next();
    const isMutable = isGroup && scanner.is('mut');
    if (isMutable) scanner.next();
    else backTo(scanner, start);
    const type = readValueType(scanner, findType);
    if (isMutable) scanner.skipGroup();
    if (type === undefined || !isAtEnd(scanner)) return undefined;
    return isMutable ? `mut ${type}` : type;
  },
};

function backTo(scanner: Scanner, start: number, previousEnd = start): void {
  scanner.moveTo(start);
  scanner.next();
  scanner.previousEnd = previousEnd;
}

function isAtEnd({ kind }: Scanner): boolean {
  return kind === TOKEN.close || kind === TOKEN.end;
}

/** Limits (6.4.7), and before them the type of the addresses. */
function readLimits(scanner: Scanner): Limits | undefined {
  const address = scanner.is('i64') ? 'i64' : 'i32';
  if (scanner.is('i64') || scanner.is('i32')) scanner.next();
  const minimum = takeSize(scanner);
  if (minimum === undefined) return undefined;
  const maximum = takeSize(scanner);
  const shared = scanner.is('shared');
  if (shared) scanner.next();
  return { address, minimum, maximum, shared };
}

const LONGEST_NUMBER = 64;

function takeSize(scanner: Scanner): bigint | undefined {
  const { kind, text, start, end } = scanner;
  if (kind !== TOKEN.number || end - start > LONGEST_NUMBER) return undefined;
  const digits = text.slice(start, end);
  if (!/^(?:\d+(?:_\d+)*|0x[\da-fA-F]+(?:_[\da-fA-F]+)*)$/.test(digits)) return undefined;
  scanner.next();
  return BigInt(digits.replaceAll('_', ''));
}
