/** What a statement is, as far as its words tell. */
export type StatementKind =
  /** Reads alone. */
  | { readonly kind: 'read'; readonly verb: string }
  /** Changes what is in the database, or how it is laid out. */
  | { readonly kind: 'write'; readonly verb: string }
  /** Is for nobody to run here; `what` names it. */
  | { readonly kind: 'other'; readonly what: string }
  | { readonly kind: 'not-one' };

const READING = new Set(['SELECT', 'VALUES']);
const CHANGING = new Set(['INSERT', 'REPLACE', 'UPDATE', 'DELETE']);
const DEFINING = new Set(['CREATE', 'DROP', 'ALTER', 'REINDEX', 'ANALYZE']);

/** Pragmas that tell something of what their argument names. */
const TELLING = new Set([
  'TABLE_LIST',
  'TABLE_INFO',
  'TABLE_XINFO',
  'INDEX_LIST',
  'INDEX_INFO',
  'INDEX_XINFO',
  'FOREIGN_KEY_LIST',
  'FOREIGN_KEY_CHECK',
  'INTEGRITY_CHECK',
  'QUICK_CHECK',
]);

/** Pragmas that tell something without an argument, and would change it with one. */
const BARE = new Set([
  'APPLICATION_ID',
  'FREELIST_COUNT',
  'PAGE_COUNT',
  'PAGE_SIZE',
  'SCHEMA_VERSION',
  'USER_VERSION',
]);

/**
 * Tells what kind of statement a text holds, and whether it holds one: comments and white space may
 * stand anywhere, one semicolon after it. The statements inside a trigger are not told from further
 * ones; SQLite itself does that, as it does for every statement before it runs.
 */
export function kindOf(sql: string): StatementKind {
  if (sql.includes('\0')) return NOT_ONE;
  const tokens = tokensOf(sql);
  const end = tokens.indexOf(';');
  if (end === 0 || tokens.length === 0) return NOT_ONE;
  const words = withoutExplain(tokens);
  const isTrigger = words[0] === 'CREATE' && words[1] === 'TRIGGER';
  if (end !== -1 && end !== tokens.length - 1 && !isTrigger) return NOT_ONE;
  return kindOfWords(words);
}

function kindOfWords(words: readonly string[]): StatementKind {
  const first = words[0] ?? '';
  const verb = first === 'WITH' ? verbAfterWith(words) : first;
  if (READING.has(verb)) return { kind: 'read', verb };
  if (CHANGING.has(verb)) return { kind: 'write', verb };
  if (first === 'PRAGMA') return kindOfPragma(words.slice(1));
  if (!DEFINING.has(first)) return { kind: 'other', what: verb };
  if (first === 'CREATE' && (words[1] === 'TEMP' || words[1] === 'TEMPORARY')) {
    return { kind: 'other', what: `${first} ${words[1]}` };
  }
  return { kind: 'write', verb };
}

function kindOfPragma(words: readonly string[]): StatementKind {
  const [name = '', ...rest] = words[1] === '.' ? words.slice(2) : words;
  const hasArgument = rest.length > 0 && rest[0] !== ';';
  return TELLING.has(name) || (BARE.has(name) && !hasArgument)
    ? { kind: 'read', verb: 'PRAGMA' }
    : { kind: 'other', what: `PRAGMA ${name}` };
}

/** The verb of a statement after its common tables, which stand in parentheses. */
function verbAfterWith(words: readonly string[]): string {
  let depth = 0;
  for (const word of words) {
    if (word === '(') depth++;
    else if (word === ')') depth--;
    else if (depth === 0 && (READING.has(word) || CHANGING.has(word))) return word;
  }
  return 'WITH';
}

function withoutExplain(tokens: readonly string[]): readonly string[] {
  if (tokens[0] !== 'EXPLAIN') return tokens;
  return tokens.slice(tokens[1] === 'QUERY' && tokens[2] === 'PLAN' ? 3 : 1);
}

const NOT_ONE: StatementKind = Object.freeze({ kind: 'not-one' });

// A vertical tab is space after other space alone.
const SPACE = /[\t\n\f\r ][\t-\r ]*|\uFEFF/y;
const WORD = /[A-Za-z0-9_$\u0080-\uFFFF]+/y;

/**
 * The tokens of a statement as SQLite's tokenizer (its `tokenize.c`) finds them, without space and
 * comments: words with their ASCII letters in upper case, anything quoted as its opening quote alone,
 * every other character by itself.
 */
function tokensOf(sql: string): string[] {
  const tokens: string[] = [];
  for (let at = 0; at < sql.length; ) {
    const char = sql.charAt(at);
    const space = lengthAt(SPACE, sql, at);
    if (space > 0) {
      at += space;
    } else if (sql.startsWith('--', at)) {
      at = after(sql, '\n', at);
    } else if (sql.startsWith('/*', at) && at + 2 < sql.length) {
      at = after(sql, '*/', at + 2);
    } else if (char === "'" || char === '"' || char === '`') {
      tokens.push(char);
      at = afterQuote(sql, char, at + 1);
    } else if (char === '[') {
      tokens.push(char);
      at = after(sql, ']', at);
    } else {
      const end = at + Math.max(1, lengthAt(WORD, sql, at));
      tokens.push(sql.slice(at, end).replace(/[a-z]/g, (letter) => letter.toUpperCase()));
      at = end;
    }
  }
  return tokens;
}

/** Where a text goes on after the next `end`; where there is none, it is all over. */
function after(sql: string, end: string, at: number): number {
  const found = sql.indexOf(end, at);
  return found === -1 ? sql.length : found + end.length;
}

/** A quote inside what it quotes is written twice. */
function afterQuote(sql: string, quote: string, start: number): number {
  let at = after(sql, quote, start);
  while (sql.charAt(at) === quote) at = after(sql, quote, at + 1);
  return at;
}

/** How long what a sticky pattern finds at `at` is; 0 where it finds nothing. */
function lengthAt(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex - at : 0;
}
