/** A value bound to a parameter of a statement. A boolean becomes 0 or 1. */
export type Parameter = null | boolean | number | string;

/** One statement, and what its parameters are bound to, in order. */
export interface BoundStatement {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

/** What a thread of SQLite does in one go, on a connection of its own: all of it, or nothing. */
export interface Job {
  /** The real path of the file. It is made where it is missing, unless `access` is `read`. */
  readonly file: string;
  /** With `read` nothing at all is written; with `write` the statements are one transaction. */
  readonly access: 'read' | 'write';
  readonly statements: readonly BoundStatement[];
  /** Rows and bytes (as JSON) that the results may have, all together. */
  readonly rows: number;
  readonly bytes: number;
  /** Bytes that the file may come to; one that is larger does not grow. */
  readonly fileBytes: number;
}

/**
 * A value of SQLite as JSON: what JSON cannot hold exactly stands in an object that says what it is.
 * `base64` holds a blob, or a text that is not UTF-8; `integer` the decimal digits of one beyond
 * 2^53 - 1 on either side; `real` is `Infinity` or `-Infinity`.
 */
export type SqlValue =
  | null
  | number
  | string
  | { readonly base64: string }
  | { readonly integer: string }
  | { readonly real: string };

export interface StatementResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly SqlValue[])[];
  /** Rows that the last statement to change any inserted, updated or deleted. */
  readonly changes: number;
  readonly lastInsertRowid: SqlValue;
}

/** What came of a job. */
export type Answer =
  | { readonly results: readonly StatementResult[] /** As JSON. */; readonly bytes: number }
  | Failure;

export interface Failure {
  /** Kebab-case, stable. */
  readonly failed: string;
  /** One line; says nothing of where the file lies. */
  readonly message: string;
}

/** What a thread is started with. */
export interface ThreadData {
  /** The folder of `node-sqlite3-wasm.js` and `node-sqlite3-wasm.wasm`, as a URL. */
  readonly library: string;
  /** Bytes that SQLite's memory may come to. */
  readonly memoryBytes: number;
}
