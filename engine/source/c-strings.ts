// String literals of C and C++ (C17 6.4.5), as the arguments of attributes: neither prefix nor
// encoding changes what they name.

/** What a literal stands for, and where in its spelling each unit of that comes from. */
export interface LiteralText {
  readonly value: string;
  /** For each unit of `value` its offset in the spelling, and last the offset of the closing quote. */
  readonly offsets: readonly number[];
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const NUMERIC_ESCAPE = /x([\da-fA-F]+)|([0-7]{1,3})|u([\da-fA-F]{4})|U([\da-fA-F]{8})/y;
const LINE_BREAK = /\r?\n/y;

/** Reads a literal from its spelling, prefix and quotes included. */
export function literalText(spelling: string): LiteralText {
  const raw = /^\w*R"([^(]*)\(/.exec(spelling);
  if (raw !== null) return rawText(spelling, raw[0].length, `)${raw[1]}"`);
  let at = spelling.indexOf('"') + 1;
  const end =
    spelling.length > at && spelling.endsWith('"') ? spelling.length - 1 : spelling.length;
  let value = '';
  const offsets: number[] = [];
  while (at < end) {
    const piece =
      spelling[at] === '\\' ? escapeAt(spelling, at) : { value: spelling.charAt(at), length: 1 };
    for (let i = 0; i < piece.value.length; i++) offsets.push(at);
    value += piece.value;
    at += piece.length;
  }
  return { value, offsets: [...offsets, end] };
}

function rawText(spelling: string, start: number, closing: string): LiteralText {
  const end = spelling.endsWith(closing) ? spelling.length - closing.length : spelling.length;
  const value = spelling.slice(start, end);
  return { value, offsets: Array.from({ length: value.length + 1 }, (_, i) => start + i) };
}

function escapeAt(
  spelling: string,
  at: number,
): { readonly value: string; readonly length: number } {
  const numeric = matchAt(NUMERIC_ESCAPE, spelling, at + 1);
  if (numeric !== null) {
    const [whole, hex, octal, short, long] = numeric;
    const code = Number.parseInt(hex ?? octal ?? short ?? long ?? '', octal === undefined ? 16 : 8);
    return {
      value: code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd',
      length: 1 + whole.length,
    };
  }
  const lineBreak = matchAt(LINE_BREAK, spelling, at + 1);
  if (lineBreak !== null) return { value: '', length: 1 + lineBreak[0].length };
  const unit = spelling.charAt(at + 1);
  return { value: SIMPLE_ESCAPES[unit] ?? unit, length: 2 };
}

function matchAt(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

const WRITTEN_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

/**
 * A literal for a name, in quotes. `undefined` where clang takes none for it: an attribute's argument
 * has no numeric escapes, so that other control characters and halves of surrogate pairs cannot be said.
 */
export function literalFor(name: string): string | undefined {
  if (!name.isWellFormed()) return undefined;
  const text = name.replace(/["\\\n\r\t]/g, (unit) => WRITTEN_ESCAPES.get(unit) ?? unit);
  return /\p{Cc}/u.test(text) ? undefined : `"${text}"`;
}
