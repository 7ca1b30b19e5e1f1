// A C or C++ text between its preprocessor and its declarations: from plain tokens, which the grammar
// sees, back to pieces of the text.

import type { TextRange } from '../project/json-document.ts';
import { type LiftedText, liftAttributes } from './c-attributes.ts';
import type { FoundFunction, Span } from './c-functions.ts';
import { endOfForeignMacro, type PlainText, plainTextOf } from './c-plain-text.ts';
import { type PreprocessedText, preprocess } from './c-preprocessor.ts';
import type { Token } from './c-tokens.ts';
import { endOf } from './syntax.ts';

/** A text whose preprocessor has run and whose attributes are taken out. */
export interface CSource {
  readonly text: string;
  readonly isCpp: boolean;
  readonly preprocessed: PreprocessedText;
  readonly lifted: LiftedText;
  readonly plain: PlainText;
}

/** `undefined` for a text in which nothing concerns imports: there is no need to parse it. */
export function sourceOfC(text: string, isCpp: boolean): CSource | undefined {
  // Cheaper than tokens, and true of every attribute and directive that is read.
  if (!text.includes('import_')) return undefined;
  const preprocessed = preprocess(text, isCpp);
  const attributed = liftAttributes(preprocessed.tokens);
  const concerns = attributed.lifted.some(({ attributes }) => attributes.length > 0);
  if (!concerns && attributed.assembly.length === 0) return undefined;
  const lifted = withoutForeignMacros(attributed, preprocessed.tokens);
  const remaining = lifted.remaining.flatMap((index) => preprocessed.tokens[index] ?? []);
  return { text, isCpp, preprocessed, lifted, plain: plainTextOf(remaining, isCpp) };
}

/** Takes the macros of other files out as well that a declaration parses better without. */
function withoutForeignMacros(attributed: LiftedText, all: readonly Token[]): LiftedText {
  const tokens = attributed.remaining.flatMap((index) => all[index] ?? []);
  const remaining: number[] = [];
  /** For each token before, the index that it or the next one has after. */
  const indices: number[] = [];
  let end = 0;
  for (const [i, index] of attributed.remaining.entries()) {
    indices.push(remaining.length);
    end = i < end ? end : endOfForeignMacro(tokens, i);
    if (i >= end) remaining.push(index);
  }
  const lifted = attributed.lifted.map((each) => ({
    ...each,
    at: indices[each.at] ?? remaining.length,
  }));
  return { ...attributed, remaining, lifted };
}

/**
 * Where the tokens of a span stand, with what was lifted from before and among them. Of what a macro
 * makes it is the macro's call.
 */
export function placeOf(source: CSource, span: Span): TextRange {
  return hull(tokensOf(source, span));
}

/** Where a span stands, if all of it is written in the text, and not made by macros. */
export function writtenPlaceOf(source: CSource, { first, last }: Span): TextRange | undefined {
  const { remaining } = source.lifted;
  const tokens = source.preprocessed.tokens.slice(remaining[first], (remaining[last] ?? -1) + 1);
  const isWritten = tokens.length > 0 && tokens.every(({ origin }) => origin === 'written');
  return isWritten ? hull(tokens) : undefined;
}

/** Where a declaration of a function stands, its attributes included; of several, this one alone. */
export function placeOfFunction(source: CSource, found: FoundFunction): TextRange {
  switch (found.place) {
    case 'only':
      return placeOf(source, found.declaration);
    case 'first': {
      const { first, last } = found.declarator;
      const start = source.plain.tokens[first]?.start ?? 0;
      const end = Math.max(
        endOf(placeOf(source, { first, last })),
        endBefore(source, last + 1) ?? 0,
      );
      return { offset: start, length: end - start };
    }
    case 'later': {
      const place = placeOf(source, found.declarator);
      const end = Math.max(endOf(place), endBefore(source, found.declarator.last + 1) ?? 0);
      return { offset: place.offset, length: end - place.offset };
    }
  }
}

/** The offset behind what stands before a plain token, lifted or not; `undefined` at the very start. */
export function endBefore(source: CSource, index: number): number | undefined {
  const { remaining } = source.lifted;
  return source.preprocessed.tokens[(remaining[index] ?? 0) - 1]?.end;
}

function tokensOf({ preprocessed, lifted }: CSource, { first, last }: Span): readonly Token[] {
  const { tokens } = preprocessed;
  const { remaining } = lifted;
  const begin = remaining[first] ?? 0;
  let start = first === 0 ? 0 : (remaining[first - 1] ?? -1) + 1;
  // A macro of another file on a line of its own, such as `BEGIN_DECLS`, is not this declaration's.
  while (start < begin && tokens[start]?.kind === 'word' && tokens[start + 1]?.opensLine) {
    start++;
  }
  return tokens.slice(start, (remaining[last] ?? -1) + 1);
}

function hull(tokens: readonly Token[]): TextRange {
  let start = tokens[0]?.start ?? 0;
  let end = start;
  for (const token of tokens) {
    start = Math.min(start, token.start);
    end = Math.max(end, token.end);
  }
  return { offset: start, length: end - start };
}
