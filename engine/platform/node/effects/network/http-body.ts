import { isJsonObject, type JsonValue, parseJson } from '../../../../encoding/json.ts';
import { encodeUtf8 } from '../../../../encoding/utf8.ts';

/** The body of a request, and what it says it is. */
export interface RequestBody {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
}

const JSON_TYPE = /^application\/(?:[\w.!#$&^-]+\+)?json$/;
const TEXT_TYPE =
  /^(?:text\/.*|application\/(?:(?:[\w.!#$&^-]+\+)?(?:json|xml)|javascript|ecmascript|x-ndjson|yaml|graphql|x-www-form-urlencoded))$/;

/**
 * The body of a request from the parameter of a directive: a text goes as it is, as JSON where it is
 * an object or an array in JSON, else as plain text; any other value goes as JSON. `null` and nothing
 * at all are no body.
 */
export function encodeRequestBody(value: JsonValue | undefined): RequestBody | undefined {
  if (value === undefined || value === null) return undefined;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const isJson = typeof value !== 'string' || isJsonDocument(value);
  return {
    bytes: new Uint8Array(encodeUtf8(text)),
    contentType: isJson ? 'application/json' : 'text/plain;charset=UTF-8',
  };
}

/**
 * What an executor gets to see of a body: its JSON value where the content type says JSON and it is
 * I-JSON (RFC 7493), text where the content type says text or nothing and it is in the character set
 * that is named, else `{ base64 }`.
 */
export function decodeResponseBody(bytes: Uint8Array, contentType: string | null): JsonValue {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const text = type === '' || TEXT_TYPE.test(type) ? decode(bytes, contentType ?? '') : undefined;
  if (text === undefined) return { base64: Buffer.from(bytes).toString('base64') };
  return (JSON_TYPE.test(type) ? tryParseJson(text) : undefined) ?? text;
}

function decode(bytes: Uint8Array, contentType: string): string | undefined {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function isJsonDocument(text: string): boolean {
  const value = /^\s*[[{]/.test(text) ? tryParseJson(text) : undefined;
  return isJsonObject(value) || Array.isArray(value);
}

function tryParseJson(text: string): JsonValue | undefined {
  try {
    return parseJson(text, 'the body');
  } catch {
    return undefined;
  }
}
