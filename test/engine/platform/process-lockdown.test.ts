import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runInNewContext } from 'node:vm';
import { answerOf, ask, echoHost, poolOf } from './process-support.ts';

test('what a host runs finds the language, and no name that leads to the system', async () => {
  const pool = await poolOf(echoHost);
  const names = new Set<string>(JSON.parse(answerOf(await ask(pool, 'globals'))));
  for (const kept of ['Object', 'WebAssembly', 'TextDecoder', 'globalThis']) {
    assert.ok(names.has(kept), kept);
  }
  for (const lost of Object.getOwnPropertyNames(globalThis)) {
    if (names.has(lost)) assert.ok(isOfLanguage(lost), lost);
  }
  for (const lost of ['process', 'require', 'Buffer', 'fetch', 'setTimeout', 'performance']) {
    assert.ok(!names.has(lost), lost);
  }
  assert.equal(answerOf(await ask(pool, 'process')), '[]');
  await pool.close();
});

/** Whether a realm that has nothing of Node in it has the name as well. */
function isOfLanguage(name: string): boolean {
  return LANGUAGE.has(name) || ['TextDecoder', 'TextEncoder'].includes(name);
}

const LANGUAGE = new Set<string>(
  runInNewContext('Object.getOwnPropertyNames(globalThis)', Object.create(null)),
);
