// Edits of C and C++ imports. Macros, conditions and shared declarations give an edit consequences that
// its place does not show; so every edit is tried: it is offered if the text, read again with it, has
// what was wanted and all else as it was.

import type { TextRange } from '../project/json-document.ts';
import type { ValueType, WhitelistFunction } from '../whitelist/types.ts';
import type { NamedBy } from './c-attributes.ts';
import type { FunctionParts } from './c-functions.ts';
import type { CImport } from './c-imports.ts';
import { type CSource, endBefore, placeOfFunction, writtenPlaceOf } from './c-source.ts';
import { literalFor } from './c-strings.ts';
import { endOf, insert, lineStart, removalOf, replace, sliceOf } from './syntax.ts';
import type { SourceEdit } from './types.ts';

/** The two names that an import has. */
export interface ImportTarget {
  readonly module: string;
  readonly name: string;
}

/** How an attribute that is missing is written: in the list of the other one, or behind the declarator. */
export type Insertion = 'beside' | 'behind';

/** Edits that give a declaration other names; `undefined` where they cannot be written this way. */
export function renaming(
  source: CSource,
  imported: CImport,
  target: ImportTarget,
  insertion: Insertion,
): readonly SourceEdit[] | undefined {
  const edits: SourceEdit[] = [];
  for (const gives of ['module', 'name'] as const) {
    if (imported[gives] === target[gives]) continue;
    const by = imported.sources[gives];
    const edit =
      by === undefined || by.by === 'other'
        ? inserting(source, imported, gives, target[gives], insertion)
        : renamed(by.given, target[gives], by.by === 'assembly');
    if (edit === undefined) return undefined;
    edits.push(edit);
  }
  return edits;
}

/** What an assembler takes for a name without quotes. */
const ASSEMBLY_NAME = /^[A-Za-z_.$][\w.$]*$/;
/** Spellings of one token or several without white space: quoted, they are the same again. */
const QUOTED_NAME = /^[\w$][\w$.-]*$/;

function renamed(given: NamedBy, name: string, isAssembly: boolean): SourceEdit | undefined {
  if (isAssembly) {
    const isSure = given.origin === 'written' && ASSEMBLY_NAME.test(name);
    return isSure ? replace(given.range, name) : undefined;
  }
  if (given.origin === 'quoted') {
    return QUOTED_NAME.test(name) ? replace(given.range, name) : undefined;
  }
  const literal = given.origin === 'written' ? literalFor(name) : undefined;
  return literal === undefined ? undefined : replace(given.range, literal);
}

function inserting(
  source: CSource,
  { found, sources }: CImport,
  gives: 'module' | 'name',
  name: string,
  insertion: Insertion,
): SourceEdit | undefined {
  const literal = literalFor(name);
  if (literal === undefined) return undefined;
  if (insertion === 'beside') {
    const other = sources[gives === 'module' ? 'name' : 'module'];
    if (other?.by !== 'own' || other.given.end === undefined) return undefined;
    return insert(other.given.end, `${other.given.sibling(gives)}(${literal})`);
  }
  // Behind a trailing type an attribute would be the type's.
  if (found.parts?.isTrailing) return undefined;
  const end = endBefore(source, found.declarator.last + 1);
  return end === undefined
    ? undefined
    : insert(end, ` __attribute__((import_${gives}(${literal})))`);
}

/** How C spells the value types it has words for. */
const SPELLINGS: Readonly<Partial<Record<ValueType, string>>> = {
  i32: 'int',
  i64: 'long long',
  f32: 'float',
  f64: 'double',
};

/**
 * Edits that give a declaration the type of a function, leaving what fits it as it is spelled;
 * `undefined` where the type has no spelling, or macros make what would change.
 */
export function retyping(
  source: CSource,
  { found }: CImport,
  { params, results }: WhitelistFunction,
): readonly SourceEdit[] | undefined {
  const { parts } = found;
  if (parts === undefined || results.length > 1) return undefined;
  const parameters = retypingParameters(source, parts, params);
  const result = retypingResult(source, parts.result, results[0] ?? 'void', parts.isTrailing);
  return parameters && result && [...parameters, ...result];
}

function retypingParameters(
  source: CSource,
  parts: FunctionParts,
  wanted: readonly ValueType[],
): readonly SourceEdit[] | undefined {
  const { list, parameters: written, isOpen } = parts;
  const fits =
    written.length === wanted.length && written.every(({ value }, i) => value === wanted[i]);
  if (fits && !isOpen) return [];
  // What has a default stands last.
  const lastWithout = wanted.findLastIndex((value, i) => {
    const parameter = written[i];
    return parameter?.value !== value || !parameter.hasDefault;
  });
  const texts: string[] = [];
  for (const [i, value] of wanted.entries()) {
    const parameter = written[i];
    const isKept = parameter?.value === value && (!parameter.hasDefault || i > lastWithout);
    const place = isKept ? writtenPlaceOf(source, parameter) : undefined;
    const spelling = SPELLINGS[value];
    if (place !== undefined) texts.push(sliceOf(source.text, place));
    else if (spelling === undefined) return undefined;
    else texts.push(parameter?.name === undefined ? spelling : `${spelling} ${parameter.name}`);
  }
  const place = writtenPlaceOf(source, list);
  const text = texts.length === 0 && !source.isCpp ? 'void' : texts.join(', ');
  return place && [replace(place, `(${text})`)];
}

function retypingResult(
  source: CSource,
  result: FunctionParts['result'],
  wanted: ValueType | 'void',
  isTrailing: boolean,
): readonly SourceEdit[] | undefined {
  if (result.value === wanted) return [];
  const spelling = wanted === 'void' ? 'void' : SPELLINGS[wanted];
  const type = result.type && writtenPlaceOf(source, result.type);
  if (spelling === undefined || type === undefined || isTrailing) return undefined;
  const edits = [replace(type, spelling)];
  for (const span of [...result.qualifiers, ...(result.pointers ? [result.pointers] : [])]) {
    const place = writtenPlaceOf(source, span);
    if (place === undefined) return undefined;
    edits.push(dropping(source.text, place));
  }
  return edits;
}

/** Takes a piece out, leaving its neighbours apart. */
function dropping(text: string, { offset, length }: TextRange): SourceEdit {
  let end = offset + length;
  while (text[end] === ' ') end++;
  const isApart = offset === 0 || /\s/.test(text.charAt(offset - 1));
  return replace({ offset, length: end - offset }, isApart ? '' : ' ');
}

/** Edits that remove a declaration, with the comments that belong to it. */
export function removing(source: CSource, { found }: CImport): readonly SourceEdit[] | undefined {
  const { tokens } = source.plain;
  const place = placeOfFunction(source, found);
  const next = tokens[found.declarator.last + 1];
  if (found.place === 'first') {
    const following = tokens[found.declarator.last + 2];
    if (next?.text !== ',' || following === undefined) return undefined;
    return [replace({ offset: place.offset, length: following.start - place.offset }, '')];
  }
  if (found.place === 'later') {
    const comma = tokens[found.declarator.first - 1];
    if (comma?.text !== ',') return undefined;
    return [replace({ offset: comma.start, length: endOf(place) - comma.start }, '')];
  }
  // The semicolon after a macro that brings its own says nothing once the macro is gone.
  const after = tokens[found.declaration.last + 1];
  const isStray = after?.text === ';' && tokens[found.declaration.last]?.origin === 'made';
  const end = isStray ? Math.max(after.end, endOf(place)) : endOf(place);
  return [replace(removalOf(source.text, withComments(source, place.offset, end)), '')];
}

/** Widens a range to comments on the lines right above it, and to one that ends its last line. */
function withComments({ text, preprocessed }: CSource, start: number, end: number): TextRange {
  const { comments } = preprocessed;
  let [first, last] = [start, end];
  let i = comments.findLastIndex(({ offset }) => offset < start);
  for (let comment = comments[i]; comment !== undefined; comment = comments[--i]) {
    const between = text.slice(endOf(comment), first);
    const isAlone = text.slice(lineStart(text, comment.offset), comment.offset).trim() === '';
    if (!/^[ \t]*\r?\n[ \t]*$/.test(between) || !isAlone) break;
    first = comment.offset;
  }
  const trailing = comments.find(({ offset }) => offset >= end);
  if (trailing !== undefined && /^[ \t]*$/.test(text.slice(end, trailing.offset))) {
    if (/^[ \t]*(?:\r?\n|$)/.test(text.slice(endOf(trailing)))) last = endOf(trailing);
  }
  return { offset: first, length: last - first };
}
