// Strings of the text format (core specification 3.0, 6.3.3): sequences of bytes, which imported and
// exported names read as UTF-8.

import { tryDecodeUtf8 } from '../../encoding/utf8.ts';

const encoder = new TextEncoder();

/**
 * The text that a string stands for.
 * @param contents what stands between its quotes.
 * @returns `undefined` where its bytes are no UTF-8 or an escape is none of the format's.
 */
export function decodeString(contents: string): string | undefined {
  if (!contents.isWellFormed()) return undefined;
  if (!contents.includes('\\')) return contents;
  const bytes = bytesOf(contents);
  return bytes && tryDecodeUtf8(bytes);
}

const ESCAPES: ReadonlyMap<string, number> = new Map([
  ['t', 0x09],
  ['n', 0x0a],
  ['r', 0x0d],
  ['"', 0x22],
  ["'", 0x27],
  ['\\', 0x5c],
]);

function bytesOf(contents: string): Uint8Array | undefined {
  // A unit of UTF-16 gives three bytes at most, and no escape more than its own length.
  const bytes = new Uint8Array(3 * contents.length);
  let length = 0;
  let at = 0;
  while (at < contents.length) {
    const backslash = contents.indexOf('\\', at);
    const plain = contents.slice(at, backslash < 0 ? contents.length : backslash);
    length += encoder.encodeInto(plain, bytes.subarray(length)).written;
    if (backslash < 0) break;
    const letter = contents.charAt(backslash + 1);
    const byte = ESCAPES.get(letter);
    if (byte !== undefined) {
      bytes[length++] = byte;
      at = backslash + 2;
    } else if (letter === 'u') {
      const end = contents.indexOf('}', backslash);
      const character = end < 0 ? undefined : scalarValue(contents.slice(backslash + 2, end + 1));
      if (character === undefined) return undefined;
      length += encoder.encodeInto(character, bytes.subarray(length)).written;
      at = end + 1;
    } else {
      const hex = contents.slice(backslash + 1, backslash + 3);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return undefined;
      bytes[length++] = Number.parseInt(hex, 16);
      at = backslash + 3;
    }
  }
  return bytes.subarray(0, length);
}

/** The character of `{1F600}`; `undefined` for what is no scalar value of Unicode. */
function scalarValue(braced: string): string | undefined {
  const [, digits] = /^\{([0-9a-fA-F]+(?:_[0-9a-fA-F]+)*)\}$/.exec(braced.slice(0, 64)) ?? [];
  if (digits === undefined) return undefined;
  const code = Number.parseInt(digits.replaceAll('_', ''), 16);
  const isScalar = code < 0xd800 || (code >= 0xe000 && code <= 0x10ffff);
  return isScalar ? String.fromCodePoint(code) : undefined;
}

/** What a string's quotes and escapes are for, and what a reader would not see or be fooled by. */
const ESCAPED = /["\\]|[\p{C}\p{Zl}\p{Zp}]/gu;

/** What to write between the quotes of a string that stands for a text. */
export function encodeString(text: string): string {
  return text
    .toWellFormed()
    .replace(ESCAPED, (c) =>
      c === '"' || c === '\\' ? `\\${c}` : `\\u{${(c.codePointAt(0) ?? 0).toString(16)}}`,
    );
}

/** An identifier (6.3.5) as it is compared: `$"a b"` and `$a b` are one, as are `$"f"` and `$f`. */
export function identifierText(written: string): string {
  if (!written.startsWith('$"')) return written;
  const contents = written.slice(2, written.endsWith('"') && written.length > 2 ? -1 : undefined);
  return `$${decodeString(contents) ?? contents}`;
}
