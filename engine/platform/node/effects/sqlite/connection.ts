import { encodeUtf8, tryDecodeUtf8 } from '../../../../encoding/utf8.ts';
import { DATABASE } from './confined-files.ts';
import type { BoundStatement, Parameter, SqlValue } from './job.ts';
import type { Library, Pointer, SqliteFunctions } from './library.ts';
import { SqliteFailure } from './sqlite-failure.ts';

// Of sqlite3.h.
const OK = 0;
const ROW = 100;
const DONE = 101;
const RANGE = 25;
const OPEN_READONLY = 0x1;
const OPEN_READWRITE_CREATE = 0x6;
const TRANSIENT = -1;
const INTEGER = 1;
const FLOAT = 2;
const TEXT = 3;
const BLOB = 4;

/** What results may still hold. */
export interface Room {
  rows: number;
  /** As JSON. */
  bytes: number;
}

/** A connection to the database of `ConfinedFiles`. Its errors leave it usable, unless a trap threw them. */
export class Connection {
  readonly #sqlite: SqliteFunctions;
  readonly #memory: WebAssembly.Memory;
  readonly #database: Pointer;
  /** Two pointers that SQLite writes its answers to. */
  readonly #out: Pointer;

  /** @throws {SqliteFailure} where the file cannot be opened. */
  constructor({ sqlite, memory }: Library, access: 'read' | 'write') {
    this.#sqlite = sqlite;
    this.#memory = memory;
    this.#out = sqlite._malloc(8);
    if (this.#out === 0) throw outOfMemory();
    const flags = access === 'read' ? OPEN_READONLY : OPEN_READWRITE_CREATE;
    const result = this.#withBytes(encodeUtf8(DATABASE), (name) =>
      sqlite._sqlite3_open_v2(name, this.#out, flags, 0),
    );
    this.#database = this.#pointerAt(this.#out);
    try {
      this.#check(result);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get isInTransaction(): boolean {
    return this.#sqlite._sqlite3_get_autocommit(this.#database) === 0;
  }

  get changes(): number {
    return this.#sqlite._sqlite3_changes(this.#database);
  }

  get lastInsertRowid(): SqlValue {
    return integerOf(this.#sqlite._sqlite3_last_insert_rowid(this.#database));
  }

  close(): void {
    this.#sqlite._sqlite3_close_v2(this.#database);
    this.#sqlite._free(this.#out);
  }

  /** Runs one statement to its end, taking what it answers from `room`. */
  run(
    { sql, parameters }: BoundStatement,
    room: Room,
  ): { readonly columns: string[]; readonly rows: SqlValue[][] } {
    const statement = this.#prepare(sql);
    return thenLetGo(
      () => {
        this.#bind(statement, parameters);
        const columns = this.#columns(statement);
        take(room, columns);
        const rows: SqlValue[][] = [];
        while (this.#step(statement)) {
          if (room.rows-- === 0) throw tooMany('rows');
          rows.push(this.#row(statement, columns.length, room));
        }
        return { columns, rows };
      },
      () => this.#sqlite._sqlite3_finalize(statement),
    );
  }

  /** Compiles a text that holds one statement, by what SQLite itself finds after the first. */
  #prepare(sql: string): Pointer {
    // SQLite would read no further.
    if (sql.includes('\0')) throw new SqliteFailure('not-one-statement', 'it holds a NUL');
    const bytes = encodeUtf8(sql);
    return this.#withBytes(bytes, (start) => {
      const end = start + bytes.length;
      const { statement, tail } = this.#compile(start, end);
      try {
        if (statement === 0) throw new SqliteFailure('not-one-statement', 'there is no statement');
        this.#expectNothing(tail, end);
      } catch (error) {
        if (error instanceof SqliteFailure) this.#sqlite._sqlite3_finalize(statement);
        throw error;
      }
      return statement;
    });
  }

  /** Comments and white space compile to nothing; whatever else follows is a statement, or is none at all. */
  #expectNothing(start: Pointer, end: Pointer): void {
    for (let at = start; at < end; ) {
      let next: { readonly statement: Pointer; readonly tail: Pointer };
      try {
        next = this.#compile(at, end);
      } catch (error) {
        if (!(error instanceof SqliteFailure)) throw error;
        throw new SqliteFailure('not-one-statement', 'something follows the first statement');
      }
      if (next.statement !== 0) {
        this.#sqlite._sqlite3_finalize(next.statement);
        throw new SqliteFailure('not-one-statement', 'a second statement follows the first');
      }
      if (next.tail <= at) return;
      at = next.tail;
    }
  }

  #compile(start: Pointer, end: Pointer): { readonly statement: Pointer; readonly tail: Pointer } {
    const tailOut = this.#out + 4;
    // The length counts the NUL at the end: SQLite makes no copy of the text then.
    const length = end - start + 1;
    this.#check(
      this.#sqlite._sqlite3_prepare_v2(this.#database, start, length, this.#out, tailOut),
    );
    return { statement: this.#pointerAt(this.#out), tail: this.#pointerAt(tailOut) };
  }

  #bind(statement: Pointer, parameters: readonly Parameter[]): void {
    const found = parameters.length;
    parameters.forEach((value, index) => {
      const result = this.#bindOne(statement, index + 1, value);
      if (result === RANGE)
        throw new SqliteFailure('parameter-count', `it takes ${index} parameters, not ${found}`);
      this.#check(result);
    });
    // One that nobody bound would silently be null.
    if (this.#sqlite._sqlite3_bind_null(statement, found + 1) === OK) {
      throw new SqliteFailure('parameter-count', `it takes more than ${found} parameters`);
    }
  }

  #bindOne(statement: Pointer, index: number, value: Parameter): number {
    const sqlite = this.#sqlite;
    if (value === null) return sqlite._sqlite3_bind_null(statement, index);
    if (typeof value === 'string') {
      const bytes = encodeUtf8(value);
      return this.#withBytes(bytes, (text) =>
        sqlite._sqlite3_bind_text(statement, index, text, bytes.length, TRANSIENT),
      );
    }
    if (typeof value === 'boolean' || Number.isSafeInteger(value)) {
      return sqlite._sqlite3_bind_int64(statement, index, BigInt(value));
    }
    return sqlite._sqlite3_bind_double(statement, index, value);
  }

  #step(statement: Pointer): boolean {
    const result = this.#sqlite._sqlite3_step(statement);
    if (result === ROW) return true;
    if (result !== DONE) this.#check(result);
    return false;
  }

  #columns(statement: Pointer): string[] {
    const count = this.#sqlite._sqlite3_column_count(statement);
    return Array.from({ length: count }, (_, column) =>
      this.#textAt(this.#sqlite._sqlite3_column_name(statement, column)),
    );
  }

  #row(statement: Pointer, columns: number, room: Room): SqlValue[] {
    const row: SqlValue[] = [];
    room.bytes -= 2 + columns;
    for (let column = 0; column < columns; column++) {
      const value = this.#value(statement, column, room);
      take(room, value);
      row.push(value);
    }
    return row;
  }

  #value(statement: Pointer, column: number, room: Room): SqlValue {
    const sqlite = this.#sqlite;
    switch (sqlite._sqlite3_column_type(statement, column)) {
      case INTEGER:
        return integerOf(sqlite._sqlite3_column_int64(statement, column));
      case FLOAT: {
        const real = sqlite._sqlite3_column_double(statement, column);
        return Number.isFinite(real) ? real : { real: String(real) };
      }
      case TEXT: {
        const bytes = this.#bytesOf(statement, column, sqlite._sqlite3_column_text, room);
        return tryDecodeUtf8(bytes) ?? base64Of(bytes);
      }
      case BLOB:
        return base64Of(this.#bytesOf(statement, column, sqlite._sqlite3_column_blob, room));
      default:
        return null;
    }
  }

  /** The bytes of a text or blob, which are counted before they are copied. */
  #bytesOf(
    statement: Pointer,
    column: number,
    read: (statement: Pointer, column: number) => Pointer,
    room: Room,
  ): Uint8Array {
    const start = read(statement, column);
    const length = this.#sqlite._sqlite3_column_bytes(statement, column);
    if (length > room.bytes) throw tooMany('bytes');
    // Null is an empty one, or one for which there was no memory.
    if (start === 0 && length > 0) throw outOfMemory();
    return this.#view().slice(start, start + length);
  }

  /** Lends `bytes`, with a NUL after them, to SQLite while `use` runs. */
  #withBytes<T>(bytes: Uint8Array, use: (start: Pointer) => T): T {
    const start = this.#sqlite._malloc(bytes.length + 1);
    if (start === 0) throw outOfMemory();
    try {
      const view = this.#view();
      view.set(bytes, start);
      view[start + bytes.length] = 0;
      return use(start);
    } finally {
      this.#sqlite._free(start);
    }
  }

  /** @throws {SqliteFailure} for a result that is not `SQLITE_OK`. */
  #check(result: number): void {
    if (result === OK) return;
    throw SqliteFailure.of(result, this.#textAt(this.#sqlite._sqlite3_errmsg(this.#database)));
  }

  #textAt(start: Pointer): string {
    const view = this.#view();
    return decoder.decode(view.subarray(start, view.indexOf(0, start)));
  }

  #pointerAt(address: Pointer): Pointer {
    return new DataView(this.#memory.buffer).getUint32(address, true);
  }

  /** Made anew each time: when the memory grows, the old one is gone. */
  #view(): Uint8Array {
    return new Uint8Array(this.#memory.buffer);
  }
}

// Names and messages of SQLite are shown, not kept: what is not UTF-8 in them becomes U+FFFD.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

function integerOf(value: bigint): SqlValue {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : { integer: String(value) };
}

function base64Of(bytes: Uint8Array): SqlValue {
  return { base64: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64') };
}

/** Takes the bytes of a value as JSON from what there is room for. */
function take(room: Room, value: unknown): void {
  room.bytes -= Buffer.byteLength(JSON.stringify(value));
  if (room.bytes < 0) throw tooMany('bytes');
}

function tooMany(what: 'rows' | 'bytes'): SqliteFailure {
  return new SqliteFailure('too-large', `it has more ${what} than are granted`);
}

function outOfMemory(): SqliteFailure {
  return new SqliteFailure('out-of-memory', 'out of memory');
}

/**
 * Lets go of something after its use. Not after a trap: SQLite's memory may hold anything then, and
 * must not come near the file any more; what is half done is undone by whoever opens it next.
 */
export function thenLetGo<T>(use: () => T, letGo: () => void): T {
  let result: T;
  try {
    result = use();
  } catch (error) {
    if (error instanceof SqliteFailure) letGo();
    throw error;
  }
  letGo();
  return result;
}
