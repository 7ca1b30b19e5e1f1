// Where an author has left a field open, the next one must not be taken for a part of it. Most
// words that begin a field can stand nowhere else; for the rest what follows them decides, and
// where that is unfinished as well, the indentation.

import { type Scanner, TOKEN } from './scanner.ts';
import type { FieldKeyword } from './words.ts';

/** A field that has been begun, as far as it decides what may stand in it. */
export interface OpenField {
  /** `group` is a group that begins with no word of the module's fields. */
  readonly keyword: FieldKeyword | 'group';
  /** Whether it is an `import` field that has said what it imports. */
  isDescribed: boolean;
  /** The column of the first token of the line it begins on. */
  readonly indent: number;
}

const INLINE: readonly FieldKeyword[] = ['import', 'export'];

/** The words of fields that may begin a group inside a field (core specification 3.0, 6.6). */
const INSIDE: Readonly<Record<FieldKeyword, ReadonlySet<FieldKeyword>>> = {
  type: new Set<FieldKeyword>(['func']),
  import: new Set<FieldKeyword>(['func', 'table', 'memory', 'global', 'tag']),
  func: new Set<FieldKeyword>([...INLINE, 'type']),
  table: new Set<FieldKeyword>([...INLINE, 'elem', 'type']),
  memory: new Set<FieldKeyword>([...INLINE, 'data']),
  global: new Set<FieldKeyword>([...INLINE, 'type']),
  tag: new Set<FieldKeyword>([...INLINE, 'type']),
  export: new Set<FieldKeyword>(['func', 'table', 'memory', 'global', 'tag']),
  start: new Set(),
  elem: new Set<FieldKeyword>(['table', 'type']),
  data: new Set<FieldKeyword>(['memory', 'type']),
  rec: new Set(),
  module: new Set(),
};
const INSIDE_DESCRIBED: ReadonlySet<FieldKeyword> = new Set<FieldKeyword>(['type']);

/**
 * Whether a group inside a field is none of its parts, but the next field.
 * @param keyword the word that it begins with.
 * @param column where it stands, if it is the first on its line; in the middle of a line only what
 *   could be nothing else is the next field.
 * @param ahead stands behind that word, and may be moved.
 */
export function beginsField(
  field: OpenField,
  keyword: FieldKeyword,
  column: number | undefined,
  ahead: Scanner,
): boolean {
  const isAtMargin = column !== undefined && column <= field.indent;
  if (field.keyword === 'group') return isAtMargin;
  const inside = field.isDescribed ? INSIDE_DESCRIBED : INSIDE[field.keyword];
  if (!inside.has(keyword)) return true;
  if (column === undefined) return false;
  return looksLikeField(field.keyword, keyword, ahead) ?? isAtMargin;
}

/** `undefined` where what follows does not tell. */
function looksLikeField(
  inside: FieldKeyword,
  keyword: FieldKeyword,
  ahead: Scanner,
): boolean | undefined {
  ahead.next();
  if (keyword === 'import') return !takeString(ahead) ? undefined : afterNames(ahead);
  if (keyword === 'export') return afterNames(ahead);
  if (inside === 'import') return afterDescriptor(ahead);
  if (keyword === 'elem' || keyword === 'data') return undefined;
  if (inside === 'type') return afterFunctionTypeKeyword(ahead);
  return afterUse(inside === 'export', ahead);
}

/** Inline, a name is all there is; a field goes on with what it imports or exports. */
function afterNames(ahead: Scanner): boolean | undefined {
  if (!takeString(ahead)) return undefined;
  return ahead.kind === TOKEN.close ? false : ahead.kind === TOKEN.open ? true : undefined;
}

/** A use is one identifier or index. */
function afterUse(isLast: boolean, ahead: Scanner): boolean | undefined {
  const isNamed = ahead.kind === TOKEN.identifier;
  if (isNamed || ahead.kind === TOKEN.number) ahead.next();
  if (ahead.kind === TOKEN.open) return true;
  if (ahead.kind !== TOKEN.close) return undefined;
  // `(memory 1)` may be a field as well, unless the field around it ends here, as it must.
  return isLast && ahead.next() !== TOKEN.close ? undefined : false;
}

/** `(func (param …` begins a type; a function has an identifier, a body or exports. */
function afterFunctionTypeKeyword(ahead: Scanner): boolean | undefined {
  if (ahead.kind === TOKEN.identifier) return true;
  if (ahead.kind === TOKEN.close) return false;
  if (ahead.kind !== TOKEN.open) return undefined;
  ahead.next();
  return !(ahead.is('param') || ahead.is('result'));
}

/**
 * What an import says of its type holds no exports, no locals and no instructions. The look ahead
 * ends at the first of them, so that no text is looked at again and again.
 */
function afterDescriptor(ahead: Scanner): boolean | undefined {
  for (let depth = 1; depth > 0; ahead.next()) {
    if (ahead.kind === TOKEN.close) {
      depth--;
    } else if (ahead.kind === TOKEN.open) {
      ahead.next();
      if (FIELDS.some((word) => ahead.is(word))) return undefined;
      if (!DESCRIBING.some((word) => ahead.is(word))) return true;
      depth++;
    } else if (ahead.kind === TOKEN.end || ahead.kind === TOKEN.string) {
      return undefined;
    }
  }
  return ahead.kind === TOKEN.close ? false : undefined;
}

/** Either parts of a function, or fields behind an import that was left open. */
const FIELDS = ['import', 'memory', 'table', 'global', 'tag', 'func', 'data', 'elem', 'start'];
const DESCRIBING = ['type', 'param', 'result', 'mut', 'ref', 'pagesize'];

function takeString(ahead: Scanner): boolean {
  if (ahead.kind !== TOKEN.string || !ahead.isClosed) return false;
  ahead.next();
  return true;
}
