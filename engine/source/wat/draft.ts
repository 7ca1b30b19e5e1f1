import type { TextRange } from '../../project/json-document.ts';
import type { WatExport, WatField, WatFieldKind } from './document.ts';
import type { OpenField } from './field-start.ts';
import type { FieldKeyword } from './words.ts';

/** The words of fields that are more than a group of others. */
export type DefiningKeyword = Exclude<FieldKeyword, 'rec' | 'module'>;

export const KINDS: Readonly<Record<DefiningKeyword, WatFieldKind>> = {
  type: 'type',
  import: 'import',
  func: 'function',
  table: 'table',
  memory: 'memory',
  global: 'global',
  tag: 'tag',
  export: 'export',
  start: 'start',
  elem: 'element',
  data: 'data',
};

/** What may be imported, exported inline, and described by an import. */
export const EXTERN: ReadonlySet<FieldKeyword> = new Set([
  'func',
  'table',
  'memory',
  'global',
  'tag',
]);

/** A field while it is read. */
export interface Draft extends OpenField {
  readonly keyword: DefiningKeyword;
  /** Of an import, what it turns out to import. */
  kind: WatFieldKind;
  readonly start: number;
  identifier: string;
  mark: TextRange;
  isImport: boolean;
  readonly exports: WatExport[];
}

/** @param mark the word that the field begins with. */
export function beginDraft(
  keyword: DefiningKeyword,
  start: number,
  indent: number,
  mark: TextRange,
): Draft {
  return {
    keyword,
    isDescribed: false,
    indent,
    kind: KINDS[keyword],
    start,
    identifier: '',
    mark,
    isImport: keyword === 'import',
    exports: [],
  };
}

/** Most fields have none, and share this. */
const NO_EXPORTS: readonly WatExport[] = Object.freeze([]);

export function finishDraft(
  { kind, identifier, start, mark, isImport, exports }: Draft,
  index: number,
  isClosed: boolean,
  end: number,
): WatField {
  return {
    kind,
    index,
    identifier,
    range: { offset: start, length: end - start },
    mark,
    isImport,
    isClosed,
    exports: exports.length === 0 ? NO_EXPORTS : exports,
  };
}
