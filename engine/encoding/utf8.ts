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

/** Encodes text as UTF-8. A lone surrogate becomes U+FFFD: check with `isWellFormed` first. */
export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}
