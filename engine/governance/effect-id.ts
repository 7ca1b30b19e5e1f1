import { sha1 } from '@noble/hashes/legacy.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { canonicalJson, type JsonValue } from '../encoding/json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';

/** The namespace of URLs (RFC 9562 section 6.6). */
const URL_NAMESPACE = Uint8Array.from([
  0x6b, 0xa7, 0xb8, 0x11, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
]);

/**
 * The name-based UUID of version 5 (RFC 9562 section 5.5).
 * @param namespace the 16 bytes of a UUID.
 */
export function uuidV5(namespace: Uint8Array, name: Uint8Array): string {
  const message = new Uint8Array(namespace.length + name.length);
  message.set(namespace);
  message.set(name, namespace.length);
  const bytes = sha1(message).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytesToHex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/**
 * The UUIDv5 of a JSON value: its name is `urn:touchstone:` and the canonical form (RFC 8785), in the
 * namespace of URLs. Equal content has an equal id, whenever and in whatever order it arrives.
 */
export function contentId(content: JsonValue): string {
  return uuidV5(URL_NAMESPACE, encodeUtf8(`urn:touchstone:${canonicalJson(content)}`));
}
