import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { Answer, Job } from '../../../../../engine/platform/node/effects/sqlite/job.ts';
import {
  type SqliteScripts,
  scriptsOf,
} from '../../../../../engine/platform/node/effects/sqlite/scripts.ts';
import {
  createSqliteThread,
  type SqliteThread,
} from '../../../../../engine/platform/node/effects/sqlite/thread.ts';
import { packageOf, temporaryFolder } from './support.ts';

let scripts: SqliteScripts;
const opened: SqliteThread[] = [];
before(async () => {
  ({ scripts } = await packageOf());
});
after(() => Promise.all(opened.map((thread) => thread.close())));

interface Asked {
  readonly access?: Job['access'];
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

function open(file: string, made?: SqliteScripts) {
  const thread = createSqliteThread(made ?? scripts);
  opened.push(thread);
  const run = (
    sql: string,
    { access = 'write', signal = new AbortController().signal, timeoutMs = 30_000 }: Asked = {},
  ): Promise<Answer> => {
    const statements = [{ sql, parameters: [] }];
    const bounds = { rows: 10, bytes: 10_000, fileBytes: 1_000_000_000 };
    return thread.run({ file, access, statements, ...bounds }, { signal, timeoutMs });
  };
  return { run, close: () => thread.close() };
}

function told(answer: Answer): string {
  return 'failed' in answer ? answer.failed : JSON.stringify(answer.results[0]?.rows);
}

const TABLE = 'CREATE TABLE t (a UNIQUE)';
const COUNT = 'WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c)';
const FILL = `${COUNT} INSERT INTO t SELECT randomblob(100) FROM c LIMIT 20000`;
/** Changes pages all over the file, as the index has them in order. */
const ENDLESS_FILL = `${COUNT} INSERT INTO t SELECT randomblob(100) FROM c`;

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'waited too long');
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

test('is started from sources too', async () => {
  const here = new URL(
    '../../../../../engine/platform/node/effects/sqlite/thread.ts',
    import.meta.url,
  );
  const { run } = open(join(temporaryFolder(), 'a'), scriptsOf(here.href));
  assert.equal(told(await run('SELECT 1')), '[[1]]');
});

test('is found beside a bundle, and beside the chunks of bundles', () => {
  for (const here of ['file:///p/dist/cli.js', 'file:///p/dist/chunks/thread-A1.js']) {
    const { worker, library } = scriptsOf(here);
    assert.equal(worker.href, 'file:///p/dist/sqlite-worker.js');
    assert.equal(library.href, 'file:///p/dist/sqlite/');
  }
});

test('that cannot be started fails as data, each time', async () => {
  const missing = new URL('none.js', scripts.worker);
  const { run } = open(join(temporaryFolder(), 'a'), { ...scripts, worker: missing });
  assert.equal(told(await run('SELECT 1')), 'crashed');
  assert.equal(told(await run('SELECT 1')), 'crashed');
});

test('a change that is cut off when half of it is in the file is undone by the next job', async () => {
  const file = join(temporaryFolder(), 'a');
  const { run } = open(file);
  await run(TABLE);
  await run(FILL);
  const before = readFileSync(file);
  const cancel = new AbortController();
  const cut = run(ENDLESS_FILL, { signal: cancel.signal });
  // Until SQLite, whose cache is small, has begun to write into the file itself.
  await until(() => !readFileSync(file).subarray(0, before.length).equals(before));
  cancel.abort();
  assert.equal(told(await cut), 'cancelled');
  await until(() => !existsSync(`${file}.lock`));
  assert.ok(!readFileSync(file).equals(before), 'half of it is there');
  assert.ok(existsSync(`${file}-journal`));

  const reader = open(file);
  assert.equal(told(await reader.run('SELECT count(*) FROM t', { access: 'read' })), 'read-only');
  assert.equal(told(await run('PRAGMA integrity_check')), '[["ok"]]');
  assert.ok(readFileSync(file).equals(before));
  assert.ok(!existsSync(`${file}-journal`));
  assert.equal(told(await reader.run('SELECT count(*) FROM t', { access: 'read' })), '[[20000]]');
});

test('so is one that SQLite does not survive, and never came to', async () => {
  const file = join(temporaryFolder(), 'a');
  const { run } = open(file);
  await run(TABLE);
  await run(FILL);
  const before = readFileSync(file);
  // LIKE calls itself for each `%`, until the stack is used up.
  const fatal =
    "printf('%.*c', 40000, 'a') LIKE replace(printf('%.*c', 16000, 'x'), 'x', '%a') || 'b'";
  const rows = `CASE WHEN x < 30000 THEN randomblob(100) ELSE ${fatal} END`;
  assert.equal(told(await run(`${COUNT} INSERT INTO t SELECT ${rows} FROM c`)), 'crashed');
  assert.ok(!readFileSync(file).equals(before), 'half of it is there');
  assert.equal(told(await run('PRAGMA integrity_check')), '[["ok"]]');
  assert.ok(readFileSync(file).equals(before));
});

test('waits for whoever holds the lock, whatever program it is, and takes it from the dead', async () => {
  const file = join(temporaryFolder(), 'a');
  const { run } = open(file);
  const asked = { timeoutMs: 300 };
  await run('SELECT 1');
  mkdirSync(`${file}.lock`); // as the library locks a file for its other users
  assert.equal(told(await run('SELECT 1', asked)), 'busy');
  rmdirSync(`${file}.lock`);
  writeFileSync(`${file}.lock`, JSON.stringify({ host: 'elsewhere', pid: 1, started: null }));
  assert.equal(told(await run('SELECT 1', asked)), 'busy');
  writeFileSync(`${file}.lock`, '');
  assert.equal(told(await run('SELECT 1')), '[[1]]', 'nobody has put a name on it for a second');
  assert.ok(!existsSync(`${file}.lock`));
});

test('does the jobs that wait when one is cut off, in their order', async () => {
  const { run } = open(join(temporaryFolder(), 'a'));
  await run(TABLE);
  await run(FILL);
  const cut = run(ENDLESS_FILL, { timeoutMs: 400 });
  const later = [1, 2, 3].map((n) => run(`INSERT INTO t VALUES (${n}) RETURNING rowid`));
  assert.equal(told(await cut), 'timeout');
  assert.deepEqual((await Promise.all(later)).map(told), ['[[20001]]', '[[20002]]', '[[20003]]']);
});

test('ends what is under way when it is closed', async () => {
  const file = join(temporaryFolder(), 'a');
  const { run, close } = open(file);
  await run(TABLE);
  await run(FILL);
  const [cut, waiting] = [run(ENDLESS_FILL), run('SELECT 1')];
  await until(() => existsSync(`${file}.lock`));
  await close();
  assert.deepEqual([told(await cut), told(await waiting)], ['closed', 'closed']);
  assert.ok(!existsSync(`${file}.lock`));
});
