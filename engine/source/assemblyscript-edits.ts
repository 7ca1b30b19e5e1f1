// Edits of AssemblyScript imports.

import type { TextRange } from '../project/json-document.ts';
import type { ValueType, WhitelistFunction } from '../whitelist/types.ts';
import type { Decorator } from './assemblyscript-decorators.ts';
import { literalOf } from './assemblyscript-strings.ts';
import type { TypeText } from './assemblyscript-types.ts';
import {
  endOf,
  indentAt,
  insert,
  lineBreakOf,
  lineStart,
  removalOf,
  replace,
  sliceOf,
} from './syntax.ts';
import type { EditableDeclaration, SourceEdit } from './types.ts';

export interface Parameter {
  readonly range: TextRange;
  /** Absent for a pattern, and for `this`. */
  readonly name?: string;
  readonly type?: TypeText;
  /** Whether it may be left out: `a?`, `a = 1`, `...a`. */
  readonly isOptional: boolean;
}

/** An import as it is written. */
export interface Written {
  readonly text: string;
  /** From its first decorator on; of several variables, this one alone. */
  readonly range: TextRange;
  readonly place: 'only' | 'first' | 'later';
  readonly defaultModule: string;
  readonly external?: Decorator;
  /** Of a function that is not generic. */
  readonly signature?: {
    /** Parentheses included. */
    readonly list: TextRange;
    readonly parameters: readonly Parameter[];
    /** The type behind the list, without its colon. */
    readonly result?: TextRange;
    readonly resultType?: TypeText;
    /** Whether what is written is all that is passed. */
    readonly isPlain: boolean;
    readonly type?: string;
  };
}

/** The names as they are now; `name` is absent where no decorator gives it. */
interface Names {
  readonly module: string;
  readonly name: string | undefined;
}

/** The edits of an import. */
export function editAssemblyScript(
  written: Written,
  names: Names,
): Pick<EditableDeclaration, 'importing' | 'typedAs' | 'removed'> {
  return {
    importing: (target) => importing(written, names, target),
    typedAs: (target) => typedAs(written, target),
    removed: () => removed(written),
  };
}

function importing(
  { text, range, place, defaultModule, external }: Written,
  names: Names,
  target: { readonly module: string; readonly name: string },
): readonly SourceEdit[] | undefined {
  const [module, name] = [literalOf(target.module), literalOf(target.name)];
  // A decorator belongs to all variables of its statement.
  if (module === undefined || name === undefined || place !== 'only') return undefined;
  const [first, second] = external?.strings ?? [];
  if (first === undefined) {
    const isAtStart = text.slice(lineStart(text, range.offset), range.offset).trim() === '';
    const gap = isAtStart ? `${lineBreakOf(text)}${indentAt(text, range.offset)}` : ' ';
    return [insert(range.offset, `@external(${module}, ${name})${gap}`)];
  }
  if (second === undefined) {
    const isSameModule = target.module === defaultModule;
    if (isSameModule && names.name === target.name) return [];
    return [replace(first.range, isSameModule ? name : `${module}, ${name}`)];
  }
  return [
    ...(names.module === target.module ? [] : [replace(first.range, module)]),
    ...(names.name === target.name ? [] : [replace(second.range, name)]),
  ];
}

function typedAs(
  { text, signature }: Written,
  { params, results }: WhitelistFunction,
): readonly SourceEdit[] | undefined {
  if (!signature?.isPlain || results.length > 1) return undefined;
  const { list, parameters, result, resultType } = signature;
  const edits: SourceEdit[] = [];
  const fits =
    params.length === parameters.length && params.every((type, i) => type === parameters[i]?.type);
  if (!fits) edits.push(replace(list, `(${parameterTexts(text, parameters, params).join(', ')})`));
  const wanted = results[0] ?? 'void';
  if (resultType !== wanted) {
    edits.push(result === undefined ? insert(endOf(list), `: ${wanted}`) : replace(result, wanted));
  }
  return edits;
}

/** Parameters of given types, those that fit as they are, and names for those that have none. */
function parameterTexts(
  text: string,
  parameters: readonly Parameter[],
  wanted: readonly ValueType[],
): readonly string[] {
  const taken = new Set(parameters.flatMap(({ name }) => name ?? []));
  // What may be left out stands last.
  const lastRequired = wanted.findLastIndex((type, i) => {
    const parameter = parameters[i];
    return parameter?.type !== type || !parameter.isOptional;
  });
  return wanted.map((type, i) => {
    const parameter = parameters[i];
    if (parameter?.type === type && (!parameter.isOptional || i > lastRequired)) {
      return sliceOf(text, parameter.range);
    }
    let name = parameter?.name ?? `arg${i}`;
    while (parameter?.name === undefined && taken.has(name)) name += '_';
    return `${name}: ${type}`;
  });
}

function removed({ text, range, place }: Written): readonly SourceEdit[] | undefined {
  if (place === 'only') return [replace(removalOf(text, withComments(text, range)), '')];
  if (place === 'first') {
    const comma = /^\s*,\s*/.exec(text.slice(endOf(range)));
    return comma === null
      ? undefined
      : [replace({ offset: range.offset, length: range.length + comma[0].length }, '')];
  }
  const before = text.slice(0, range.offset).trimEnd();
  if (!before.endsWith(',')) return undefined;
  const offset = before.length - 1;
  return [replace({ offset, length: endOf(range) - offset }, '')];
}

/** Widens a range to comments on the lines right above it, and to one that ends its last line. */
function withComments(text: string, range: TextRange): TextRange {
  let { offset } = range;
  for (;;) {
    const start = commentAbove(text, offset);
    if (start === undefined) break;
    offset = start;
  }
  const end = endOf(range);
  const rest = text.slice(end, lineEnd(text, end));
  const trailing = /^[ \t]*(?:\/\/.*|\/\*[^*]*\*\/)[ \t]*$/.test(rest) ? rest.trimEnd().length : 0;
  return { offset, length: end + trailing - offset };
}

/** Where the comment begins whose last line is the one above `offset`, if nothing stands before it. */
function commentAbove(text: string, offset: number): number | undefined {
  const line = lineStart(text, offset);
  if (line === 0 || text.slice(line, offset).trim() !== '') return undefined;
  const above = lineStart(text, line - 1);
  const content = text.slice(above, line).trim();
  if (content.startsWith('//')) return text.indexOf('//', above);
  if (!content.endsWith('*/')) return undefined;
  const start = text.lastIndexOf('/*', line);
  const lead = text.slice(lineStart(text, start), start);
  return start < 0 || lead.trim() !== '' ? undefined : start;
}

function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end;
}
