import canonicalizeValue from 'canonicalize';
import { visit } from 'jsonc-parser';
import { displayText } from './display.ts';
import { InputError } from './input-error.ts';
import { decodeUtf8, encodeUtf8 } from './utf8.ts';

export type JsonValue = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = readonly JsonValue[];
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Deeper nesting than this is refused, so that no recursive step can exhaust the stack. */
export const MAX_JSON_DEPTH = 200;

/**
 * Parses one JSON text as RFC 8785 demands of its input (I-JSON, RFC 7493): duplicate keys, lone
 * surrogates and numbers beyond the range of a double are refused, as is nesting deeper than
 * {@link MAX_JSON_DEPTH}.
 * @param what names the document in the message.
 * @throws {InputError} `invalid-json` with line and column, or `invalid-utf8`.
 */
export function parseJson(source: string | Uint8Array, what: string): JsonValue {
  const text = typeof source === 'string' ? source : decodeUtf8(source, what);
  const membersWritten = scan(text, what);
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw syntaxError(text, what, cause);
  }
  // JSON.parse keeps the last of several equal keys, so a duplicate shows as a missing member.
  if (countMembers(value, what) !== membersWritten) throw duplicateKeyError(text, what);
  return value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * The canonical form of a JSON value (RFC 8785), as text.
 * @throws {InputError} `invalid-json` for a lone surrogate or a number that is not finite.
 */
export function canonicalJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = isInOrder(value, 0) ? JSON.stringify(value) : canonicalizeValue(value);
  } catch (cause) {
    throw new InputError('invalid-json', 'no canonical form: a number is not finite', { cause });
  }
  if (text === undefined) throw new InputError('invalid-json', 'no canonical form: not JSON');
  // A lone surrogate leaves JSON.stringify as an escape, which RFC 8785 section 3.2.2.2 forbids.
  if (holdsLoneSurrogate(text)) {
    throw new InputError('invalid-json', 'no canonical form: a string holds a lone surrogate');
  }
  return text;
}

/**
 * Whether a value is plain data whose keys already stand in canonical order: what JSON.stringify, on
 * whose texts and numbers RFC 8785 is built (section 3.2.2), makes of it is then its canonical form.
 */
function isInOrder(value: unknown, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value !== 'object' || depth > MAX_JSON_DEPTH || 'toJSON' in value) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isInOrder(item, depth + 1)) return false;
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return false;
  let last = '';
  for (const key of Object.keys(value)) {
    if (key < last || !isInOrder(Reflect.get(value, key), depth + 1)) return false;
    last = key;
  }
  return true;
}

/** The canonical form of a JSON value (RFC 8785), as UTF-8. Errors as {@link canonicalJson}. */
export function canonicalBytes(value: unknown): Uint8Array {
  return encodeUtf8(canonicalJson(value));
}

/** Whether JSON text as JSON.stringify writes it holds the escape of a lone surrogate. */
function holdsLoneSurrogate(text: string): boolean {
  return text.includes('\\ud') && LONE_SURROGATE_ESCAPE.test(text);
}

// Every backslash before the `u` must be counted: `\\ud800` is an escaped backslash, then letters.
const LONE_SURROGATE_ESCAPE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts the members written (a colon outside a string each) and bounds the depth, in one pass. */
function scan(text: string, what: string): number {
  let members = 0;
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === QUOTE) {
      for (i++; i < text.length; i++) {
        const s = text.charCodeAt(i);
        if (s === QUOTE) break;
        if (s === BACKSLASH) i++;
      }
    } else if (c === 0x3a /* : */) {
      members++;
    } else if (c === 0x7b /* { */ || c === 0x5b /* [ */) {
      if (++depth > MAX_JSON_DEPTH) {
        throw jsonError(text, i, what, `nesting is deeper than ${MAX_JSON_DEPTH}`);
      }
    } else if (c === 0x7d /* } */ || c === 0x5d /* ] */) {
      depth--;
    }
  }
  return members;
}

function countMembers(value: JsonValue, what: string): number {
  if (typeof value === 'string') {
    checkText(value, what);
    return 0;
  }
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) {
      throw new InputError('invalid-json', `${what}: a number is beyond the range of a double`);
    }
    return 0;
  }
  if (typeof value !== 'object' || value === null) return 0;
  let members = 0;
  if (!isJsonObject(value)) {
    for (const item of value) members += countMembers(item, what);
    return members;
  }
  for (const key of Object.keys(value)) {
    checkText(key, what);
    members += 1 + countMembers(value[key] ?? null, what);
  }
  return members;
}

function checkText(text: string, what: string): void {
  if (!text.isWellFormed()) {
    throw new InputError('invalid-json', `${what}: a string holds a lone surrogate`);
  }
}

function syntaxError(text: string, what: string, cause: unknown): InputError {
  let offset = text.length;
  visit(
    text,
    {
      onError: (_error, at) => {
        offset = Math.min(offset, at);
      },
    },
    { disallowComments: true },
  );
  const problem = text.trim() === '' ? 'it is empty' : 'it is not valid JSON here';
  return jsonError(text, offset, what, problem, cause);
}

function duplicateKeyError(text: string, what: string): InputError {
  const scopes: Set<string>[] = [];
  let found: { readonly key: string; readonly offset: number } | undefined;
  visit(text, {
    onObjectBegin: () => {
      scopes.push(new Set());
    },
    onObjectEnd: () => {
      scopes.pop();
    },
    onObjectProperty: (key, offset) => {
      const scope = scopes.at(-1);
      if (scope?.has(key)) found ??= { key, offset };
      scope?.add(key);
    },
  });
  const key = displayText(found?.key ?? '');
  return jsonError(text, found?.offset ?? 0, what, `the key "${key}" is written twice`);
}

function jsonError(
  text: string,
  offset: number,
  what: string,
  problem: string,
  cause?: unknown,
): InputError {
  const before = text.slice(0, offset);
  const line = before.split('\n').length;
  const column = offset - before.lastIndexOf('\n');
  return new InputError('invalid-json', `${what}: ${problem}, line ${line} column ${column}`, {
    offset,
    cause,
  });
}
