import { randomUUID } from 'node:crypto';
import { dirname } from 'node:path';
import type { Sha256 } from '../../../../crypto/crypto.ts';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { isJsonObject, parseJson } from '../../../../encoding/json.ts';
import {
  checkLedgerKey,
  decodeOutcome,
  type EffectLedger,
  encodeOutcome,
  type LedgerEntry,
  type LedgerOutcome,
  MAX_LEDGER_ENTRIES,
  MAX_OUTCOME_BYTES,
  notUnderWay,
} from '../../../../governance/ledger.ts';
import { unwritable } from '../../files.ts';
import { isGone, type Owner as Process, thisProcess } from '../../process-owner.ts';
import { ensureFolder } from '../../receipt-store-files.ts';
import type { BoundStatement, Parameter, SqlValue, StatementResult } from './job.ts';
import { placeOf } from './place.ts';
import type { SqliteScripts } from './scripts.ts';
import { createSqliteThread } from './thread.ts';

const TIMEOUT_MS = 10_000;

/** Bytes that the file may come to; before it does, the older half of what is finished is forgotten. */
const FILE_BYTES = 1_073_741_824;

const CREATE = bound(
  'CREATE TABLE IF NOT EXISTS effect (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE,' +
    ' directive TEXT NOT NULL, owner TEXT, outcome TEXT) STRICT',
);

const FORGET_HALF = bound(
  'DELETE FROM effect WHERE id IN (SELECT id FROM effect WHERE outcome IS NOT NULL ORDER BY id' +
    ' LIMIT (SELECT (count(*) + 1) / 2 FROM effect WHERE outcome IS NOT NULL))',
);

/** Who has begun an effect: a process, and the ledger in it. */
interface Owner extends Process {
  readonly ledger: string;
}

export interface FileLedgerOptions {
  /** How many effects are remembered; {@link MAX_LEDGER_ENTRIES} unless given. */
  readonly entries?: number;
  /** Bytes that the file may come to; 1 GiB unless given. */
  readonly fileBytes?: number;
  /** What the thread is made of; found beside the running code unless given. */
  readonly scripts?: SqliteScripts;
}

/**
 * A ledger in the SQLite file `path`, which several processes may use at once. It is made by the first
 * effect, with the folders above it. What was answered is durable.
 */
export function fileLedger(
  path: string,
  { entries = MAX_LEDGER_ENTRIES, fileBytes = FILE_BYTES, scripts }: FileLedgerOptions = {},
): EffectLedger {
  const thread = createSqliteThread(scripts);
  const ledger = randomUUID();
  /** The keys of what was begun here and is under way. */
  const begun = new Set<string>();

  const tryRun = async (statements: readonly BoundStatement[]) => {
    await ensureFolder(dirname(path)).catch((error: unknown) => {
      throw unwritable(path, error);
    });
    const place = await placeOf(path);
    if ('failed' in place) return place;
    return thread.run(
      {
        file: place.file,
        access: 'write',
        statements: [CREATE, ...statements],
        rows: 1,
        // A text has at most twice its bytes as JSON where it is JSON itself.
        bytes: 2 * MAX_OUTCOME_BYTES + 10_000,
        fileBytes,
      },
      { signal: NEVER, timeoutMs: TIMEOUT_MS },
    );
  };

  /** Runs statements in one transaction, making room where the file is full; answers their results. */
  const run = async (...statements: BoundStatement[]): Promise<readonly StatementResult[]> => {
    let answer = await tryRun(statements);
    while ('failed' in answer && answer.failed === 'full') {
      const forgotten = await tryRun([FORGET_HALF]);
      if ('failed' in forgotten || forgotten.results.at(-1)?.changes === 0) break;
      answer = await tryRun(statements);
    }
    if ('results' in answer) return answer.results.slice(1);
    throw new InputError(
      'unwritable',
      `${displayText(path, 300)}: the ledger of effects cannot be used: ${answer.message}`,
    );
  };

  const isUnderWay = async (key: string, text: SqlValue | undefined): Promise<boolean> => {
    const owner = ownerOf(text);
    if (owner === undefined) return false;
    return owner.ledger === ledger ? begun.has(key) : !(await isGone(owner));
  };

  /** Changes what is begun and has no outcome. */
  const settle = async (key: string, sql: string, ...parameters: Parameter[]) => {
    checkLedgerKey(key);
    begun.delete(key);
    const [result] = await run(bound(sql, ...parameters));
    if (result?.changes !== 1) throw notUnderWay();
  };

  return Object.freeze({
    begin: async (key: string, directiveHash: Sha256): Promise<LedgerEntry> => {
      checkLedgerKey(key);
      const owner: Owner = { ...(await thisProcess()), ledger };
      const [inserted, selected] = await run(
        bound(
          'INSERT INTO effect (key, directive, owner) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING',
          key,
          directiveHash,
          JSON.stringify(owner),
        ),
        bound('SELECT directive, owner, outcome FROM effect WHERE key = ?', key),
        bound(
          'DELETE FROM effect WHERE outcome IS NOT NULL AND id <= (SELECT max(id) FROM effect) - ?',
          entries,
        ),
      );
      if (inserted?.changes === 1) {
        begun.add(key);
        return { state: 'new' };
      }
      const [hash, startedBy, outcome] = selected?.rows[0] ?? [];
      if (hash !== directiveHash) return { state: 'other' };
      if (typeof outcome === 'string') return { state: 'done', outcome: decodeOutcome(outcome) };
      return { state: (await isUnderWay(key, startedBy)) ? 'running' : 'unfinished' };
    },
    finish: async (key: string, outcome: LedgerOutcome): Promise<void> => {
      checkLedgerKey(key);
      begun.delete(key); // whether or not the outcome can be kept: the effect is over
      const text = encodeOutcome(outcome);
      await settle(
        key,
        'UPDATE effect SET outcome = ? WHERE key = ? AND outcome IS NULL',
        text,
        key,
      );
    },
    abandon: (key: string): Promise<void> =>
      settle(key, 'DELETE FROM effect WHERE key = ? AND outcome IS NULL', key),
    close: async (): Promise<void> => {
      try {
        if (begun.size > 0) {
          const sql =
            'UPDATE effect SET owner = NULL WHERE outcome IS NULL AND key IN (SELECT value FROM json_each(?))';
          await run(bound(sql, JSON.stringify([...begun])));
        }
      } finally {
        await thread.close();
      }
    },
  } satisfies EffectLedger);
}

/** What asks for no end before its time is up. */
const NEVER = new AbortController().signal;

function bound(sql: string, ...parameters: Parameter[]): BoundStatement {
  return { sql, parameters };
}

/** @throws {InputError} `unreadable` for what no ledger wrote. */
function ownerOf(text: SqlValue | undefined): Owner | undefined {
  if (text === null || text === undefined) return undefined;
  const value = typeof text === 'string' ? parseJson(text, 'the owner of an effect') : null;
  if (isJsonObject(value)) {
    const { host, pid, started, ledger } = value;
    if (typeof host === 'string' && typeof pid === 'number' && typeof ledger === 'string') {
      return { host, pid, started: typeof started === 'string' ? started : null, ledger };
    }
  }
  throw new InputError('unreadable', 'the owner of an effect is none');
}
