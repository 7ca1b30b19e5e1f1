// Where in an import, or before one, the caret stands. The author is in the middle of it, so what
// there is of it decides.

import type { TextRange } from '../../engine/project/json-document.ts';
import type { WatDocument, WatField } from '../../engine/source/wat/document.ts';
import { type ImportSyntax, readImportSyntax } from '../../engine/source/wat/import-syntax.ts';
import { Scanner, TOKEN } from '../../engine/source/wat/scanner.ts';
import type { StringToken } from '../../engine/source/wat/string-token.ts';

/** A piece of the text around the caret that what is chosen replaces. */
interface Place {
  readonly replaced: TextRange;
}

/** Between two fields, where a whole import may be written. */
export interface FieldPlace extends Place {
  readonly at: 'field';
}

/** Where the first of the two names belongs, or in it. */
export interface ModulePlace extends Place {
  readonly at: 'module';
  readonly token: StringToken | undefined;
}

/** Where the second belongs, or in it. */
export interface NamePlace extends Place {
  readonly at: 'name';
  readonly module: StringToken;
  readonly token: StringToken | undefined;
  readonly syntax: ImportSyntax;
  readonly field: WatField;
}

/** Behind both names, where it is said what is imported. */
export interface DescriptorPlace extends Place {
  readonly at: 'descriptor';
  readonly syntax: ImportSyntax;
  readonly field: WatField;
}

/** In what an imported function takes and gives. */
export interface SignaturePlace extends Place {
  readonly at: 'signature';
  readonly syntax: ImportSyntax;
}

export type ImportPlace = FieldPlace | ModulePlace | NamePlace | DescriptorPlace | SignaturePlace;

/** What may be completed at an offset; `undefined` where that is nothing of an import. */
export function importPlaceAt(document: WatDocument, offset: number): ImportPlace | undefined {
  const field = fieldBefore(document, offset);
  const end = field === undefined ? 0 : field.range.offset + field.range.length;
  if (field === undefined || (field.isClosed && offset >= end)) {
    return fieldPlace(document, end, offset);
  }
  return field.isImport ? placeInImport(document, field, offset) : undefined;
}

/** The field in which the caret stands or that ends before it, if no other one begins there. */
function fieldBefore(document: WatDocument, offset: number): WatField | undefined {
  const field = document.fieldAt(offset);
  return field?.range.offset === offset ? document.fieldAt(offset - 1) : field;
}

function placeInImport(
  document: WatDocument,
  field: WatField,
  offset: number,
): ImportPlace | undefined {
  const { text } = document;
  const syntax = readImportSyntax(text, field, () => undefined);
  const { module, name, descriptor } = syntax;
  if (module && holds(module, offset)) {
    return { at: 'module', token: module, replaced: typedOf(module, offset) };
  }
  if (module && name && holds(name, offset)) {
    const replaced = typedOf(name, offset);
    return { at: 'name', module, token: name, syntax, field, replaced };
  }
  const begun = begunAt(text, field.range.offset, offset);
  if (begun === undefined) return undefined;
  const replaced = begun.range;
  const isFree = replaced.length === 0;
  const before = replaced.offset;
  if (before === field.range.offset) return fieldPlace(document, before, offset);
  if (name !== undefined && before >= endOf(name)) {
    if (descriptor === undefined || before <= descriptor.keyword.offset) {
      return { at: 'descriptor', syntax, field, replaced };
    }
    if (descriptor.kind !== 'function') return undefined;
    return signaturePlace(syntax, descriptor.signature.range, offset, replaced);
  }
  if (module !== undefined && name === undefined && before >= endOf(module) && isFree) {
    return { at: 'name', module, token: undefined, syntax, field, replaced };
  }
  const isAfterKeyword = text.slice(field.range.offset, before).trimEnd().endsWith('import');
  if (module === undefined && isFree && isAfterKeyword) {
    return { at: 'module', token: undefined, replaced };
  }
  return undefined;
}

function signaturePlace(
  syntax: ImportSyntax,
  written: TextRange,
  offset: number,
  begun: TextRange,
): SignaturePlace | undefined {
  const end = written.offset + written.length;
  if (written.length === 0) {
    return begun.offset >= end ? { at: 'signature', syntax, replaced: begun } : undefined;
  }
  const isInside = written.offset <= offset && offset <= end;
  return isInside ? { at: 'signature', syntax, replaced: written } : undefined;
}

/** Between the quotes. */
function holds({ contents }: StringToken, offset: number): boolean {
  return contents.offset <= offset && offset <= contents.offset + contents.length;
}

/** What a choice replaces: without its second quote a string holds what was not meant for it. */
function typedOf({ contents, isClosed }: StringToken, offset: number): TextRange {
  return isClosed ? contents : { offset: contents.offset, length: offset - contents.offset };
}

function endOf({ contents, isClosed }: StringToken): number {
  return contents.offset + contents.length + (isClosed ? 1 : 0);
}

/** @param from where no field has been begun yet. */
function fieldPlace(document: WatDocument, from: number, offset: number): FieldPlace | undefined {
  const { text, moduleKeyword, fields } = document;
  const head = moduleKeyword && moduleKeyword.offset + moduleKeyword.length;
  if (head !== undefined && offset <= head) return undefined;
  // Imports come before everything of their kinds that is defined (core specification 3.0, 6.6.13).
  const isLate = fields.some(
    ({ kind, isImport, range }) => !isImport && IMPORTABLE.has(kind) && range.offset < offset,
  );
  if (isLate) return undefined;
  const begun = begunAt(text, Math.max(from, head ?? 0), offset);
  return begun?.depth === 0 ? { at: 'field', replaced: begun.range } : undefined;
}

const IMPORTABLE: ReadonlySet<string> = new Set(['function', 'table', 'memory', 'global', 'tag']);

/** What has been begun right before the caret. */
interface Begun {
  /** A `(`, the word behind it, and a `)` that an editor added; empty where nothing is begun. */
  readonly range: TextRange;
  /** How many groups around it have been opened since. */
  readonly depth: number;
}

/** `undefined` in strings, comments and other words. */
function begunAt(text: string, from: number, offset: number): Begun | undefined {
  const scanner = new Scanner(text, from, offset);
  let start = offset;
  /** The `(` that the last token is, or -1. */
  let open = -1;
  let depth = 0;
  while (scanner.next() !== TOKEN.end) {
    const isLast = scanner.end === offset;
    if (scanner.kind === TOKEN.open) {
      open = scanner.start;
      if (isLast) start = open;
      else depth++;
      continue;
    }
    if (scanner.kind === TOKEN.word) {
      if (isLast && open >= 0) depth--;
      if (isLast) start = open >= 0 ? open : scanner.start;
    } else if (scanner.kind === TOKEN.close) {
      depth = Math.max(0, depth - 1);
    } else if (scanner.kind === TOKEN.string ? !scanner.isClosed : isLast) {
      return undefined;
    }
    open = -1;
  }
  if (!/^[ \t\r\n]*$/.test(text.slice(scanner.previousEnd, offset))) return undefined;
  const isPaired = text.charAt(start) === '(' && text.charAt(offset) === ')';
  return { range: { offset: start, length: offset - start + (isPaired ? 1 : 0) }, depth };
}
