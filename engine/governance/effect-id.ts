import { sha1 } from '@noble/hashes/legacy.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalJson, type JsonValue } from '../encoding/json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** The namespace of every id here: the UUIDv5 of `touchstone` in that of RFC 9562's names of objects. */
const NAMESPACE = Uint8Array.from([
  0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
]);

/**
 * The UUIDv5 (RFC 9562 section 5.5) of a JSON value in canonical form (RFC 8785), in the namespace
 * of OIDs. Equal content has an equal id, whenever and in whatever order it arrives.
 */
export function contentId(content: JsonValue): string {
  const name = encodeUtf8(`touchstone/${canonicalJson(content)}`);
  const message = new Uint8Array(NAMESPACE.length + name.length);
  message.set(NAMESPACE);
  message.set(name, NAMESPACE.length);
  const digest = sha1(message);
  const hex = bytesToHex(digest.subarray(0, 16));
  const variant = ((digest[8] ?? 0) & 0b0011_1111) | 0b1000_0000;
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `${variant.toString(16)}${hex.slice(18, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
