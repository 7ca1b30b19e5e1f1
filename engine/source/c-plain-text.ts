// The text that the grammar parses: what the preprocessor leaves, without attributes and without words
// of other files that stand in the way of a parse. Its nodes lead back to tokens, and so to the source.

import type { Node } from 'web-tree-sitter';
import type { Token } from './c-tokens.ts';

/** Tokens as one text for the grammar. Indices of tokens are those among the plain ones. */
export interface PlainText {
  readonly text: string;
  readonly tokens: readonly Token[];
  /** The offset in `text` at which the token with an index begins. */
  offsetOf(index: number): number;
  /** The index of the first token that ends past an offset of `text`. */
  indexAt(offset: number): number;
  /** The spelling in the source of what a node holds, its tokens joined without white space. */
  wordOf(node: Node): string;
}

/** Words that are keywords to the grammar of C++, and names to C. */
const NAMES_IN_C = new Set(
  (
    'and asm bool catch class compl concept delete explicit export final friend mutable namespace new ' +
    'noexcept not operator or override private protected public requires template this throw try ' +
    'typename using virtual xor co_await co_return co_yield consteval'
  ).split(' '),
);

/** Joins tokens with single spaces where the source has space or a macro has put them together. */
export function plainTextOf(tokens: readonly Token[], isCpp: boolean): PlainText {
  const starts: number[] = [];
  const pieces: string[] = [];
  let length = 0;
  let before: Token | undefined;
  for (const token of tokens) {
    if (before === undefined || token.isSpaced || token.opensLine || before.end !== token.start) {
      pieces.push(token.opensLine ? '\n' : ' ');
      length++;
    }
    starts.push(length);
    const isName = !isCpp && NAMES_IN_C.has(token.text);
    const piece = isName ? `${token.text.slice(0, -1)}_` : token.text;
    pieces.push(piece);
    length += piece.length;
    before = token;
  }
  const indexAt = (offset: number): number => {
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const end = (starts[middle] ?? 0) + (tokens[middle]?.text.length ?? 0);
      if (end > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  };
  return {
    text: pieces.join(''),
    tokens,
    offsetOf: (index) => starts[index] ?? length,
    indexAt,
    wordOf: (node) =>
      tokens
        .slice(indexAt(node.startIndex), indexAt(node.endIndex))
        .map((token) => token.text)
        .join(''),
  };
}

const CAPITALS = /^_*[A-Z][A-Z0-9_]*$/;
/** Words that stand beside the type of a declaration. */
const BESIDE_TYPE = new Set(
  (
    'extern static inline __inline __inline__ constexpr register const volatile restrict __restrict ' +
    '__restrict__ virtual explicit friend typedef'
  ).split(' '),
);
/** No declaration has as many words in a row. */
const MAX_WORDS = 12;

/** No macro of another file is called with as many tokens. */
const MAX_CALL = 64;

/**
 * The index past a macro of another file that says nothing of a type, as `API` does in
 * `API int f(void);` and `QUIET` in `int f(void) QUIET("why");`: it is written in capitals, and the
 * declaration has a type and a name without it. `at` itself where there is none.
 */
export function endOfForeignMacro(tokens: readonly Token[], at: number): number {
  const word = tokens[at];
  if (word?.kind !== 'word' || !CAPITALS.test(word.text)) return at;
  if (tokens[at - 1]?.text === ')') return endOfTrailing(tokens, at);
  let end = at + 1;
  let others = 0;
  while (tokens[end]?.kind === 'word' && end - at < MAX_WORDS) {
    if (!BESIDE_TYPE.has(tokens[end]?.text ?? '')) others++;
    end++;
  }
  // Before `*` and `&` all words are the type's; else the last one is the name that is declared.
  const types = /^[*&]|^&&$/.test(tokens[end]?.text ?? '') ? others : others - 1;
  return types > 0 ? at + 1 : at;
}

function endOfTrailing(tokens: readonly Token[], at: number): number {
  let end = at + 1;
  let depth = 0;
  do {
    const text = tokens[end]?.text;
    if (text === '(') depth++;
    else if (text === ')') depth--;
    if (depth > 0 || text === ')') end++;
  } while (depth > 0 && end - at < MAX_CALL);
  return /^[;,{]$/.test(tokens[end]?.text ?? '') ? end : at;
}
