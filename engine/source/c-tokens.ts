// The tokens of a C or C++ text before its preprocessor has run (C17 6.4, phases 2 and 3), in time
// that is linear in the text, whatever it holds.

import type { TextRange } from '../project/json-document.ts';

export type TokenKind = 'word' | 'number' | 'string' | 'character' | 'mark';

/**
 * How a token came to be: it is `written` in the text; a macro `quoted` an argument that is written
 * there (`#name`); or a macro `made` it, and its place is that of the macro's call.
 */
export type TokenOrigin = 'written' | 'quoted' | 'made';

/** A token of the text, or one that macros made out of it. Offsets count UTF-16 units of the text. */
export interface Token {
  readonly kind: TokenKind;
  /** Its spelling; a string's with its quotes and prefix. */
  readonly text: string;
  readonly origin: TokenOrigin;
  readonly start: number;
  readonly end: number;
  /** Whether white space or a comment stands before it. */
  readonly isSpaced: boolean;
  /** Whether it is the first of its line, lines joined by a backslash being one. */
  readonly opensLine: boolean;
  /** The macros that it came out of, which it does not call again (6.10.3.4). */
  readonly outOf: MacroTrail | undefined;
}

/** The names of macros, the innermost first. */
export interface MacroTrail {
  readonly name: string;
  readonly depth: number;
  readonly rest: MacroTrail | undefined;
}

export interface TokenizedText {
  readonly tokens: readonly Token[];
  readonly comments: readonly TextRange[];
}

/** Marks of more than one character that a reader of declarations or conditions must know whole. */
const LONG_MARKS = new Set(
  '... ## :: -> && || == != <= >= << >>'.split(' ').filter((mark) => mark.length > 1),
);
const WORD = /[\p{L}_$][\p{L}\p{N}\p{M}_$]*/uy;
const STRING_PREFIX = /^(?:u8|[uUL])?R?$/;
const RAW_OPENING = /"([^\s()\\]{0,16})\(/y;

/** Splits a text into tokens. What ends too early, such as a string, ends with its line. */
export function tokenize(text: string): TokenizedText {
  const tokens: Token[] = [];
  const comments: TextRange[] = [];
  let at = 0;
  let isSpaced = false;
  let opensLine = true;
  const add = (kind: TokenKind, start: number): void => {
    const spelling = text.slice(start, at);
    const place = { start, end: at, isSpaced, opensLine };
    tokens.push({ kind, text: spelling, origin: 'written', ...place, outOf: undefined });
    isSpaced = false;
    opensLine = false;
  };
  while (at < text.length) {
    const start = at;
    const unit = text.charAt(at);
    if (unit === '\n') {
      at++;
      opensLine = true;
      isSpaced = true;
    } else if (unit <= ' ' || unit === '\ufeff') {
      at++;
      isSpaced = true;
    } else if (unit === '\\' && spliceAt(text, at) > 0) {
      at += spliceAt(text, at);
    } else if (unit === '/' && (text[at + 1] === '/' || text[at + 1] === '*')) {
      at = text[at + 1] === '/' ? endOfLine(text, at) : endOfBlock(text, at);
      comments.push({ offset: start, length: at - start });
      isSpaced = true;
    } else if (unit === '"' || unit === "'") {
      at = endOfQuoted(text, at);
      add(unit === '"' ? 'string' : 'character', start);
    } else if (isDigit(unit) || (unit === '.' && isDigit(text.charAt(at + 1)))) {
      at = endOfNumber(text, at);
      add('number', start);
    } else {
      at = endOfWord(text, at);
      if (at === start) {
        at += LONG_MARKS.has(text.slice(at, at + 3))
          ? 3
          : LONG_MARKS.has(text.slice(at, at + 2))
            ? 2
            : 1;
        add('mark', start);
      } else if (text[at] === '"' && STRING_PREFIX.test(text.slice(start, at))) {
        at = text[at - 1] === 'R' ? endOfRaw(text, at) : endOfQuoted(text, at);
        add('string', start);
      } else {
        add('word', start);
      }
    }
  }
  return { tokens, comments };
}

/** The length of a backslash that joins two lines; 0 if it does not. */
function spliceAt(text: string, at: number): number {
  if (text[at] !== '\\') return 0;
  if (text[at + 1] === '\n') return 2;
  return text[at + 1] === '\r' && text[at + 2] === '\n' ? 3 : 0;
}

function endOfLine(text: string, at: number): number {
  let end = text.indexOf('\n', at);
  while (end > 0 && /\\\r?$/.test(text.slice(end - 2, end))) end = text.indexOf('\n', end + 1);
  return end < 0 ? text.length : end;
}

function endOfBlock(text: string, at: number): number {
  const end = text.indexOf('*/', at + 2);
  return end < 0 ? text.length : end + 2;
}

function endOfQuoted(text: string, at: number): number {
  const quote = text[at];
  let end = at + 1;
  while (end < text.length && text[end] !== quote && text[end] !== '\n') {
    end += text[end] === '\\' ? Math.max(2, spliceAt(text, end)) : 1;
  }
  return text[end] === quote ? end + 1 : Math.min(end, text.length);
}

/** `R"tag( … )tag"` (C++17 5.13.5, and C as GNU speaks it). */
function endOfRaw(text: string, at: number): number {
  RAW_OPENING.lastIndex = at;
  const tag = RAW_OPENING.exec(text)?.[1];
  if (tag === undefined) return endOfQuoted(text, at);
  const closing = `)${tag}"`;
  const end = text.indexOf(closing, at);
  return end < 0 ? text.length : end + closing.length;
}

function isDigit(unit: string): boolean {
  return unit >= '0' && unit <= '9';
}

/** A preprocessing number (6.4.8), with the digit separators of C23. */
function endOfNumber(text: string, at: number): number {
  let end = at + 1;
  for (;;) {
    const unit = text.charAt(end);
    if (/[\w.]/.test(unit)) end++;
    else if ((unit === '+' || unit === '-') && /[eEpP]/.test(text.charAt(end - 1))) end++;
    else if (unit === "'" && /\w/.test(text.charAt(end + 1))) end += 2;
    else return end;
  }
}

function endOfWord(text: string, at: number): number {
  WORD.lastIndex = at;
  return WORD.test(text) ? WORD.lastIndex : at;
}
