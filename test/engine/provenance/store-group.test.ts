import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import type { ChainTip } from '../../../engine/provenance/types.ts';
import { appendOne, appendRun, crypto, makeReceipt, readAll, tipOf } from './fixtures.ts';
import { appendBatch, appendEach } from './many.ts';
import {
  chainFile,
  openChain,
  temporaryFolder,
  validReceipts,
  writeChain,
} from './store-harness.ts';

const RUNS = [10, 11, 12, 13, 14];

test('appends that wait go together, in order, each acknowledged with its own place', async () => {
  const folder = temporaryFolder();
  const chain = openChain(folder);
  const appended = await Promise.all(Array.from({ length: 100 }, (_, n) => appendRun(chain, n)));
  assert.deepEqual(
    appended.map(({ tip }) => tip.epoch),
    [...appended.keys()],
  );
  const receipts = await validReceipts(folder);
  assert.deepEqual(
    receipts.map(tipOf),
    appended.map(({ tip }) => tip),
  );
});

test('what one of those who wait throws is its own affair', async () => {
  for (const chain of [openChain(temporaryFolder()), memoryReceiptStore().open('call')]) {
    const results = await Promise.allSettled([
      appendRun(chain, 0),
      chain.append(() => Promise.reject(new Error('the key is locked'))),
      appendBatch(chain, RUNS),
      appendOne(chain, () => makeReceipt(undefined, 3)),
      appendRun(chain, 4),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled'],
    );
    const { length } = new TextDecoder()
      .decode(await readAll(chain))
      .trimEnd()
      .split('\n');
    assert.equal(length, 7);
    assert.equal((await chain.tip())?.epoch, 6);
  }
});

test('nobody is acknowledged before the write, and all are told when it fails', async () => {
  const folder = temporaryFolder();
  const chain = openChain(folder);
  await appendRun(chain, 0);
  rmSync(join(folder, 'call.jsonl')); // the chain is damaged now
  const results = await Promise.allSettled([1, 2, 3].map((n) => appendRun(chain, n)));
  for (const result of results) {
    assert.ok(result.status === 'rejected');
    assert.equal(result.reason.code, 'invalid-receipt');
  }
});

test('appending nothing changes nothing', async () => {
  const folder = temporaryFolder();
  const chain = openChain(folder);
  assert.deepEqual(await chain.append(() => []), []);
  await appendRun(chain, 0);
  const before = chainFile(folder);
  assert.deepEqual(await chain.append(() => []), []);
  assert.deepEqual(chainFile(folder), before);
});

/** What stands before a group, the group, and the tips on both sides of it. */
async function group(append: typeof appendBatch) {
  const folder = temporaryFolder();
  const chain = openChain(folder);
  for (const n of [0, 1]) await appendRun(chain, n);
  const before = chainFile(folder);
  const recorded = await chain.tip();
  await append(chain, RUNS);
  const prepared = await chain.tip();
  assert.ok(recorded && prepared);
  return { before, bytes: chainFile(folder), recorded, prepared };
}

/** The chain as a crash leaves it that cut the group's write after `length` bytes. */
function crashed(bytes: Uint8Array, length: number, recorded?: ChainTip, prepared?: ChainTip) {
  const folder = temporaryFolder();
  writeChain(folder, bytes.subarray(0, length), recorded);
  if (prepared) writeFileSync(join(folder, 'call.tip.json.new'), JSON.stringify(prepared));
  return folder;
}

/** To every byte near the ends of lines, to every 29th elsewhere. */
function* cuts(bytes: Uint8Array, from: number) {
  for (let length = from; length <= bytes.length; length++) {
    const isNearEnd = bytes.subarray(Math.max(0, length - 2), length + 2).includes(0x0a);
    if (isNearEnd || length % 29 === 0) yield length;
  }
}

test('a group cut at any byte leaves its first receipts, and no part of a line', async () => {
  const { before, bytes, recorded, prepared } = await group(appendEach);
  for (const length of cuts(bytes, before.length)) {
    const folder = crashed(bytes, length, recorded, prepared);
    const lines = new TextDecoder().decode(bytes.subarray(0, length)).split('\n').length - 1;
    await appendRun(openChain(folder), 99);
    assert.equal((await validReceipts(folder)).length, lines + 1);
  }
});

test('a batch cut at any byte leaves nothing of it, and what is left is kept beside', async () => {
  const { before, bytes, recorded, prepared } = await group(appendBatch);
  for (const length of cuts(bytes, before.length)) {
    const folder = crashed(bytes, length, recorded, prepared);
    await appendRun(openChain(folder), 99);
    const isWhole = length === bytes.length;
    assert.equal((await validReceipts(folder)).length, isWhole ? 8 : 3);
    const torn = join(folder, 'call.torn');
    const rest = bytes.subarray(before.length, length);
    assert.equal(existsSync(torn), !isWhole && rest.length > 0);
    if (existsSync(torn)) {
      assert.deepEqual(new Uint8Array(readFileSync(torn)).subarray(0, rest.length), rest);
    }
  }
});

test('the first group of a chain cut at any byte is begun anew, or counted', async () => {
  const source = temporaryFolder();
  await appendBatch(openChain(source), RUNS);
  const bytes = chainFile(source);
  const prepared = await openChain(source).tip();
  for (const length of cuts(bytes, 0)) {
    const folder = crashed(bytes, length, undefined, prepared);
    await appendRun(openChain(folder), 99);
    assert.equal((await validReceipts(folder)).length, length === bytes.length ? 6 : 1);
  }
});

test('lines beyond the tip that no commit announced, or that do not follow it, stop the chain', async () => {
  const { bytes, recorded, prepared } = await group(appendEach);
  const lines = new TextDecoder().decode(bytes).split('\n');
  const without = new TextEncoder().encode(lines.toSpliced(3, 1).join('\n'));
  const cases: readonly (readonly [Uint8Array, ChainTip | undefined])[] = [
    [bytes, undefined],
    [bytes, { ...prepared, epoch: recorded.epoch + 3 }],
    [without, prepared],
  ];
  for (const [data, announced] of cases) {
    const folder = crashed(data, data.length, recorded, announced);
    await assert.rejects(appendRun(openChain(folder), 99), { code: 'invalid-receipt' });
    assert.deepEqual(chainFile(folder), data);
  }
});

test('a chain whose tip is of a batch without an end is not continued', async () => {
  const { bytes } = await group(appendBatch);
  const text = new TextDecoder().decode(bytes).split('\n').slice(0, 4);
  const last = new TextEncoder().encode(text.at(-1));
  const folder = crashed(new TextEncoder().encode(`${text.join('\n')}\n`), 1e9, {
    epoch: 3,
    hash: crypto.sha256(last),
  });
  await assert.rejects(appendRun(openChain(folder), 99), {
    code: 'invalid-receipt',
    message: /its last receipt is of a batch without a signature/,
  });
});

test('groups of several processes that wait for each other make one chain', async () => {
  const folder = temporaryFolder();
  const chains = [openChain(folder), openChain(folder)];
  await Promise.all(
    chains.flatMap((chain, i) =>
      Array.from({ length: 8 }, async (_, n) => {
        await sleep(n * 3);
        await (n % 2 === 0 ? appendBatch : appendEach)(chain, [100 * i + n, 100 * i + n + 50]);
      }),
    ),
  );
  assert.equal((await validReceipts(folder)).length, 32);
});
