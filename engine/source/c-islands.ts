// Declarations that a broken text has swallowed: the grammar gives up on more than what is broken, while
// the tokens still tell where a statement begins and ends.

import type { Lifted } from './c-attributes.ts';
import type { FoundFunction } from './c-functions.ts';
import type { CSource } from './c-source.ts';

/**
 * The plain text with nothing left but the statements around attributes that no function of `found` has,
 * all offsets as they were; `undefined` if there is no such attribute.
 */
export function islandsOf(
  { plain, lifted }: CSource,
  found: readonly FoundFunction[],
): string | undefined {
  const pieces: string[] = [];
  let at = 0;
  for (const { at: index } of unclaimed(lifted.lifted, found)) {
    const start = startOfStatement(plain.tokens, index);
    const last = endOfStatement(plain.tokens, index);
    const from = plain.offsetOf(start);
    const to = plain.offsetOf(last) + (plain.tokens[last]?.text.length ?? 0);
    // A statement with several attributes is one island.
    if (start > last || from < at) continue;
    pieces.push(' '.repeat(from - at), plain.text.slice(from, to));
    at = to;
  }
  return pieces.length === 0 ? undefined : pieces.join('');
}

/** What was lifted for imports, and belongs to no function. */
export function unclaimed(
  lifted: readonly Lifted[],
  found: readonly FoundFunction[],
): readonly Lifted[] {
  const claimed = new Set(found.flatMap((each) => each.lifted));
  return lifted.filter((each) => each.attributes.length > 0 && !claimed.has(each));
}

/** No declaration is longer, in tokens. */
const MAX_LENGTH = 2000;

interface Spelled {
  readonly text: string;
}

function startOfStatement(tokens: readonly Spelled[], index: number): number {
  let start = index;
  while (start > 0 && index - start < MAX_LENGTH && !isEnd(tokens[start - 1])) start--;
  return start;
}

/** The index of the semicolon, or of what stands before a brace. */
function endOfStatement(tokens: readonly Spelled[], index: number): number {
  let end = index;
  while (end < tokens.length && end - index < MAX_LENGTH && !isEnd(tokens[end])) end++;
  return tokens[end]?.text === ';' ? end : end - 1;
}

function isEnd(token: Spelled | undefined): boolean {
  return token !== undefined && /^[;{}]$/.test(token.text);
}
