import { randomFillSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { compileFunction } from 'node:vm';
import type { ConfinedFiles } from './confined-files.ts';

/** An address in SQLite's memory; 0 is none. */
export type Pointer = number;

/**
 * SQLite's C interface (sqlite.org/c3ref) as far as the library exports it and it is used here, with
 * the library's names. The library's own classes are not used: they cut a text at a NUL, pass over a
 * second statement, and drop a column whose name another has.
 */
export interface SqliteFunctions {
  _sqlite3_open_v2(name: Pointer, database: Pointer, flags: number, vfs: Pointer): number;
  _sqlite3_close_v2(database: Pointer): number;
  _sqlite3_errmsg(database: Pointer): Pointer;
  _sqlite3_get_autocommit(database: Pointer): number;
  _sqlite3_changes(database: Pointer): number;
  _sqlite3_last_insert_rowid(database: Pointer): bigint;
  _sqlite3_prepare_v2(
    database: Pointer,
    sql: Pointer,
    bytes: number,
    statement: Pointer,
    tail: Pointer,
  ): number;
  _sqlite3_finalize(statement: Pointer): number;
  _sqlite3_step(statement: Pointer): number;
  _sqlite3_bind_null(statement: Pointer, index: number): number;
  _sqlite3_bind_int64(statement: Pointer, index: number, value: bigint): number;
  _sqlite3_bind_double(statement: Pointer, index: number, value: number): number;
  _sqlite3_bind_text(
    statement: Pointer,
    index: number,
    text: Pointer,
    bytes: number,
    destructor: number,
  ): number;
  _sqlite3_column_count(statement: Pointer): number;
  _sqlite3_column_name(statement: Pointer, column: number): Pointer;
  _sqlite3_column_type(statement: Pointer, column: number): number;
  _sqlite3_column_int64(statement: Pointer, column: number): bigint;
  _sqlite3_column_double(statement: Pointer, column: number): number;
  _sqlite3_column_text(statement: Pointer, column: number): Pointer;
  _sqlite3_column_blob(statement: Pointer, column: number): Pointer;
  _sqlite3_column_bytes(statement: Pointer, column: number): number;
  _malloc(bytes: number): Pointer;
  _free(address: Pointer): void;
}

export interface Library {
  readonly sqlite: SqliteFunctions;
  readonly memory: WebAssembly.Memory;
}

/** The names in {@link SqliteFunctions}; that each is there is checked when the library is loaded. */
const NAMES: readonly (keyof SqliteFunctions)[] = [
  '_sqlite3_open_v2',
  '_sqlite3_close_v2',
  '_sqlite3_errmsg',
  '_sqlite3_get_autocommit',
  '_sqlite3_changes',
  '_sqlite3_last_insert_rowid',
  '_sqlite3_prepare_v2',
  '_sqlite3_finalize',
  '_sqlite3_step',
  '_sqlite3_bind_null',
  '_sqlite3_bind_int64',
  '_sqlite3_bind_double',
  '_sqlite3_bind_text',
  '_sqlite3_column_count',
  '_sqlite3_column_name',
  '_sqlite3_column_type',
  '_sqlite3_column_int64',
  '_sqlite3_column_double',
  '_sqlite3_column_text',
  '_sqlite3_column_blob',
  '_sqlite3_column_bytes',
  '_malloc',
  '_free',
];

/**
 * Loads node-sqlite3-wasm with nothing of the machine but `files`, randomness and the clock: its
 * source is run with a `require` that knows no more.
 * @param folder holds `node-sqlite3-wasm.js` and `node-sqlite3-wasm.wasm`.
 * @param memoryBytes what its memory may come to; SQLite answers "out of memory" beyond it.
 * @throws the system's error where a file cannot be read; `Error` where it is another library.
 */
export function loadLibrary(folder: URL, files: ConfinedFiles, memoryBytes: number): Library {
  const source = readFileSync(new URL('node-sqlite3-wasm.js', folder), 'utf8');
  const module: object = {
    wasmBinary: readFileSync(new URL('node-sqlite3-wasm.wasm', folder)),
    print: () => {},
    printErr: () => {},
  };
  const parts: Readonly<Record<string, unknown>> = {
    'node:fs': files,
    'node:path': posix,
    'node:crypto': { randomFillSync },
  };
  const require = (name: string): unknown => {
    if (!Object.hasOwn(parts, name)) throw new Error(`node-sqlite3-wasm asks for ${name}`);
    return parts[name];
  };
  let memory: WebAssembly.Memory | undefined;
  const webAssembly = {
    Module: WebAssembly.Module,
    RuntimeError: WebAssembly.RuntimeError,
    Instance: class extends WebAssembly.Instance {
      constructor(compiled: WebAssembly.Module, imports?: WebAssembly.Imports) {
        super(compiled, imports);
        memory = boundedMemory(this.exports, memoryBytes);
      }
    },
  };
  const names = ['Module', 'require', 'WebAssembly', '__dirname', '__filename'];
  compileFunction(source, names)(module, require, webAssembly, '', '');
  if (memory === undefined || !isSqlite(module)) {
    throw new Error('node-sqlite3-wasm is not the version that was expected');
  }
  return { sqlite: module, memory };
}

function boundedMemory(
  exports: WebAssembly.Exports,
  memoryBytes: number,
): WebAssembly.Memory | undefined {
  const memory = Object.values(exports).find((value) => value instanceof WebAssembly.Memory);
  if (memory === undefined) return undefined;
  memory.grow = (pages) => {
    if (memory.buffer.byteLength + pages * 65_536 > memoryBytes) throw new RangeError('no more');
    return WebAssembly.Memory.prototype.grow.call(memory, pages);
  };
  return memory;
}

function isSqlite(module: object): module is SqliteFunctions {
  return NAMES.every((name) => typeof Reflect.get(module, name) === 'function');
}
