import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { JsonValue } from '../../../../../engine/encoding/json.ts';
import type { EffectHandler } from '../../../../../engine/governance/effect.ts';
import { dbGrant } from '../../../../../engine/governance/grants/db.ts';
import { createDbHandler } from '../../../../../engine/platform/node/effects/sqlite/db.ts';
import type { SqliteScripts } from '../../../../../engine/platform/node/effects/sqlite/scripts.ts';
import { type Asking, ask, resultOf, told } from './ask.ts';
import { packageOf, temporaryFolder } from './support.ts';

const ENDLESS = 'WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c)';

let scripts: SqliteScripts;
const opened: EffectHandler[] = [];
before(async () => {
  ({ scripts } = await packageOf());
});
after(() => Promise.all(opened.map((handler) => handler.close?.())));

type Grant = Parameters<typeof dbGrant.parse>[0] & object;

function open(base: string, grant: Grant = {}): EffectHandler {
  const full = dbGrant.parse({ file: 'a.sqlite', access: 'write', timeoutMs: 30_000, ...grant });
  const handler = createDbHandler(full, { base, scripts });
  opened.push(handler);
  return handler;
}

const op = (query: string, ...params: JsonValue[]) => ({ type: 'db_op', query, params });

/** A handler of a database with the table `t (a)` that holds 1, 2 and 3. */
async function withTable(grant: Grant = {}) {
  const base = temporaryFolder();
  const writer = open(base);
  resultOf(await ask(writer, op('CREATE TABLE t (a)')));
  resultOf(await ask(writer, op('INSERT INTO t VALUES (1), (2), (3)')));
  const handler = open(base, grant);
  return {
    base,
    file: join(base, 'a.sqlite'),
    run: (query: string, ...params: JsonValue[]) => ask(handler, op(query, ...params)),
    with: (asking: Asking, query: string) => ask(handler, op(query), asking),
    judge: (query: string, ...params: JsonValue[]) => handler.judge?.(op(query, ...params)),
    repeats: (query: string) => handler.isRepeatable?.(op(query)),
  };
}

describe('a statement', () => {
  test('answers columns and rows, and what it changed', async () => {
    const { run } = await withTable();
    assert.deepEqual(resultOf(await run('SELECT a, a FROM t WHERE a > ?;', 1)), {
      columns: ['a', 'a'],
      rows: [
        [2, 2],
        [3, 3],
      ],
    });
    assert.deepEqual(resultOf(await run('INSERT INTO t VALUES (4) RETURNING a')), {
      columns: ['a'],
      rows: [[4]],
      changes: 1,
      lastInsertRowid: 4,
    });
    const nothing = { columns: [], rows: [] };
    assert.deepEqual(resultOf(await run('UPDATE t SET a = 0')), { ...nothing, changes: 4 });
    assert.deepEqual(resultOf(await run('DELETE FROM t WHERE 0')), { ...nothing, changes: 0 });
    assert.deepEqual(resultOf(await run('DROP TABLE t')), nothing);
  });

  test('tells what JSON cannot hold as what it is', async () => {
    const { run } = await withTable();
    const sql =
      "SELECT 9007199254740991, 9007199254740992, -9223372036854775808, 1.5, 9e999, -9e999, NULL, x'00ff', cast(x'ff' AS TEXT), cast(x'610062' AS TEXT), zeroblob(0)";
    const [row] = (resultOf(await run(sql)) as { rows: JsonValue[][] }).rows;
    assert.deepEqual(row, [
      9007199254740991,
      { integer: '9007199254740992' },
      { integer: '-9223372036854775808' },
      1.5,
      { real: 'Infinity' },
      { real: '-Infinity' },
      null,
      { base64: 'AP8=' },
      { base64: '/w==' },
      'a\0b',
      { base64: '' },
    ]);
  });

  test('gets its parameters as values, whatever they hold', async () => {
    const { run, file } = await withTable();
    const hostile = ["'); DROP TABLE t; --", "' OR 1=1 --", '?', ':a', '\0', '"', '\u202e;'];
    for (const text of hostile) {
      assert.deepEqual(
        resultOf(await run('SELECT ?, typeof(?) WHERE ? = ?', ...Array(4).fill(text))),
        {
          columns: ['?', 'typeof(?)'],
          rows: [[text, 'text']],
        },
      );
    }
    const bytes = readFileSync(file);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.double(), async (text, real) => {
        fc.pre(text.isWellFormed() && Number.isFinite(real) && !Object.is(real, -0));
        const answer = resultOf(await run('SELECT ? AS x, ? AS y, count(*) FROM t', text, real));
        assert.deepEqual(answer, { columns: ['x', 'y', 'count(*)'], rows: [[text, real, 3]] });
      }),
      { numRuns: 100 },
    );
    assert.deepEqual(readFileSync(file), bytes);
  });

  test('gets booleans as 0 and 1; lists, objects and wrong numbers of parameters are refused', async () => {
    const { run } = await withTable();
    const typed = await run('SELECT ?, ?, ?, typeof(?)', true, false, null, 1e20);
    assert.deepEqual((resultOf(typed) as { rows: JsonValue[] }).rows, [[1, 0, null, 'real']]);
    for (const value of [[], [1], {}, { base64: 'AA==' }]) {
      assert.equal(told(await run('SELECT ?', value)), 'refused parameter-refused');
    }
    for (const [query, ...params] of [
      ['SELECT 1', 1],
      ['SELECT ?'],
      ['SELECT ?, ?', 1],
      ['SELECT ?2', 1],
    ] as const) {
      assert.equal(told(await run(query, ...params)), 'failed parameter-count', query);
    }
  });

  test('takes as many parameters as SQLite does, and no more', async () => {
    const handler = open(temporaryFolder());
    const run = (query: string, params: JsonValue[]) =>
      ask(handler, { type: 'db_op', query, params });
    const many: JsonValue[] = Array(100_000).fill(1);
    const most = many.slice(0, 32_766);
    assert.equal(told(await run('SELECT 1', many)), 'refused parameter-refused');
    assert.equal(told(await run(`SELECT 1 IN (${many.map(() => '?')})`, most)), 'failed sql-error');
    assert.equal(told(await run(`SELECT 1 IN (${most.map(() => '?')})`, most)), 'performed');
  });

  test('fails as data where SQLite finds it wrong, and leaves nothing behind', async () => {
    const { run } = await withTable();
    assert.equal(told(await run('SELECT nothing FROM t')), 'failed sql-error');
    assert.equal(told(await run('SELECT * FROM "\u202eevil"')), 'failed sql-error');
    const outcome = await run('SELECT * FROM "\u202eevil\n"');
    assert.ok(outcome.kind === 'failed' && /\\u\{202e\}evil\\u\{a\}/.test(outcome.message));
    resultOf(await run('CREATE TABLE u (a UNIQUE)'));
    for (const conflict of ['ABORT', 'ROLLBACK', 'FAIL']) {
      const insert = `INSERT OR ${conflict} INTO u VALUES (1), (1)`;
      assert.equal(told(await run(insert)), 'failed constraint');
    }
    const count = await run('SELECT count(*) FROM u');
    assert.deepEqual((resultOf(count) as { rows: JsonValue[] }).rows, [[0]]);
  });

  test('leaves no setting, table or transaction to the next', async () => {
    const { run } = await withTable();
    assert.equal(told(await run('CREATE TABLE temp.u AS SELECT 1')), 'performed');
    assert.equal(told(await run('SELECT * FROM u')), 'failed sql-error');
    assert.deepEqual((resultOf(await run('SELECT changes()')) as { rows: JsonValue[] }).rows, [
      [0],
    ]);
  });

  test('may be repeated where it only reads', async () => {
    const { repeats } = await withTable();
    assert.equal(repeats('SELECT 1'), true);
    assert.equal(repeats('INSERT INTO t VALUES (1)'), false);
    assert.equal(repeats('SELECT 1; SELECT 2'), false);
  });
});

const ESCAPES = [
  "ATTACH '/tmp/touchstone-escaped' AS x",
  'ATTACH ? AS x',
  "ATTACH 'file:/tmp/touchstone-escaped?mode=rwc' AS x",
  '/**/ATTACH/**/ ":memory:" AS x',
  "EXPLAIN ATTACH 'x' AS y",
  'DETACH main',
  "VACUUM INTO '/tmp/touchstone-escaped'",
  'VACUUM',
  'PRAGMA journal_mode = WAL',
  'PRAGMA journal_mode = OFF',
  'PRAGMA writable_schema = 1',
  'PRAGMA temp_store_directory = "/tmp"',
  'PRAGMA database_list',
  'BEGIN EXCLUSIVE',
  'CREATE TEMP TABLE x (a)',
  'SELECT 1; DROP TABLE t',
  'SELECT 1 /* */; /* */ DROP TABLE t',
  'SELECT 1;\uFEFFDROP TABLE t',
  'SELECT 1\0; DROP TABLE t',
  "SELECT load_extension('/tmp/x.so')",
  "SELECT readfile('/etc/passwd')",
  "SELECT writefile('/tmp/touchstone-escaped', 'x')",
  "SELECT * FROM fsdir('/')",
  "SELECT edit('x')",
  'SELECT * FROM sqlite_dbpage',
  "SELECT * FROM pragma_journal_mode('OFF')",
  'SELECT * FROM pragma_writable_schema(1)',
  'SELECT * FROM pragma_max_page_count(1000)',
  "CREATE VIRTUAL TABLE x USING csv(filename = '/etc/passwd')",
  "UPDATE sqlite_schema SET sql = 'x'",
  'DELETE FROM sqlite_schema',
];

describe('what would leave the file or change how it is kept', () => {
  for (const access of ['read', 'write'] as const) {
    test(`is refused or fails with access ${access}`, async () => {
      const { run, base, file } = await withTable({ access });
      const bytes = readFileSync(file);
      for (const sql of ESCAPES) {
        assert.match(
          told(await run(sql, ...(sql.includes('?') ? ['x'] : []))),
          /^(refused|failed) /,
          sql,
        );
      }
      assert.deepEqual(readFileSync(file), bytes);
      assert.deepEqual(readdirSync(base), ['a.sqlite']);
      assert.ok(!existsSync('/tmp/touchstone-escaped'));
      assert.equal(told(await run('SELECT * FROM t')), 'performed');
    });
  }

  test('is judged before, as far as the statement tells', async () => {
    const { judge } = await withTable({ access: 'read' });
    assert.equal(judge('SELECT 1'), undefined);
    assert.equal(judge('DELETE FROM t')?.code, 'write-not-granted');
    assert.equal(judge("ATTACH 'x' AS y")?.code, 'statement-refused');
    assert.equal(judge('SELECT 1; SELECT 2')?.code, 'not-one-statement');
    assert.equal(judge('SELECT ?', {})?.code, 'parameter-refused');
    assert.equal(judge(`SELECT '${'a'.repeat(1_048_576)}'`)?.code, 'too-large');
  });

  test('a trigger is one statement; what follows it is a second', async () => {
    const { run } = await withTable();
    const trigger = 'CREATE TRIGGER x AFTER INSERT ON t BEGIN DELETE FROM t; SELECT 1; END';
    assert.equal(told(await run(`${trigger}; DROP TABLE t`)), 'refused not-one-statement');
    assert.equal(told(await run(trigger)), 'performed');
    assert.equal(told(await run('INSERT INTO t VALUES (1)')), 'performed');
    const count = await run('SELECT count(*) FROM t');
    assert.deepEqual((resultOf(count) as { rows: JsonValue[] }).rows, [[0]]);
  });

  test('a write that gets past the words does not get past the connection', async () => {
    const { run, file } = await withTable({ access: 'read' });
    const bytes = readFileSync(file);
    for (const sql of ['PRAGMA integrity_check', 'SELECT * FROM pragma_optimize', 'SELECT 1'])
      await run(sql);
    assert.deepEqual(readFileSync(file), bytes);
  });
});

describe('a statement that asks for too much', () => {
  test('without end is cut off when its time is up, and the next one works', async () => {
    const { run, base } = await withTable({ timeoutMs: 700 });
    for (const sql of [
      `${ENDLESS} SELECT count(*) FROM c`,
      `${ENDLESS} INSERT INTO t SELECT x FROM c`,
      `${ENDLESS} UPDATE t SET a = (SELECT count(*) FROM c)`,
    ]) {
      assert.equal(told(await run(sql)), 'failed timeout', sql);
    }
    const next = open(base);
    const { rows } = resultOf(await ask(next, op('SELECT sum(a) FROM t'))) as { rows: JsonValue };
    assert.deepEqual(rows, [[6]]);
    const checked = resultOf(await ask(next, op('PRAGMA integrity_check'))) as { rows: JsonValue };
    assert.deepEqual(checked.rows, [['ok']]);
  });

  test('is cut off when it is cancelled, while it runs and while it waits', async () => {
    const { with: ask1, run, file } = await withTable();
    const cancel = new AbortController();
    const { signal } = cancel;
    const running = ask1({ signal }, `${ENDLESS} SELECT count(*) FROM c`);
    while (!existsSync(`${file}.lock`)) await new Promise((resolve) => setTimeout(resolve, 2));
    const asked = [running, ask1({ signal }, 'DELETE FROM t')];
    const later = run('SELECT count(*) FROM t');
    setTimeout(() => cancel.abort(), 200);
    for (const outcome of await Promise.all(asked)) assert.equal(told(outcome), 'failed cancelled');
    assert.deepEqual((resultOf(await later) as { rows: JsonValue }).rows, [[3]]);
    assert.equal(told(await ask1({ signal }, 'DELETE FROM t')), 'failed cancelled');
    assert.deepEqual((resultOf(await run('SELECT count(*) FROM t')) as { rows: JsonValue }).rows, [
      [3],
    ]);
  });

  test('rows and bytes are counted while they are read, and nothing is changed then', async () => {
    const { run, base, file } = await withTable({ rows: 2, resultBytes: 1_000 });
    assert.equal(told(await run('SELECT * FROM t LIMIT 2')), 'performed');
    for (const sql of [
      'SELECT * FROM t',
      `${ENDLESS} SELECT x FROM c`,
      "SELECT printf('%.*c', 1001, 'x')",
      'SELECT zeroblob(800)',
      'SELECT zeroblob(100000000)',
      `SELECT 1 AS "${'x'.repeat(1_001)}"`,
      'DELETE FROM t RETURNING a',
      "INSERT INTO t VALUES (1) RETURNING printf('%.*c', 10000, 'x')",
    ]) {
      const bytes = readFileSync(file);
      assert.equal(told(await run(sql)), 'failed too-large', sql);
      assert.deepEqual(readFileSync(file), bytes);
    }
    assert.ok(!existsSync(join(base, 'a.sqlite.lock')));
  });

  test('memory and stack end the statement, not the process', async () => {
    const { run } = await withTable();
    const nested = (n: number, open: string, close = '') => open.repeat(n) + 1 + close.repeat(n);
    for (const sql of [
      "SELECT printf('%.*c', 1000000000, 'x')",
      'SELECT length(randomblob(1000000000))',
      'SELECT randomblob(100000000)',
      `${ENDLESS} SELECT group_concat(d) FROM (SELECT zeroblob(1000000) AS d FROM c LIMIT 1000)`,
      `SELECT ${nested(900, 'NOT ')}`,
      `SELECT ${nested(5_000, '(', ')')}`,
      `SELECT ${nested(300, '(SELECT ', ')')}`,
      `SELECT ${nested(20_000, '1+')}`,
      `SELECT ${nested(2_000, 'abs(', ')')}`,
      `SELECT json('${'['.repeat(100_000)}')`,
      `SELECT * FROM ${Array(100).fill('t')}`,
    ]) {
      assert.match(
        told(await run(sql)),
        /^failed (out-of-memory|too-large|crashed|sql-error)$/,
        sql.slice(0, 60),
      );
      assert.equal(told(await run('SELECT 1')), 'performed');
    }
  });

  test('what is beyond the bytes of its budget fails, and what it used is told', async () => {
    const { with: ask1 } = await withTable();
    const tight = await ask1({ allowance: { bytes: 20 } }, 'SELECT * FROM t WHERE a < 2');
    assert.equal(told(tight), 'failed budget-exhausted');
    const fits = await ask1({ allowance: { bytes: 60 } }, 'SELECT * FROM t');
    assert.ok(fits.kind === 'performed' && (fits.cost?.bytes ?? 0) > 20);
    const large = await ask1({ allowance: { bytes: 60 } }, 'SELECT 1 AS "12345678901234567890"');
    assert.equal(told(large), 'failed too-large');
  });

  test('the file grows no further than is granted', async () => {
    const { run, file } = await withTable({ totalBytes: 100_000 });
    const fill = 'INSERT INTO t VALUES (zeroblob(30000))';
    const outcomes: string[] = [];
    for (let i = 0; i < 5; i++) outcomes.push(told(await run(fill)));
    assert.equal(outcomes.at(-1), 'failed full');
    assert.ok(readFileSync(file).length <= 100_000);
    assert.equal(told(await run('DELETE FROM t')), 'performed');
    assert.equal(told(await run(fill)), 'performed');
  });
});

describe('the file', () => {
  test('must be there for reading, and is made for writing', async () => {
    const base = temporaryFolder();
    assert.equal(
      told(await ask(open(base, { access: 'read' }), op('SELECT 1'))),
      'failed file-missing',
    );
    assert.deepEqual(readdirSync(base), []);
    assert.equal(told(await ask(open(base), op('CREATE TABLE t (a)'))), 'performed');
    assert.deepEqual(readdirSync(base), ['a.sqlite']);
    assert.equal(told(await ask(open(join(base, 'none')), op('SELECT 1'))), 'failed file-failed');
  });

  test('must be a database that is kept with a rollback journal', async () => {
    const base = temporaryFolder();
    const run = (access: string) => ask(open(base, { access }), op('SELECT * FROM sqlite_schema'));
    for (const access of ['read', 'write']) {
      writeFileSync(join(base, 'a.sqlite'), 'this is not a database, but a text\n'.repeat(100));
      assert.equal(told(await run(access)), 'failed not-a-database');
      const { file } = await withTable();
      const bytes = readFileSync(file);
      bytes.fill(0xee, 100, 2_000);
      writeFileSync(join(base, 'a.sqlite'), bytes);
      assert.match(told(await run(access)), /^failed (corrupt|sql-error)$/);
      const writeAhead = readFileSync(file);
      writeAhead[18] = writeAhead[19] = 2;
      writeFileSync(join(base, 'a.sqlite'), writeAhead);
      assert.equal(told(await run(access)), 'failed write-ahead-log');
      assert.deepEqual(readFileSync(join(base, 'a.sqlite')), writeAhead);
    }
  });

  test('may be named by a link, and must be a regular file', async () => {
    const { base, file } = await withTable();
    symlinkSync(file, join(base, 'link'));
    symlinkSync('/dev/zero', join(base, 'device'));
    mkdirSync(join(base, 'folder'));
    const run = (name: string) => ask(open(base, { file: name }), op('SELECT count(*) FROM t'));
    assert.equal(told(await run('link')), 'performed');
    assert.equal(told(await run('device')), 'failed file-failed');
    assert.equal(told(await run('folder')), 'failed file-failed');
    assert.equal(
      told(await run(file)),
      'performed',
      'an absolute path is the operator’s own choice',
    );
  });

  test('is not reached through a link that is put in place of its journal', async () => {
    const { base, run } = await withTable();
    writeFileSync(join(base, 'other'), '');
    symlinkSync(join(base, 'other'), join(base, 'a.sqlite-journal'));
    assert.match(told(await run('DELETE FROM t')), /^failed /);
    assert.equal(readFileSync(join(base, 'other')).length, 0);
    rmSync(join(base, 'a.sqlite-journal'));
    assert.equal(told(await run('DELETE FROM t')), 'performed');
  });

  test('is not told of: no message and no result says where it lies', async () => {
    const { run, base } = await withTable();
    for (const sql of ['SELECT * FROM pragma_database_list', 'SELECT x', "ATTACH 'y' AS z"]) {
      assert.ok(!JSON.stringify(await run(sql)).includes(base));
    }
  });

  test('that may not be opened, or whose folder may not be written, fails', {
    skip: process.getuid?.() === 0 && 'root may do all',
  }, async () => {
    const { base, file, run } = await withTable();
    chmodSync(file, 0);
    assert.equal(told(await run('SELECT 1')), 'failed file-failed');
    chmodSync(file, 0o600);
    chmodSync(base, 0o500);
    assert.equal(told(await run('SELECT 1')), 'failed file-failed');
    chmodSync(base, 0o700);
  });
});

test('after the end nothing is done any more', async () => {
  const handler = open(temporaryFolder());
  await handler.close?.();
  assert.equal(told(await ask(handler, op('SELECT 1'))), 'failed closed');
});
