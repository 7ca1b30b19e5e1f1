import { z } from 'zod';
import type { Crypto } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { MASHIN_1 } from './mashin.ts';
import type {
  Category,
  Classification,
  ValueType,
  Whitelist,
  WhitelistClass,
  WhitelistDocument,
  WhitelistFunction,
} from './types.ts';

const VALUE_TYPES = [
  'i32',
  'i64',
  'f32',
  'f64',
  'v128',
  'funcref',
  'externref',
] as const satisfies readonly ValueType[];
const CLASSES = ['pure', 'directive'] as const satisfies readonly WhitelistClass[];
const CATEGORIES = [
  'memory',
  'compute',
  'serialization',
  'collection',
  'context',
  'output',
  'logging',
  'directive',
] as const satisfies readonly Category[];

const importedName = z.string().max(256);
const functionSchema = z
  .strictObject({
    module: importedName,
    name: importedName,
    params: z.array(z.enum(VALUE_TYPES)).max(64),
    results: z.array(z.enum(VALUE_TYPES)).max(64),
    class: z.enum(CLASSES),
    category: z.enum(CATEGORIES),
    directive: z.string().min(1).max(64).exactOptional(),
    doc: z.string().max(2000),
  })
  .refine((f) => (f.class === 'directive') === (f.directive !== undefined), {
    error: 'exactly the functions of class "directive" name their directive tag',
  })
  .refine((f) => (f.class === 'directive') === (f.category === 'directive'), {
    error: 'class "directive" and category "directive" go together',
  });

/** The schema of a whitelist document (DESIGN 4). */
export const whitelistSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9._-]{0,63}$/),
  version: z.int().min(1),
  functions: z.array(functionSchema).max(10_000),
  signatures: z
    .array(z.strictObject({ keyId: z.string(), signature: z.string() }))
    .max(64)
    .exactOptional(),
});

/**
 * Parses and validates a whitelist document.
 * @throws {InputError} `invalid-json` or `invalid-whitelist`, naming the field at fault.
 */
export function parseWhitelist(
  crypto: Crypto,
  source: string | Uint8Array,
  what: string,
): Whitelist {
  const parsed = whitelistSchema.safeParse(parseJson(source, what));
  if (!parsed.success) {
    throw new InputError('invalid-whitelist', `${what}: ${describeIssues(parsed.error)}`);
  }
  return makeWhitelist(crypto, parsed.data);
}

/** The built-in whitelist `mashin@1`. */
export function builtInWhitelist(crypto: Crypto): Whitelist {
  return makeWhitelist(crypto, MASHIN_1);
}

/** The text that whitelists match function types by, as `ImportEntry.type` spells it. */
export function functionTypeText(f: Pick<WhitelistFunction, 'params' | 'results'>): string {
  const results = f.results.length === 1 ? f.results[0] : `(${f.results.join(', ')})`;
  return `(${f.params.join(', ')}) -> ${results}`;
}

function makeWhitelist(crypto: Crypto, document: WhitelistDocument): Whitelist {
  const functions = Object.freeze(document.functions.map((f) => Object.freeze({ ...f })));
  const index = indexByName(functions);
  const { signatures: _, ...signed } = document;
  return Object.freeze({
    name: document.name,
    version: document.version,
    hash: crypto.sha256(canonicalBytes(signed)),
    functions,
    classify: (entry): Classification => {
      const found = index.get(entry.module)?.get(entry.name);
      if (found === undefined) return { class: 'impure', mismatch: 'unknown' };
      const { fn, type } = found;
      return entry.kind === 'function' && entry.type === type
        ? { class: fn.class, function: fn }
        : { class: 'impure', mismatch: 'type', function: fn };
    },
  } satisfies Whitelist);
}

type NameIndex = ReadonlyMap<
  string,
  ReadonlyMap<string, { readonly fn: WhitelistFunction; readonly type: string }>
>;

function indexByName(functions: readonly WhitelistFunction[]): NameIndex {
  const modules = new Map<string, Map<string, { fn: WhitelistFunction; type: string }>>();
  for (const fn of functions) {
    const names = modules.get(fn.module) ?? new Map();
    modules.set(fn.module, names);
    if (names.has(fn.name)) {
      throw new InputError(
        'invalid-whitelist',
        `the whitelist lists ${displayText(fn.module)}.${displayText(fn.name)} twice`,
      );
    }
    names.set(fn.name, { fn, type: functionTypeText(fn) });
  }
  return modules;
}
