import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { ConfinedFiles } from '../../../../../engine/platform/node/effects/sqlite/confined-files.ts';
import { doJob } from '../../../../../engine/platform/node/effects/sqlite/do-job.ts';
import type { Answer, Job } from '../../../../../engine/platform/node/effects/sqlite/job.ts';
import { loadLibrary } from '../../../../../engine/platform/node/effects/sqlite/library.ts';
import { kindOf } from '../../../../../engine/platform/node/effects/sqlite/statement.ts';
import { LIBRARY, temporaryFolder } from './support.ts';

const files = new ConfinedFiles();
const library = loadLibrary(LIBRARY, files, 268_435_456);
const file = join(temporaryFolder(), 'a.sqlite');

function run(access: Job['access'], sql: string): Answer {
  const statements = [{ sql, parameters: [] }];
  return doJob(library, files, {
    file,
    access,
    statements,
    rows: 10,
    bytes: 10_000,
    fileBytes: 1e7,
  });
}

run('write', 'CREATE TABLE t (a)');
run('write', 'INSERT INTO t VALUES (1), (2)');

const READS = [
  'SELECT 1',
  'select 1;',
  ' \t\n/* ; */ -- ;\nSELECT 1 ; -- ; x',
  'VALUES (1), (2)',
  "SELECT ';', \";\", `;`, [;], ';'';' FROM t",
  'WITH a(b) AS (SELECT 1) SELECT * FROM a',
  'WITH RECURSIVE "insert"(x) AS (VALUES (1)) SELECT x FROM "insert"',
  'EXPLAIN SELECT 1',
  'EXPLAIN QUERY PLAN SELECT 1',
  'PRAGMA table_info(t)',
  'PRAGMA main.user_version',
  'PRAGMA user_version;',
  'PRAGMA integrity_check',
];

const WRITES = [
  'INSERT INTO t VALUES (1)',
  'rEpLaCe INTO t VALUES (1)',
  'WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a',
  'WITH a AS (SELECT 1), b(c) AS NOT MATERIALIZED (SELECT 2) DELETE FROM t',
  'UPDATE t SET a = 1',
  'CREATE TABLE u (a)',
  'CREATE TRIGGER u AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;',
  'DROP TABLE t',
  'ALTER TABLE t ADD COLUMN b',
  'REINDEX',
  'ANALYZE',
  'EXPLAIN DELETE FROM t',
];

const OTHERS = [
  "ATTACH ':memory:' AS a",
  'DETACH a',
  'VACUUM',
  "VACUUM INTO '/tmp/a'",
  'BEGIN',
  'COMMIT',
  'END',
  'ROLLBACK',
  'SAVEPOINT a',
  'RELEASE a',
  'CREATE TEMP TABLE a (b)',
  'CREATE TEMPORARY VIEW a AS SELECT 1',
  'PRAGMA journal_mode',
  'PRAGMA journal_mode = OFF',
  'PRAGMA main.journal_mode(OFF)',
  'PRAGMA "journal_mode"',
  'PRAGMA writable_schema = ON',
  'PRAGMA user_version = 5',
  'PRAGMA user_version(5)',
  'PRAGMA trusted_schema=1',
  'PRAGMA temp_store_directory = "/tmp"',
  'PRAGMA database_list',
  'EXPLAIN ATTACH "x" AS y',
  'nonsense',
  '(SELECT 1)',
  'SELECTED',
  '\u017fELECT 1', // its upper case is SELECT, elsewhere than in SQL
];

const NOT_ONE = [
  '',
  ' ',
  ';',
  '-- SELECT 1',
  '/* SELECT 1',
  ';SELECT 1',
  'SELECT 1;;',
  'SELECT 1; SELECT 2',
  "SELECT '\\'; DELETE FROM t; --'",
  'SELECT 1 /* ; */; /* x */ DELETE FROM t',
  'SELECT 1 -- x\n; DELETE FROM t',
  'SELECT 1 /*/ ; */ ; DELETE FROM t',
  'SELECT "a;""b" ; DELETE FROM t',
  "SELECT [a'b]; DELETE FROM t --'",
  'SELECT 1;\uFEFFDELETE FROM t',
  'SELECT 1; x',
  'SELECT 1\0; DELETE FROM t',
  'SELECT 1;\0',
];

test('a statement is told by its first words, or by its verb after WITH', () => {
  for (const sql of READS) assert.equal(kindOf(sql).kind, 'read', sql);
  for (const sql of WRITES) assert.equal(kindOf(sql).kind, 'write', sql);
  for (const sql of OTHERS) assert.equal(kindOf(sql).kind, 'other', sql);
  for (const sql of NOT_ONE) assert.equal(kindOf(sql).kind, 'not-one', JSON.stringify(sql));
});

test('SQLite runs what reads, and changes nothing by it', () => {
  for (const sql of READS) {
    const before = readFileSync(file);
    const answer = run('write', sql);
    assert.ok('results' in answer || /no such column/.test(answer.message), JSON.stringify(answer));
    assert.deepEqual(readFileSync(file), before, sql);
  }
});

test('SQLite itself refuses a second statement, wherever it hides', () => {
  for (const sql of NOT_ONE) {
    const before = readFileSync(file);
    const answer = run('write', sql);
    // Semicolons alone are nothing to SQLite.
    if (/^;SELECT 1$|;;$/.test(sql)) assert.ok('results' in answer);
    else assert.ok('failed' in answer, sql);
    assert.deepEqual(readFileSync(file), before, sql);
  }
});

const pieces = fc.array(
  fc.constantFrom(
    ...['SELECT 1', 'VALUES(1)', 'DELETE FROM t', 'WITH a AS (SELECT 1)', 'CREATE TRIGGER x AFTER'],
    ...['INSERT ON t', 'BEGIN', 'END', 'FROM t', "'a'", '"a"', '`a`', '[a]', "x'ab'", 'EXPLAIN'],
    ...[';', ';', "'", '"', '`', '[', ']', '--', '\n', '/*', '*/', '/', '*', '-', '->', '(', ')'],
    ...[' ', '\t', '\v', '\f', '\r', '\uFEFF', '\u00a0', 'é', '𝒳', '\\', '.', ',', '=', ':a', '$b'],
  ),
  { maxLength: 8 },
);
const beginnings = fc.constantFrom('SELECT 1', "VALUES ('a')", 'DELETE FROM t', 'WITH a AS (', '');

test('where one statement is found, SQLite finds no second; what reads changes nothing', () => {
  const before = readFileSync(file);
  let compiled = 0;
  fc.assert(
    fc.property(beginnings, pieces, (beginning, parts) => {
      const sql = beginning + parts.join('');
      const { kind } = kindOf(sql);
      if (kind === 'not-one') {
        if ('results' in run('read', sql)) assert.match(sql, /;/);
        return;
      }
      const answer = run('read', sql);
      const isTrigger = /^\W*(?:EXPLAIN\W*)?CREATE TRIGGER/.test(sql);
      if ('results' in answer) compiled++;
      else if (!isTrigger) assert.notEqual(answer.failed, 'not-one-statement', JSON.stringify(sql));
      if (kind !== 'read') return;
      run('write', sql);
      assert.deepEqual(readFileSync(file), before, sql);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(compiled > 50, `only ${compiled} statements were any`);
});

test('a long statement is told in time that grows with its length alone', () => {
  for (const part of ["''", '/*', '--\n', '"', '[', "'a", ';', '(', 'WITH ', '/* *', '\uFEFF']) {
    kindOf(part.repeat(1_000_000 / part.length));
  }
});
