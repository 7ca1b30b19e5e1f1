import { resolve } from 'node:path';
import { displayText } from '../../../../encoding/display.ts';
import type { JsonObject, JsonValue } from '../../../../encoding/json.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  performed,
  type Refusal,
} from '../../../../governance/effect.ts';
import type { DbGrant } from '../../../../governance/grants/db.ts';
import type { Directive } from '../../../../runtime/types.ts';
import type { Parameter, StatementResult } from './job.ts';
import { placeOf } from './place.ts';
import type { SqliteOptions } from './scripts.ts';
import { kindOf } from './statement.ts';
import { createSqliteThread, type SqliteThread } from './thread.ts';

/** Bytes of UTF-8 that a statement may have. */
const MAX_STATEMENT_BYTES = 1_048_576;

/** What SQLite takes (SQLITE_MAX_VARIABLE_NUMBER). */
const MAX_PARAMETERS = 32_766;

/** A `db_op` that the grant covers. */
interface Statement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly verb: string;
  readonly bytes: number;
}

/**
 * Performs `db_op`: runs one statement on the SQLite file of the grant, in a transaction of its own,
 * and answers `{ columns, rows, changes?, lastInsertRowid? }`. Each row is a list of values in the
 * order of `columns`; `changes` is there after INSERT, REPLACE, UPDATE and DELETE, `lastInsertRowid`
 * after the first two. What JSON cannot hold exactly stands in an object: `{ base64 }` for a blob and
 * for a text that is not UTF-8, `{ integer }` with decimal digits beyond 2^53 - 1, `{ real }` for
 * `Infinity` and `-Infinity`. Foreign keys are enforced.
 *
 * No other program may have the file open at the same time, unless it heeds the lock `FILE.lock`.
 */
export function createDbHandler(grant: DbGrant, { base, scripts }: SqliteOptions): EffectHandler {
  const thread = createSqliteThread(scripts);
  const path = resolve(base, grant.file);
  const read = (directive: Directive) => readDirective(directive, grant);
  return Object.freeze({
    tags: ['db_op'],
    capability: 'db',
    judge: (directive: Directive) => {
      const statement = read(directive);
      return 'code' in statement ? statement : undefined;
    },
    isRepeatable: (directive: Directive) => {
      const { query } = directive;
      return typeof query === 'string' && kindOf(query).kind === 'read';
    },
    perform: async (request: EffectRequest): Promise<EffectOutcome> => {
      const statement = read(request.directive);
      if ('code' in statement) return refused(statement);
      return run(statement, request, grant, path, thread);
    },
    close: () => thread.close(),
  } satisfies EffectHandler);
}

function readDirective({ query, params }: Directive, grant: DbGrant): Statement | Refusal {
  if (typeof query !== 'string' || !Array.isArray(params)) {
    return refusal('parameter-refused', '"query" must be a text and "params" a list');
  }
  const sqlBytes = Buffer.byteLength(query);
  if (sqlBytes > MAX_STATEMENT_BYTES) {
    return refusal(
      'too-large',
      `the statement has ${sqlBytes} bytes; at most ${MAX_STATEMENT_BYTES} are taken`,
    );
  }
  const kind = kindOf(query);
  if (kind.kind === 'not-one') return NOT_ONE;
  if (kind.kind === 'other') {
    return refusal(
      'statement-refused',
      `${displayText(kind.what, 60)} is not for a directive; SELECT, INSERT, UPDATE and the like are`,
    );
  }
  if (kind.kind === 'write' && grant.access === 'read') {
    return refusal('write-not-granted', `${kind.verb} would write; only reading is granted`);
  }
  if (params.length > MAX_PARAMETERS) {
    return refusal(
      'parameter-refused',
      `${params.length} parameters were given; at most ${MAX_PARAMETERS} are taken`,
    );
  }
  const wrong = params.findIndex((value) => !isParameter(value));
  if (wrong !== -1) {
    return refusal(
      'parameter-refused',
      `parameter ${wrong + 1} is a list or an object; write it as a text`,
    );
  }
  const bytes = sqlBytes + Buffer.byteLength(JSON.stringify(params));
  return { sql: query, parameters: params.filter(isParameter), verb: kind.verb, bytes };
}

function isParameter(value: JsonValue): value is Parameter {
  return value === null || typeof value !== 'object';
}

async function run(
  { sql, parameters, verb, bytes: sent }: Statement,
  { allowance, signal }: EffectRequest,
  grant: DbGrant,
  path: string,
  thread: SqliteThread,
): Promise<EffectOutcome> {
  const left = (allowance.bytes ?? Number.POSITIVE_INFINITY) - sent;
  if (left <= 0)
    return failed('budget-exhausted', `the statement and its parameters need ${sent} bytes`);
  const name = displayText(grant.file, 200);
  const place = await placeOf(path);
  if ('failed' in place) return failed(place.failed, `${name}: ${place.message}`);
  if (!place.exists && grant.access === 'read') {
    return failed('file-missing', `${name}: there is no such database`);
  }
  const answer = await thread.run(
    {
      file: place.file,
      access: grant.access,
      statements: [{ sql, parameters }],
      rows: grant.rows,
      bytes: Math.min(grant.resultBytes, left),
      fileBytes: grant.totalBytes,
    },
    { signal, timeoutMs: grant.timeoutMs },
  );
  // A trigger's statements are told from a second one by SQLite itself; nothing was run.
  if ('failed' in answer && answer.failed === 'not-one-statement') return refused(NOT_ONE);
  if ('failed' in answer)
    return failed(answer.failed, `${name}: ${answer.message}`, { bytes: sent });
  const [result] = answer.results;
  if (result === undefined) return failed('sql-error', `${name}: nothing was answered`);
  return performed(resultOf(verb, result), { bytes: sent + answer.bytes });
}

function resultOf(verb: string, result: StatementResult): JsonObject {
  const { columns, rows, changes, lastInsertRowid } = result;
  const inserts = verb === 'INSERT' || verb === 'REPLACE';
  return {
    columns,
    rows,
    ...((inserts || verb === 'UPDATE' || verb === 'DELETE') && { changes }),
    ...(inserts && { lastInsertRowid }),
  };
}

const NOT_ONE = refusal(
  'not-one-statement',
  'one statement was expected, with at most one semicolon after it',
);

function refused(refusal: Refusal): EffectOutcome {
  return { kind: 'refused', ...refusal };
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}
