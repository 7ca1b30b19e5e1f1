import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { appendOne, appendRun, makeReceipt } from './fixtures.ts';
import { openChain, temporaryFolder, validReceipts } from './store-harness.ts';

function lockedFolder(owner: object | string, path = 'call.lock'): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, path), typeof owner === 'string' ? owner : JSON.stringify(owner));
  return folder;
}

/** A process id that was in use and is no more. */
function deadPid(): number {
  const { pid } = spawnSync('true');
  assert.ok(pid !== undefined);
  return pid;
}

const host = hostname();

async function assertBroken(folder: string): Promise<void> {
  await appendRun(openChain(folder, 5_000), 0);
  assert.equal((await validReceipts(folder)).length, 1);
  assert.ok(!existsSync(join(folder, 'call.lock')));
}

test('the lock of a process that is gone is broken', async () => {
  await assertBroken(lockedFolder({ host, pid: deadPid(), started: null }));
});

test('the lock of a process whose pid another one has now is broken', {
  skip: process.platform !== 'linux',
}, async () => {
  await assertBroken(lockedFolder({ host, pid: process.pid, started: '1' }));
});

test('the lock of a process that has ended, and that its parent has not asked for, is broken', {
  skip: process.platform !== 'linux',
}, async (t) => {
  // By the time its child ends, the shell has become a program that asks for no child.
  const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  t.after(() => parent.kill('SIGKILL'));
  const [told] = await once(parent.stdout, 'data');
  const pid = Number(String(told));
  const deadline = Date.now() + 5_000;
  const state = () => / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
  while (state() !== 'Z' && Date.now() < deadline) await sleep(5);
  assert.equal(state(), 'Z');
  await assertBroken(lockedFolder({ host, pid, started: null }));
});

test('a lock left without an owner is broken once it is old', async () => {
  const folder = lockedFolder('');
  const past = new Date(Date.now() - 60_000);
  utimesSync(join(folder, 'call.lock'), past, past);
  await assertBroken(folder);
});

test('a lock left while a lock was being broken is broken too', async () => {
  const owner = { host, pid: deadPid(), started: null };
  const folder = lockedFolder(owner);
  writeFileSync(join(folder, 'call.lock.break'), JSON.stringify(owner));
  await assertBroken(folder);
});

test('the lock of a living process, or of another host, is waited for and then named', async () => {
  for (const owner of [
    { host, pid: process.pid, started: null },
    { host: 'elsewhere', pid: deadPid(), started: null },
  ]) {
    const folder = lockedFolder(owner);
    await assert.rejects(appendRun(openChain(folder, 60), 0), {
      code: 'unwritable',
      message: new RegExp(`^process ${owner.pid} on ${owner.host} holds .*call\\.lock; [^\\n]+$`),
    });
    assert.ok(existsSync(join(folder, 'call.lock')), 'the lock stays with its owner');
  }
});

test('a wait ends when the lock is released', async () => {
  const folder = temporaryFolder();
  const slow = appendOne(openChain(folder), async (tip) => {
    await sleep(100);
    return makeReceipt(tip, 0);
  });
  await sleep(20);
  await appendRun(openChain(folder, 5_000), 1);
  await slow;
  assert.equal((await validReceipts(folder)).length, 2);
});
