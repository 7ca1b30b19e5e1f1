import { InputError } from './input-error.ts';

// `ignoreBOM` keeps U+FEFF: without it two different byte strings would decode to one text.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

/**
 * Decodes UTF-8, one text for each valid byte string and none for others (RFC 3629).
 * @throws {InputError} `invalid-utf8`, naming `what`.
 */
export function decodeUtf8(bytes: Uint8Array, what: string): string {
  const text = tryDecodeUtf8(bytes);
  if (text === undefined) throw new InputError('invalid-utf8', `${what} is not valid UTF-8`);
  return text;
}

/** Like {@link decodeUtf8}, answering `undefined` for bytes that are not valid UTF-8. */
export function tryDecodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Short texts are encoded here and copied, which takes a quarter of the time of `encode`. */
const room = new Uint8Array(6_144);

/** Encodes text as UTF-8. A lone surrogate becomes U+FFFD: check with `isWellFormed` first. */
export function encodeUtf8(text: string): Uint8Array {
  // UTF-8 takes at most three bytes for each unit of UTF-16.
  if (3 * text.length > room.length) return encoder.encode(text);
  const { written } = encoder.encodeInto(text, room);
  return room.slice(0, written);
}
