import { resolve } from 'node:path';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { canonicalJson, parseJson } from '../../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  performed,
  type Refusal,
} from '../../../../governance/effect.ts';
import type { MemoryGrant } from '../../../../governance/grants/memory.ts';
import type { Directive } from '../../../../runtime/types.ts';
import type { BoundStatement, Job, SqlValue } from './job.ts';
import { placeOf } from './place.ts';
import type { SqliteOptions } from './scripts.ts';
import { createSqliteThread, type SqliteThread } from './thread.ts';

const DEFAULT_FILE = 'memory.sqlite';

/** Bytes of UTF-8 that a key may have. */
const MAX_KEY_BYTES = 4_096;

const CREATE: BoundStatement = {
  sql: 'CREATE TABLE IF NOT EXISTS memory (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT',
  parameters: [],
};

type Operation = 'MemStore' | 'MemRecall' | 'MemForget';

/** A `memory_op` that the grant covers. */
interface Access {
  readonly operation: Operation;
  readonly key: string;
  /** Canonical JSON; of `MemStore` alone. */
  readonly value: string;
  /** Bytes of key and value. */
  readonly bytes: number;
}

/**
 * Performs `memory_op` on the SQLite file of the grant: a value, kept as canonical JSON (RFC 8785),
 * under each key. The keys are those of all executors that share the file; the grant's prefixes keep
 * an executor to its own.
 *
 * `MemStore` answers `{ stored: true }`, `MemRecall` `{ found, value }` with `value` null where nothing
 * is found, `MemForget` `{ forgotten }`. What was answered outlasts a crash and a power cut.
 */
export function createMemoryHandler(
  grant: MemoryGrant,
  { base, scripts }: SqliteOptions,
): EffectHandler {
  const thread = createSqliteThread(scripts);
  const path = resolve(base, grant.file ?? DEFAULT_FILE);
  const read = (directive: Directive) => readDirective(directive, grant);
  return Object.freeze({
    tags: ['memory_op'],
    capability: 'memory',
    judge: (directive: Directive) => {
      const access = read(directive);
      return 'code' in access ? access : undefined;
    },
    // Storing or forgetting twice leaves what doing it once does.
    isRepeatable: () => true,
    perform: async (request: EffectRequest): Promise<EffectOutcome> => {
      const access = read(request.directive);
      if ('code' in access) return { kind: 'refused', ...access };
      return run(access, request, grant, path, thread);
    },
    close: () => thread.close(),
  } satisfies EffectHandler);
}

function readDirective(directive: Directive, grant: MemoryGrant): Access | Refusal {
  const { operation, key, value } = directive;
  if (typeof key !== 'string' || !isOperation(operation)) {
    return refusal('parameter-refused', '"operation" and "key" must be those of a memory_op');
  }
  const keyBytes = Buffer.byteLength(key);
  if (keyBytes > MAX_KEY_BYTES) {
    return refusal(
      'too-large',
      `the key has ${keyBytes} bytes; at most ${MAX_KEY_BYTES} are taken`,
    );
  }
  if (grant.keys !== undefined && !grant.keys.some((prefix) => key.startsWith(prefix))) {
    return refusal(
      'key-not-granted',
      `the key "${displayText(key)}" begins with no prefix that is granted`,
    );
  }
  if (operation === 'MemRecall') return { operation, key, value: '', bytes: keyBytes };
  if (grant.access === 'read') {
    return refusal('write-not-granted', `${operation} would write; only recalling is granted`);
  }
  if (operation === 'MemForget') return { operation, key, value: '', bytes: keyBytes };
  if (value === undefined) return refusal('parameter-refused', 'MemStore needs a "value"');
  let text: string;
  try {
    text = canonicalJson(value);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return refusal('parameter-refused', error.message);
  }
  const valueBytes = Buffer.byteLength(text);
  if (valueBytes > grant.valueBytes) {
    return refusal(
      'too-large',
      `the value has ${valueBytes} bytes as JSON; at most ${grant.valueBytes} are granted`,
    );
  }
  return { operation, key, value: text, bytes: keyBytes + valueBytes };
}

function isOperation(value: unknown): value is Operation {
  return value === 'MemStore' || value === 'MemRecall' || value === 'MemForget';
}

async function run(
  access: Access,
  { allowance, signal }: EffectRequest,
  grant: MemoryGrant,
  path: string,
  thread: SqliteThread,
): Promise<EffectOutcome> {
  const left = (allowance.bytes ?? Number.POSITIVE_INFINITY) - access.bytes;
  if (left < 0) return failed('budget-exhausted', `key and value need ${access.bytes} bytes`);
  const name = displayText(grant.file ?? DEFAULT_FILE, 200);
  const place = await placeOf(path);
  if ('failed' in place) return failed(place.failed, `${name}: ${place.message}`);
  if (!place.exists && access.operation !== 'MemStore') return nothingAt(access);
  const job: Job = {
    file: place.file,
    // Recalling, too, undoes what a crash cut off, where writing is granted.
    access: grant.access,
    statements: [...(grant.access === 'write' ? [CREATE] : []), statementOf(access)],
    rows: 1,
    // A text has at most twice its bytes as JSON where it is JSON itself.
    bytes: 2 * grant.valueBytes + 1_000,
    fileBytes: grant.totalBytes,
  };
  const answer = await thread.run(job, { signal, timeoutMs: grant.timeoutMs });
  if ('failed' in answer) {
    return failed(answer.failed, `${name}: ${answer.message}`, { bytes: access.bytes });
  }
  const result = answer.results.at(-1);
  switch (access.operation) {
    case 'MemStore':
      return performed({ stored: true }, { bytes: access.bytes });
    case 'MemForget':
      return performed({ forgotten: result?.changes === 1 }, { bytes: access.bytes });
    case 'MemRecall':
      return recalled(result?.rows[0]?.[0], access.bytes, Math.min(grant.valueBytes, left), name);
  }
}

function statementOf({ operation, key, value }: Access): BoundStatement {
  switch (operation) {
    case 'MemStore':
      return {
        sql: 'INSERT INTO memory VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
        parameters: [key, value],
      };
    case 'MemForget':
      return { sql: 'DELETE FROM memory WHERE key = ?', parameters: [key] };
    case 'MemRecall':
      return { sql: 'SELECT value FROM memory WHERE key = ?', parameters: [key] };
  }
}

function recalled(
  text: SqlValue | undefined,
  keyBytes: number,
  most: number,
  name: string,
): EffectOutcome {
  if (text === undefined) return performed({ found: false, value: null }, { bytes: keyBytes });
  if (typeof text !== 'string') return failed('corrupt', `${name}: a value is not a text`);
  const bytes = Buffer.byteLength(text);
  if (bytes > most) {
    return failed(
      'too-large',
      `${name}: the value has ${bytes} bytes; at most ${most} may be read`,
    );
  }
  try {
    const value = parseJson(text, 'the value');
    return performed({ found: true, value }, { bytes: keyBytes + bytes });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return failed('corrupt', `${name}: ${error.message}`);
  }
}

/** What there is to say where there is no file yet. */
function nothingAt({ operation, bytes }: Access): EffectOutcome {
  const result = operation === 'MemForget' ? { forgotten: false } : { found: false, value: null };
  return performed(result, { bytes });
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
