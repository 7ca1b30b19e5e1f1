import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { collectOutput } from '../../support/child-output.ts';
import { appendRun } from './fixtures.ts';
import {
  assertHolds,
  bundleAppender,
  openChain,
  temporaryFolder,
  validReceipts,
} from './store-harness.ts';

let appender: string;

before(async () => {
  appender = await bundleAppender();
});

interface Appending {
  /** Tips acknowledged so far, `epoch hash`; the last may be cut short by a kill. */
  readonly acknowledged: () => string[];
  readonly stderr: () => string;
  readonly started: Promise<unknown>;
  readonly ended: Promise<unknown>;
  readonly kill: () => void;
}

function startAppender(folder: string, first: number, count = Number.POSITIVE_INFINITY): Appending {
  const child = spawn(process.execPath, [appender, folder, String(first), String(count)]);
  const output = collectOutput(child);
  return {
    acknowledged: () => output.stdout().split('\n').slice(0, -1),
    stderr: output.stderr,
    started: Promise.race([once(child.stdout, 'data'), once(child, 'close')]),
    ended: once(child, 'close'),
    kill: () => child.kill('SIGKILL'),
  };
}

async function killRepeatedly(rounds: number): Promise<void> {
  const folder = temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const appending = startAppender(folder, round * 1_000);
    await appending.started;
    await sleep(Math.random() * 40);
    appending.kill();
    await appending.ended;
    assert.equal(appending.stderr(), '');
    acknowledged.push(...appending.acknowledged());
  }
  assert.ok(acknowledged.length >= rounds);
  assertHolds(await validReceipts(folder), acknowledged);
  await appendRun(openChain(folder), 7);
  assert.ok((await validReceipts(folder)).length > acknowledged.length);
}

test('30 kills at random times lose no acknowledged receipt', async () => {
  await Promise.all([killRepeatedly(10), killRepeatedly(10), killRepeatedly(10)]);
});

test('a kill of one of two processes lets the other go on, and loses nothing', async () => {
  const folder = temporaryFolder();
  const acknowledged: string[] = [];
  for (let round = 0; round < 4; round++) {
    const doomed = startAppender(folder, round * 10_000);
    await doomed.started;
    const other = startAppender(folder, round * 10_000 + 5_000, 20);
    await Promise.race([other.started, sleep(200)]);
    await sleep(Math.random() * 20);
    doomed.kill();
    await Promise.all([doomed.ended, other.ended]);
    assert.equal(other.stderr(), '');
    assert.equal(other.acknowledged().length, 20);
    acknowledged.push(...doomed.acknowledged(), ...other.acknowledged());
  }
  assert.equal(new Set(acknowledged).size, acknowledged.length);
  assertHolds(await validReceipts(folder), acknowledged);
});

test('three processes that append at once make one chain', async () => {
  const folder = temporaryFolder();
  const all = [0, 1, 2].map((i) => startAppender(folder, i * 1_000, 30));
  await Promise.all(all.map(({ ended }) => ended));
  for (const { stderr, acknowledged } of all) {
    assert.equal(stderr(), '');
    assert.equal(acknowledged().length, 30);
  }
  const receipts = await validReceipts(folder);
  assert.equal(receipts.length, 90);
  assertHolds(
    receipts,
    all.flatMap(({ acknowledged }) => acknowledged()),
  );
});
