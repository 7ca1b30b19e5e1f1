import { hex } from '@scure/base';
import { encodeBase64 } from '../encoding/base64.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** Shorter secrets are known by their own text alone: their other forms are found everywhere. */
export const SHORTEST_ENCODED = 6;

/**
 * The texts that give a secret away: the value itself and, from {@link SHORTEST_ENCODED} UTF-16 units
 * on, its UTF-8 as base64 (RFC 4648, both alphabets, also inside of a longer text), as hex in either
 * case and percent-encoded (RFC 3986), and the value as it stands between the quotes of a JSON text.
 */
export function formsOfSecret(value: string): ReadonlySet<string> {
  if (value.length < SHORTEST_ENCODED) return new Set([value]);
  const bytes = encodeUtf8(value);
  return new Set([
    value,
    ...base64Forms(bytes),
    ...upperToo([hex.encode(bytes)]),
    ...percentForms(value, bytes),
    ...jsonForms(value),
  ]);
}

function upperToo(texts: readonly string[]): readonly string[] {
  return texts.flatMap((text) => [text, text.toUpperCase()]);
}

/**
 * The whole encoding with and without padding, and what of the encoding of a longer byte string that
 * holds `bytes` depends on them alone. A digit encodes six bits, so three offsets in the longer string
 * make a difference, and the digits at the edges encode bits of the bytes beside too.
 */
function base64Forms(bytes: Uint8Array): readonly string[] {
  const padded = encodeBase64(bytes);
  const inside = [0, 1, 2].map((before) => {
    const longer = new Uint8Array(before + bytes.length + 2);
    longer.set(bytes, before);
    const first = Math.ceil((8 * before) / 6);
    const end = Math.floor((8 * (before + bytes.length)) / 6);
    return encodeBase64(longer).slice(first, end);
  });
  return [padded, padded.replace(/=+$/, ''), ...inside].flatMap((text) => [
    text,
    text.replaceAll('+', '-').replaceAll('/', '_'),
  ]);
}

/** The characters that encoders leave as they are, from the most to none. */
const LEFT_AS_IS = [
  /[\w\-.!~*'();/?:@&=+$,#]/, // encodeURI
  /[\w\-.!~*'()]/, // encodeURIComponent
  /[\w\-.~]/, // RFC 3986: unreserved
  /[\w\-.*]/, // forms, which also write a blank as "+"
  /[^\s\S]/,
];

function percentForms(value: string, bytes: Uint8Array): readonly string[] {
  const digits = hex.encode(bytes);
  const forms = LEFT_AS_IS.flatMap((left) =>
    [digits, digits.toUpperCase()].map((written) =>
      Array.from(bytes, (byte, i) => {
        const character = String.fromCharCode(byte);
        return left.test(character) ? character : `%${written.slice(2 * i, 2 * i + 2)}`;
      }).join(''),
    ),
  );
  return value.includes(' ')
    ? [...forms, ...forms.map((text) => text.replaceAll('%20', '+'))]
    : forms;
}

/** What encoders of JSON escape beyond what they must. */
const ESCAPED_TOO = [/[^\s\S]/, /[^ -~]/, /[<>&\u2028\u2029]/, /[^ -~]|[<>&']/, /[^ -~]|["&'+<>`]/];

function jsonForms(value: string): readonly string[] {
  const units = value.split('');
  return ESCAPED_TOO.flatMap((escaped) =>
    [(code: string) => code, (code: string) => code.toUpperCase()].flatMap((digits) => {
      const text = units.map((unit) => jsonUnit(unit, escaped, digits)).join('');
      return [text, text.replaceAll('/', '\\/')];
    }),
  );
}

function jsonUnit(unit: string, escaped: RegExp, digits: (code: string) => string): string {
  const plain = unit.isWellFormed() ? JSON.stringify(unit).slice(1, -1) : unit;
  const isByCode = plain.startsWith('\\u') || (escaped.test(unit) && !SHORT_ESCAPE.test(plain));
  return isByCode ? `\\u${digits(unit.charCodeAt(0).toString(16).padStart(4, '0'))}` : plain;
}

/** Escapes that every encoder writes with a letter. */
const SHORT_ESCAPE = /^\\[\\bfnrt]$/;
