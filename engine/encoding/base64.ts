import { base64 } from '@scure/base';

/** Encodes bytes as base64 with padding (RFC 4648 section 4). */
export function encodeBase64(bytes: Uint8Array): string {
  return base64.encode(bytes);
}

/**
 * Decodes base64 with padding (RFC 4648 section 4), canonical only: one text for each byte string.
 * Answers `undefined` for anything else.
 */
export function tryDecodeBase64(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text);
  } catch {
    return undefined;
  }
}
