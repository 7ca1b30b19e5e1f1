// The tokens of the text format (core specification 3.0, 6.3), read one at a time and without
// objects, so that a text costs little more than a look at each of its characters. What the
// specification forbids still gives tokens, and every one of them is at least a character long.

/** What a token is. A word is a keyword or anything else that is none of the others. */
export const TOKEN = {
  end: 0,
  open: 1,
  close: 2,
  word: 3,
  identifier: 4,
  number: 5,
  string: 6,
} as const;

export type Token = (typeof TOKEN)[keyof typeof TOKEN];

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const DOLLAR = 0x24;
const OPEN = 0x28;
const CLOSE = 0x29;
const PLUS = 0x2b;
const MINUS = 0x2d;
const SEMICOLON = 0x3b;
const AT = 0x40;
const BACKSLASH = 0x5c;

/** Whether a character of ASCII ends a word. */
const ENDS_WORD = new Uint8Array(128);
for (const code of [TAB, LINE_FEED, CARRIAGE_RETURN, SPACE, QUOTE, OPEN, CLOSE, SEMICOLON]) {
  ENDS_WORD[code] = 1;
}

/**
 * Reads tokens; space, comments and annotations are passed over. Whatever is not closed ends early
 * enough to leave the rest of the text alone: a string at the end of its line, a comment likewise;
 * an annotation is then read as if it were no annotation.
 */
export class Scanner {
  readonly text: string;
  /** Where the text is taken to end. */
  readonly #limit: number;
  #position = 0;
  /** Set once a comment does not end: from there on none is looked for inside another. */
  #isFlat = false;
  /** Set once even so a comment does not end: then none after it does. */
  #hasNoCommentEnd = false;
  /** Set once an annotation does not end. */
  #hasNoAnnotations = false;

  kind: Token = TOKEN.end;
  /** Of the token, in UTF-16 units. */
  start = 0;
  end = 0;
  /** Where the token before ends. */
  previousEnd = 0;
  /** Whether a string, or an identifier in quotes, has both of its quotes. */
  isClosed = true;
  /** Whether no other token stands before it on its line. */
  isFirst = true;
  /** Where the line of the token begins. */
  lineStart = 0;
  /** The column of the first token of the line. */
  indent = 0;

  constructor(text: string, start = 0, limit = text.length) {
    this.text = text;
    this.#limit = limit;
    this.lineStart = start;
    this.moveTo(start);
  }

  /** Goes on reading at an offset, which is taken to stand on the line that is being read. */
  moveTo(offset: number): void {
    this.#position = offset;
    this.end = offset;
  }

  /** Reads the next token and answers its kind. */
  next(): Token {
    const { text } = this;
    const limit = this.#limit;
    this.previousEnd = this.end;
    if (this.#position > 0) this.isFirst = false;
    let at = this.#position;
    for (;;) {
      if (at >= limit) return this.#token(TOKEN.end, at, at);
      const code = text.charCodeAt(at);
      if (code === SPACE || code === TAB) {
        at++;
      } else if (code === LINE_FEED || code === CARRIAGE_RETURN) {
        at++;
        this.lineStart = at;
        this.isFirst = true;
      } else if (code === OPEN) {
        const after = this.#afterTrivia(at);
        if (after === at) return this.#token(TOKEN.open, at, at + 1);
        at = after;
      } else if (code === SEMICOLON && text.charCodeAt(at + 1) === SEMICOLON) {
        at = this.#endOfLine(at);
      } else if (code === CLOSE) {
        return this.#token(TOKEN.close, at, at + 1);
      } else if (code === QUOTE) {
        return this.#token(TOKEN.string, at, this.#endOfString(at));
      } else {
        return this.#word(at, code);
      }
    }
  }

  /** Steps over the rest of a group whose `(` was read before; the next token follows its `)`. */
  skipGroup(): void {
    for (let depth = 1; depth > 0 && this.kind !== TOKEN.end; this.next()) {
      if (this.kind === TOKEN.open) depth++;
      else if (this.kind === TOKEN.close) depth--;
    }
  }

  /** Whether the token is of a kind. */
  at(kind: Token): boolean {
    return this.kind === kind;
  }

  /** Whether the token is this word. */
  is(word: string): boolean {
    return (
      this.kind === TOKEN.word &&
      this.end - this.start === word.length &&
      this.text.startsWith(word, this.start)
    );
  }

  #token(kind: Token, start: number, end: number): Token {
    if (this.isFirst) this.indent = start - this.lineStart;
    this.kind = kind;
    this.start = start;
    this.end = end;
    this.#position = end;
    return kind;
  }

  #word(at: number, first: number): Token {
    const { text } = this;
    if (first === DOLLAR && text.charCodeAt(at + 1) === QUOTE && at + 1 < this.#limit) {
      return this.#token(TOKEN.identifier, at, this.#endOfString(at + 1));
    }
    let end = at + 1;
    for (; end < this.#limit; end++) {
      const code = text.charCodeAt(end);
      if (code < 128 && ENDS_WORD[code] === 1) break;
    }
    this.isClosed = true;
    if (first === DOLLAR) return this.#token(TOKEN.identifier, at, end);
    const digit = first === PLUS || first === MINUS ? text.charCodeAt(at + 1) : first;
    return this.#token(digit >= 0x30 && digit <= 0x39 ? TOKEN.number : TOKEN.word, at, end);
  }

  #endOfString(quote: number): number {
    const { text } = this;
    this.isClosed = false;
    for (let at = quote + 1; at < this.#limit; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.isClosed = true;
        return at + 1;
      }
      if (code === LINE_FEED || code === CARRIAGE_RETURN) return at;
      if (code === BACKSLASH && !isLineEnd(text.charCodeAt(at + 1))) at++;
    }
    return this.#limit;
  }

  #endOfLine(from: number): number {
    let at = from;
    while (at < this.#limit && !isLineEnd(this.text.charCodeAt(at))) at++;
    return at;
  }

  /** Where a block comment or an annotation that begins at a `(` ends; the `(` itself if none does. */
  #afterTrivia(open: number): number {
    const second = this.text.charCodeAt(open + 1);
    if (second === SEMICOLON) return this.#afterComment(open);
    return second === AT && !this.#hasNoAnnotations ? this.#afterAnnotation(open) : open;
  }

  #afterComment(open: number): number {
    if (!this.#isFlat) {
      const end = this.#closeOfComment(open, true);
      if (end !== undefined) return end;
      this.#isFlat = true;
    }
    const end = this.#hasNoCommentEnd ? undefined : this.#closeOfComment(open, false);
    this.#hasNoCommentEnd = end === undefined;
    return end ?? this.#endOfLine(open);
  }

  #closeOfComment(open: number, isNested: boolean): number | undefined {
    const { text } = this;
    const { lineStart, isFirst } = this;
    let depth = 1;
    for (let at = open + 2; at < this.#limit; at++) {
      const code = text.charCodeAt(at);
      if (isLineEnd(code)) {
        this.lineStart = at + 1;
        this.isFirst = true;
      } else if (code === SEMICOLON && text.charCodeAt(at + 1) === CLOSE) {
        at++;
        if (--depth === 0) return at + 1;
      } else if (isNested && code === OPEN && text.charCodeAt(at + 1) === SEMICOLON) {
        at++;
        depth++;
      }
    }
    this.lineStart = lineStart;
    this.isFirst = isFirst;
    return undefined;
  }

  /**
   * An annotation (6.3.6) goes to its `)`, whatever it holds. One that is still open where a line
   * begins with a group further left than it has been left unfinished.
   */
  #afterAnnotation(open: number): number {
    const { text } = this;
    const { lineStart, isFirst, isClosed } = this;
    const column = open - lineStart;
    let depth = 1;
    let isAtLineStart = false;
    for (let at = open + 1; at < this.#limit; ) {
      const code = text.charCodeAt(at);
      const next = text.charCodeAt(at + 1);
      if (isLineEnd(code)) {
        this.lineStart = ++at;
        isAtLineStart = true;
        continue;
      }
      if (code === OPEN && next === SEMICOLON) at = this.#afterComment(at);
      else if (code === SEMICOLON && next === SEMICOLON) at = this.#endOfLine(at);
      else if (code === QUOTE) at = this.#endOfString(at);
      else {
        if (code === OPEN) {
          if (isAtLineStart && at - this.lineStart <= column) break;
          depth++;
        }
        at++;
        if (code === CLOSE && --depth === 0) {
          this.isClosed = isClosed;
          return at;
        }
      }
      if (code !== SPACE && code !== TAB) isAtLineStart = false;
    }
    this.#hasNoAnnotations = true;
    this.lineStart = lineStart;
    this.isFirst = isFirst;
    return open;
  }
}

function isLineEnd(code: number): boolean {
  return code === LINE_FEED || code === CARRIAGE_RETURN;
}
