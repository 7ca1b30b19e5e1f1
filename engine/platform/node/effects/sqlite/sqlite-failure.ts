/** SQLite's result codes (sqlite.org/rescode.html), as codes of ours; the others are `sql-error`. */
const CODES: Readonly<Record<number, string>> = Object.freeze({
  7: 'out-of-memory',
  8: 'read-only',
  10: 'file-failed',
  11: 'corrupt',
  13: 'full',
  14: 'file-failed',
  18: 'too-large',
  19: 'constraint',
  25: 'parameter-count',
  26: 'not-a-database',
});

/** Why a statement came to nothing. The connection can be used on. */
export class SqliteFailure extends Error {
  override readonly name = 'SqliteFailure';
  /** Kebab-case: one of {@link CODES}, `sql-error`, or `not-one-statement`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }

  /** @param result one of SQLite's own codes. */
  static of(result: number, message: string): SqliteFailure {
    return new SqliteFailure(CODES[result] ?? 'sql-error', message);
  }
}
