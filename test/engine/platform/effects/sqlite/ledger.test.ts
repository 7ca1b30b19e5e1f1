import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sha256 } from '../../../../../engine/crypto/crypto.ts';
import { InputError } from '../../../../../engine/encoding/input-error.ts';
import {
  type EffectLedger,
  MAX_OUTCOME_BYTES,
  memoryLedger,
} from '../../../../../engine/governance/ledger.ts';
import { fileLedger } from '../../../../../engine/platform/node/effects/sqlite/ledger.ts';
import type { SqliteScripts } from '../../../../../engine/platform/node/effects/sqlite/scripts.ts';
import { collectOutput } from '../../../../support/child-output.ts';
import { packageOf, temporaryFolder } from './support.ts';

let scripts: SqliteScripts;
let program: string;
before(async () => {
  const built = await packageOf({ program: 'ledger-program.ts' });
  scripts = built.scripts;
  program = join(built.folder, 'program.js');
});

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex') as Sha256;
const KEY = sha256('key');
const HASH = sha256('directive');
const isInputError = (code: string) => (error: unknown) =>
  error instanceof InputError && error.code === code && !error.message.includes('\n');

const KINDS: readonly (readonly [string, () => EffectLedger])[] = [
  ['in memory', memoryLedger],
  ['in a file', () => fileLedger(join(temporaryFolder(), 'deep', 'ledger'), { scripts })],
];

for (const [kind, open] of KINDS) {
  describe(`a ledger ${kind}`, () => {
    test('knows what came of an effect that was finished', async () => {
      const ledger = open();
      assert.deepEqual(await ledger.begin(KEY, HASH), { state: 'new' });
      assert.deepEqual(await ledger.begin(KEY, HASH), { state: 'running' });
      const outcome = { result: { a: [null, 'x\0', '𝒳'] } };
      await ledger.finish(KEY, outcome);
      assert.deepEqual(await ledger.begin(KEY, HASH), { state: 'done', outcome });
      assert.deepEqual(await ledger.begin(KEY, sha256('another')), { state: 'other' });
      const failure = { code: 'timeout', message: 'it took too long' };
      await ledger.begin(sha256('b'), HASH);
      await ledger.finish(sha256('b'), failure);
      assert.deepEqual(await ledger.begin(sha256('b'), HASH), { state: 'done', outcome: failure });
      await ledger.close();
    });

    test('forgets an effect of which nothing was done, and takes no other end', async () => {
      const ledger = open();
      await ledger.begin(KEY, HASH);
      await ledger.abandon(KEY);
      assert.deepEqual(await ledger.begin(KEY, sha256('another')), { state: 'new' });
      await ledger.finish(KEY, { result: null });
      await assert.rejects(ledger.abandon(KEY), isInputError('unwritable'));
      await assert.rejects(ledger.finish(KEY, { result: 1 }), isInputError('unwritable'));
      await assert.rejects(ledger.finish(sha256('x'), { result: 1 }), isInputError('unwritable'));
      const done = { state: 'done', outcome: { result: null } };
      assert.deepEqual(await ledger.begin(KEY, sha256('another')), done);
      await ledger.close();
    });

    test('keeps outcomes of up to 1 MiB; one with more leaves the effect unfinished', async () => {
      const ledger = open();
      const outcome = { result: '"'.repeat((MAX_OUTCOME_BYTES - '{"result":""}'.length) / 2) };
      await ledger.begin(KEY, HASH);
      await ledger.finish(KEY, outcome);
      assert.deepEqual(await ledger.begin(KEY, HASH), { state: 'done', outcome });
      await ledger.begin(sha256('b'), HASH);
      const larger = { result: `${outcome.result}""` };
      await assert.rejects(ledger.finish(sha256('b'), larger), isInputError('too-large'));
      assert.deepEqual(await ledger.begin(sha256('b'), HASH), { state: 'unfinished' });
      await ledger.close();
    });

    test('takes nothing but 64 hex digits for a key', async () => {
      const ledger = open();
      for (const key of ['', 'a'.repeat(63), 'A'.repeat(64), `${KEY}\n`]) {
        await assert.rejects(ledger.begin(key, HASH), RangeError);
        await assert.rejects(ledger.finish(key, { result: 1 }), RangeError);
        await assert.rejects(ledger.abandon(key), RangeError);
      }
      await ledger.close();
    });
  });
}

describe('a ledger in a file', () => {
  test('that is closed leaves what was under way unfinished, for all', async () => {
    const path = join(temporaryFolder(), 'ledger');
    const [first, second] = [fileLedger(path, { scripts }), fileLedger(path, { scripts })];
    await first.begin(KEY, HASH);
    assert.deepEqual(await second.begin(KEY, HASH), { state: 'running' });
    await first.close();
    assert.deepEqual(await second.begin(KEY, HASH), { state: 'unfinished' });
    await second.finish(KEY, { result: 1 });
    await second.close();
    const third = fileLedger(path, { scripts });
    assert.deepEqual(await third.begin(KEY, HASH), { state: 'done', outcome: { result: 1 } });
    await third.close();
    assert.equal(statSync(path).mode & 0o077, 0, 'others may not read it');
  });

  test('forgets the oldest finished effects, never one that is not finished', async () => {
    const ledger = fileLedger(join(temporaryFolder(), 'ledger'), { scripts, entries: 5 });
    const key = (n: number) => sha256(`${n}`);
    for (let n = 0; n < 10; n++) {
      await ledger.begin(key(n), HASH);
      if (n !== 1) await ledger.finish(key(n), { result: n });
    }
    for (let n = 5; n < 10; n++) assert.equal((await ledger.begin(key(n), HASH)).state, 'done');
    assert.equal((await ledger.begin(key(1), HASH)).state, 'running');
    assert.equal((await ledger.begin(key(4), HASH)).state, 'new');
    await ledger.close();
  });

  test('that is full makes room by what is oldest', async () => {
    const path = join(temporaryFolder(), 'ledger');
    const ledger = fileLedger(path, { scripts, fileBytes: 400_000 });
    const result = 'x'.repeat(50_000);
    for (let n = 0; n < 30; n++) {
      assert.equal((await ledger.begin(sha256(`${n}`), HASH)).state, 'new');
      await ledger.finish(sha256(`${n}`), { result });
    }
    assert.ok(statSync(path).size <= 400_000);
    assert.equal((await ledger.begin(sha256('29'), HASH)).state, 'done');
    await ledger.begin(KEY, HASH);
    const huge = { result: 'x'.repeat(500_000) };
    await assert.rejects(ledger.finish(KEY, huge), isInputError('unwritable'));
    await ledger.close();
  });

  test('that cannot be used says so, and lets nothing begin', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'text'), 'no database\n'.repeat(1_000));
    for (const path of [folder, join(folder, 'text'), join(folder, 'text', 'ledger')]) {
      const ledger = fileLedger(path, { scripts });
      await assert.rejects(ledger.begin(KEY, HASH), isInputError('unwritable'));
      await ledger.close();
    }
  });

  test('whose process is killed at any moment lets no effect happen twice, and loses no outcome', async () => {
    const folder = temporaryFolder();
    const finished = new Set<number>();
    const started = new Set<number>();
    const unfinished = new Set<number>();
    let kills = 0;
    const runOnce = async (doom?: 'at any time' | 'in an effect') => {
      const child = spawn(process.execPath, [program, folder, '400']);
      const output = collectOutput(child);
      const ended = once(child, 'close');
      await Promise.race([once(child.stdout, 'data'), ended]);
      // At any moment, and on a machine that is slow too: one just after an effect has begun.
      if (doom === 'at any time') await sleep(Math.random() * 150);
      if (doom === 'in an effect') {
        const hasBegun = () => output.stdout().includes('new ');
        while (!hasBegun() && child.exitCode === null) await sleep(1);
      }
      if (doom !== undefined) child.kill('SIGKILL');
      const [, signal] = await ended;
      if (signal === 'SIGKILL') kills++;
      assert.equal(output.stderr(), '');
      for (const line of output.stdout().split('\n').slice(1, -1)) {
        const [state = '', digits = ''] = line.split(' ');
        const n = Number(digits);
        if (state === 'new') assert.ok(!started.has(n), `${n} began twice`);
        else if (state === 'finished') assert.ok(started.has(n));
        else assert.ok(state === 'done' || state === 'unfinished', line);
        if (finished.has(n)) assert.equal(state, 'done', line);
        if (unfinished.has(n)) assert.equal(state, 'unfinished', line);
        if (state === 'new') started.add(n);
        if (state === 'finished' || state === 'done') finished.add(n);
        if (state === 'unfinished') unfinished.add(n);
      }
    };
    for (let round = 0; round < 50; round++) {
      await runOnce(round % 2 === 0 ? 'at any time' : 'in an effect');
    }
    assert.ok(kills >= 40 && unfinished.size > 0, `${kills} kills, ${unfinished.size} unfinished`);

    const effects = readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n').map(Number);
    assert.equal(new Set(effects).size, effects.length, 'an effect happened twice');
    const ledger = fileLedger(join(folder, 'ledger.sqlite'), { scripts });
    for (const n of new Set([...effects, ...started])) {
      const entry = await ledger.begin(sha256(`${n}`), sha256(`directive ${n}`));
      if (finished.has(n)) {
        assert.deepEqual(entry, { state: 'done', outcome: { result: { n } } });
      } else {
        assert.match(entry.state, /^(done|unfinished)$/);
      }
    }
    await ledger.close();
    assert.ok(!readdirSync(folder).includes('ledger.sqlite.lock'));
  });

  test('that two processes share lets each effect happen once', async () => {
    const folder = temporaryFolder();
    const children = [1, 2].map(() => spawn(process.execPath, [program, folder, '60']));
    const outputs = children.map(collectOutput);
    await Promise.all(children.map((child) => once(child, 'close')));
    for (const output of outputs) assert.equal(output.stderr(), '');
    const effects = readFileSync(join(folder, 'effects'), 'utf8').trim().split('\n').map(Number);
    assert.deepEqual(
      effects.sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, n) => n),
    );
  });
});
