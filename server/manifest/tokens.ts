import { createScanner } from 'jsonc-parser';

/** A token of JSON with comments; strings, numbers and words go by their first character. */
export interface Token {
  readonly kind: 'comment' | 'line break' | 'space' | (string & {});
  readonly offset: number;
  readonly end: number;
}

/** The tokens of a text from an offset on, white space and comments among them. */
export function* tokensFrom(text: string, from = 0): Iterable<Token> {
  const scanner = createScanner(text, false);
  scanner.setPosition(from);
  while (scanner.getPosition() < text.length) {
    scanner.scan();
    const offset = scanner.getTokenOffset();
    yield { kind: kindAt(text, offset), offset, end: scanner.getPosition() };
  }
}

/** The first token from an offset on that means something. */
export function nextToken(text: string, from: number): Token | undefined {
  for (const token of tokensFrom(text, from)) if (isMeant(token)) return token;
  return undefined;
}

/** Whether a token is neither white space nor a comment. */
export function isMeant({ kind }: Token): boolean {
  return kind !== 'comment' && kind !== 'line break' && kind !== 'space';
}

function kindAt(text: string, offset: number): Token['kind'] {
  const first = text.charAt(offset);
  if (first === '/' && /[/*]/.test(text.charAt(offset + 1))) return 'comment';
  if (first === '\n' || first === '\r') return 'line break';
  return first.trim() === '' ? 'space' : first;
}
