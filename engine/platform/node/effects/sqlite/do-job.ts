import { displayText } from '../../../../encoding/display.ts';
import type { ConfinedFiles } from './confined-files.ts';
import { Connection, type Room, thenLetGo } from './connection.ts';
import type { Answer, Failure, Job, SqlValue, StatementResult } from './job.ts';
import type { Library } from './library.ts';
import { SqliteFailure } from './sqlite-failure.ts';

/**
 * Does a job on a connection of its own, so that nothing of it (temporary tables, settings) is there
 * for the next.
 * @throws what a trap in SQLite throws: the library cannot be used again then.
 */
export function doJob(library: Library, files: ConfinedFiles, job: Job): Answer {
  files.point(job.file, job.access);
  if (isWriteAhead(files.head(20))) return WRITE_AHEAD;
  const room: Room = { rows: job.rows, bytes: job.bytes };
  try {
    const connection = new Connection(library, job.access);
    const results = thenLetGo(
      () => inTransaction(connection, job, room),
      () => connection.close(),
    );
    return { results, bytes: job.bytes - room.bytes };
  } catch (error) {
    if (!(error instanceof SqliteFailure)) throw error;
    return failureOf(error, job.access);
  }
}

function inTransaction(connection: Connection, job: Job, room: Room): StatementResult[] {
  prepare(connection, job);
  try {
    const results = job.statements.map((statement) => {
      const result = connection.run(statement, room);
      const { changes, lastInsertRowid } = connection;
      return { ...result, changes, lastInsertRowid };
    });
    if (job.access === 'write') own(connection, 'COMMIT');
    return results;
  } catch (error) {
    // Some errors of SQLite end the transaction themselves.
    if (error instanceof SqliteFailure && connection.isInTransaction) own(connection, 'ROLLBACK');
    throw error;
  }
}

/** Settings that hold for as long as the connection, and the begin of what is done on it. */
function prepare(connection: Connection, { access, fileBytes }: Job): void {
  // Nothing in the file itself is trusted: a view or trigger there calls no function with an effect.
  own(connection, 'PRAGMA trusted_schema = OFF');
  own(connection, 'PRAGMA cell_size_check = ON');
  if (access === 'read') {
    own(connection, 'PRAGMA query_only = ON');
    return;
  }
  // What was acknowledged outlasts a power cut.
  own(connection, 'PRAGMA synchronous = EXTRA');
  const pageSize = own(connection, 'PRAGMA page_size');
  const pages = Math.max(1, Math.floor(fileBytes / Number(pageSize)));
  own(connection, `PRAGMA max_page_count = ${pages}`);
  own(connection, 'BEGIN IMMEDIATE');
}

/** Runs a statement of ours; answers the first value. */
function own(connection: Connection, sql: string): SqlValue | undefined {
  const { rows } = connection.run({ sql, parameters: [] }, { rows: 1, bytes: 1_000 });
  return rows[0]?.[0];
}

/** The bytes 18 and 19 of a database (sqlite.org/fileformat2.html, section 1.3) tell its journal. */
function isWriteAhead(head: Uint8Array): boolean {
  return head[18] === 2 || head[19] === 2;
}

const WRITE_AHEAD: Failure = Object.freeze({
  failed: 'write-ahead-log',
  message:
    'the database has a write-ahead log, which other programs may be using; close them and give it PRAGMA journal_mode = DELETE',
});

function failureOf({ code, message }: SqliteFailure, access: Job['access']): Failure {
  if (code === 'read-only' && access === 'read') return READ_ONLY;
  return { failed: code, message: displayText(message, 300) };
}

const READ_ONLY: Failure = Object.freeze({
  failed: 'read-only',
  message:
    'the statement would write; or a change to the database was cut off, and is undone when it is next opened for writing',
});
