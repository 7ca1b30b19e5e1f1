import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, type JsonValue } from '../../../../../engine/encoding/json.ts';
import type { EffectHandler } from '../../../../../engine/governance/effect.ts';
import { dbGrant } from '../../../../../engine/governance/grants/db.ts';
import { memoryGrant } from '../../../../../engine/governance/grants/memory.ts';
import { createDbHandler } from '../../../../../engine/platform/node/effects/sqlite/db.ts';
import { createMemoryHandler } from '../../../../../engine/platform/node/effects/sqlite/memory.ts';
import type { SqliteScripts } from '../../../../../engine/platform/node/effects/sqlite/scripts.ts';
import { collectOutput } from '../../../../support/child-output.ts';
import { ask, resultOf, told } from './ask.ts';
import { packageOf, temporaryFolder } from './support.ts';

let scripts: SqliteScripts;
let program: string;
const opened: EffectHandler[] = [];
before(async () => {
  const built = await packageOf({ program: 'memory-program.ts' });
  scripts = built.scripts;
  program = join(built.folder, 'program.js');
});
after(() => Promise.all(opened.map((handler) => handler.close?.())));

type Grant = Parameters<typeof memoryGrant.parse>[0] & object;

function open(base: string, grant: Grant = {}) {
  const full = memoryGrant.parse({ timeoutMs: 30_000, ...grant });
  const handler = createMemoryHandler(full, { base, scripts });
  opened.push(handler);
  const op = (operation: string, key: string, value?: JsonValue) => ({
    type: 'memory_op',
    operation,
    key,
    ...(value !== undefined && { value }),
  });
  return {
    handler,
    store: (key: string, value?: JsonValue) => ask(handler, op('MemStore', key, value)),
    recall: (key: string) => ask(handler, op('MemRecall', key)),
    forget: (key: string) => ask(handler, op('MemForget', key)),
    judge: (operation: string, key: string, value?: JsonValue) =>
      handler.judge?.(op(operation, key, value))?.code,
  };
}

const NOTHING = { found: false, value: null };

test('a value is recalled until it is forgotten, also after a restart', async () => {
  const base = temporaryFolder();
  const memory = open(base);
  assert.deepEqual(resultOf(await memory.recall('a')), NOTHING);
  assert.deepEqual(resultOf(await memory.forget('a')), { forgotten: false });
  assert.deepEqual(readdirSync(base), [], 'asking makes no file');
  assert.deepEqual(resultOf(await memory.store('a', { b: [1, null] })), { stored: true });
  assert.deepEqual(resultOf(await memory.store('a', { b: [2, null] })), { stored: true });
  await memory.handler.close?.();
  const later = open(base);
  assert.deepEqual(resultOf(await later.recall('a')), { found: true, value: { b: [2, null] } });
  assert.deepEqual(resultOf(await later.forget('a')), { forgotten: true });
  assert.deepEqual(resultOf(await later.recall('a')), NOTHING);
  assert.deepEqual(readdirSync(base), ['memory.sqlite']);
});

test('any JSON value under any key is recalled as its canonical form', async () => {
  const memory = open(temporaryFolder());
  const key = fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed());
  const json = fc.jsonValue().filter((value) => JSON.stringify(value).isWellFormed());
  await fc.assert(
    fc.asyncProperty(key, json, async (name, value) => {
      const kept: JsonValue = JSON.parse(JSON.stringify(value));
      let canonical: string;
      try {
        canonical = canonicalJson(kept);
      } catch {
        return fc.pre(false); // a lone surrogate, which no directive holds
      }
      resultOf(await memory.store(name, kept));
      const answer = resultOf(await memory.recall(name)) as { found: boolean; value: JsonValue };
      assert.equal(answer.found, true);
      assert.equal(canonicalJson(answer.value), canonical);
    }),
    { numRuns: 100 },
  );
});

test('the grant says which keys, and whether they may be changed', async () => {
  const base = temporaryFolder();
  resultOf(await open(base).store('notes/a', 1));
  const reader = open(base, { access: 'read', keys: ['notes/', 'x'] });
  assert.equal(reader.judge('MemRecall', 'notes/a'), undefined);
  assert.equal(reader.judge('MemRecall', 'note'), 'key-not-granted');
  assert.equal(reader.judge('MemStore', 'notes/a', 1), 'write-not-granted');
  assert.equal(reader.judge('MemForget', 'x'), 'write-not-granted');
  assert.deepEqual(resultOf(await reader.recall('notes/a')), { found: true, value: 1 });
  assert.equal(told(await reader.recall('other')), 'refused key-not-granted');
  assert.equal(told(await reader.forget('notes/a')), 'refused write-not-granted');
  assert.equal(open(base, { keys: [] }).judge('MemRecall', 'a'), 'key-not-granted');
});

test('keys and values have bounds, and so has the file', async () => {
  const base = temporaryFolder();
  const memory = open(base, { valueBytes: 20_000, totalBytes: 100_000 });
  assert.equal(memory.judge('MemStore', 'a'), 'parameter-refused');
  assert.equal(memory.judge('MemStore', 'a'.repeat(4_097), 1), 'too-large');
  assert.equal(memory.judge('MemStore', 'a', 'x'.repeat(19_999)), 'too-large');
  const outcomes: string[] = [];
  for (let i = 0; i < 8; i++) outcomes.push(told(await memory.store(`${i}`, '"'.repeat(9_000))));
  assert.equal(outcomes[0], 'performed');
  assert.equal(outcomes.at(-1), 'failed full');
  assert.ok(statSync(join(base, 'memory.sqlite')).size <= 100_000);
  assert.deepEqual(resultOf(await memory.forget('0')), { forgotten: true });
  assert.equal(told(await memory.store('8', '"'.repeat(9_000))), 'performed');
  const narrow = open(base, { valueBytes: 100 });
  assert.equal(told(await narrow.recall('8')), 'failed too-large');
});

test('what another program put in its place fails as data', async () => {
  const base = temporaryFolder();
  const db = createDbHandler(dbGrant.parse({ file: 'memory.sqlite', access: 'write' }), {
    base,
    scripts,
  });
  opened.push(db);
  const put = (query: string) => ask(db, { type: 'db_op', query, params: [] });
  const memory = open(base);
  resultOf(await memory.store('a', 1));
  for (const text of ["'{'", '\'{"a":1,"a":2}\'', "cast(x'ff' AS TEXT)", `'${'['.repeat(300)}'`]) {
    resultOf(await put(`UPDATE memory SET value = ${text}`));
    assert.equal(told(await memory.recall('a')), 'failed corrupt', text);
  }
  resultOf(await put('DROP TABLE memory'));
  resultOf(await put('CREATE TABLE memory (x)'));
  assert.equal(told(await memory.store('a', 1)), 'failed sql-error');
});

/** Starts a process that stores values under keys of its own, and one they all share. */
function start(folder: string, name: string, count: number) {
  const child = spawn(process.execPath, [program, folder, name, String(count)]);
  const output = collectOutput(child);
  return {
    child,
    stored: () => output.stdout().split('\n').slice(0, -1).map(Number),
    ended: once(child, 'close').then(() => assert.equal(output.stderr(), '')),
  };
}

describe('processes that use one file at once', () => {
  test('lose nothing of each other', async () => {
    const base = temporaryFolder();
    const all = ['a', 'b', 'c'].map((name) => start(base, name, 40));
    await Promise.all(all.map(({ ended }) => ended));
    const memory = open(base);
    for (const [i, name] of ['a', 'b', 'c'].entries()) {
      assert.equal(all[i]?.stored().length, 40);
      for (let n = 0; n < 40; n++) {
        assert.deepEqual(resultOf(await memory.recall(`${name}${n}`)), { found: true, value: n });
      }
    }
    assert.deepEqual(readdirSync(base), ['memory.sqlite']);
  });

  test('and are killed leave what they were told is stored, and a file that is whole', async () => {
    const base = temporaryFolder();
    for (let round = 0; round < 6; round++) {
      const doomed = start(base, `${round}-`, 1_000);
      const other = start(base, `other${round}-`, 10);
      await once(doomed.child.stdout, 'data');
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 40));
      doomed.child.kill('SIGKILL');
      await Promise.all([doomed.ended, other.ended]);
      assert.equal(other.stored().length, 10, 'a dead process holds nobody up');
      const memory = open(base);
      for (const n of doomed.stored()) {
        assert.deepEqual(resultOf(await memory.recall(`${round}-${n}`)), { found: true, value: n });
      }
      await memory.handler.close?.();
    }
    const db = createDbHandler(dbGrant.parse({ file: 'memory.sqlite' }), { base, scripts });
    opened.push(db);
    const query = 'PRAGMA integrity_check';
    const check = resultOf(await ask(db, { type: 'db_op', query, params: [] }));
    assert.deepEqual((check as { rows: JsonValue }).rows, [['ok']]);
  });

  test('are waited for, until the time is up', async () => {
    const base = temporaryFolder();
    resultOf(await open(base).store('a', 1));
    const holder = createDbHandler(
      dbGrant.parse({ file: 'memory.sqlite', access: 'write', timeoutMs: 60_000 }),
      { base, scripts },
    );
    opened.push(holder);
    const cancel = new AbortController();
    const query =
      'WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c';
    const held = ask(holder, { type: 'db_op', query, params: [] }, { signal: cancel.signal });
    const deadline = performance.now() + 20_000;
    while (!existsSync(join(base, 'memory.sqlite.lock')) && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    assert.equal(told(await open(base, { timeoutMs: 300 }).store('a', 2)), 'failed busy');
    cancel.abort();
    assert.equal(told(await held), 'failed cancelled');
    assert.deepEqual(resultOf(await open(base).recall('a')), { found: true, value: 1 });
  });
});
