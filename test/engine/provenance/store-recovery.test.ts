import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { appendRun, chainBytes, makeChain, tipOf } from './fixtures.ts';
import {
  chainFile,
  openChain,
  temporaryFolder,
  validReceipts,
  writeChain,
} from './store-harness.ts';

let receipts: readonly Receipt[];
let bytes: Uint8Array;

before(async () => {
  receipts = await makeChain(3);
  bytes = chainBytes(receipts);
});

function tipAt(epoch: number) {
  const receipt = receipts[epoch];
  assert.ok(receipt);
  return tipOf(receipt);
}

/** Bytes of the first `count` receipts. */
function lengthOf(count: number): number {
  return chainBytes(receipts.slice(0, count)).length;
}

/** To every byte near the ends of the line being written, to every fifth one elsewhere. */
function step(length: number, begun: number, end: number): number {
  return Math.min(Math.abs(length - begun), end - length) < 40 ? 1 : 5;
}

test('a chain cut at any byte is continued with all acknowledged receipts, or left alone', async () => {
  const folder = temporaryFolder();
  const begun = lengthOf(2);
  for (let length = 0; length <= bytes.length; length += step(length, begun, bytes.length)) {
    // Two receipts were acknowledged; the third was being written when it was cut.
    writeChain(folder, bytes.subarray(0, length), tipAt(1));
    if (length < begun) {
      await assert.rejects(appendRun(openChain(folder), 7), { code: 'invalid-receipt' });
      assert.equal(chainFile(folder).length, length, 'a damaged chain is not touched');
    } else {
      await appendRun(openChain(folder), 7);
      const after = await validReceipts(folder);
      assert.deepEqual(after.slice(0, 2), receipts.slice(0, 2));
      assert.equal(after.length, length === bytes.length ? 4 : 3);
    }
  }
});

test('the first receipt cut at any byte is begun anew', async () => {
  const folder = temporaryFolder();
  for (let length = 0; length <= lengthOf(1); length += 23) {
    writeChain(folder, bytes.subarray(0, length));
    await appendRun(openChain(folder), 7);
    assert.equal((await validReceipts(folder)).length, 1);
  }
});

test('a line that was cut short is kept beside the chain', async () => {
  const folder = temporaryFolder();
  writeChain(folder, bytes.subarray(0, bytes.length - 1), tipAt(1));
  await appendRun(openChain(folder), 7);
  const torn = bytes.subarray(lengthOf(2));
  assert.deepEqual(new Uint8Array(readFileSync(join(folder, 'call.torn'))), torn);
});

test('a tip file that is cut at any byte stops the chain and changes nothing', async () => {
  const folder = temporaryFolder();
  const tip = JSON.stringify(tipAt(2));
  for (let length = 0; length < tip.length; length++) {
    writeChain(folder, bytes, tip.slice(0, length));
    await assert.rejects(appendRun(openChain(folder), 7), { code: 'invalid-receipt' });
    await assert.rejects(openChain(folder).tip(), { code: 'invalid-receipt' });
    assert.deepEqual(chainFile(folder), bytes);
  }
});

test('a tip that is one receipt behind is advanced', async () => {
  const folder = temporaryFolder();
  for (const tip of [tipAt(1), tipAt(2)]) {
    writeChain(folder, bytes, tip);
    const { receipt } = await appendRun(openChain(folder), 7);
    assert.equal(receipt.epoch, 3);
    assert.deepEqual(await openChain(folder).tip(), tipOf(receipt));
  }
});

test('a tip that does not belong to the chain stops it', async () => {
  const folder = temporaryFolder();
  const [other] = await makeChain(1);
  assert.ok(other);
  const wrong = [
    undefined,
    tipAt(0),
    { ...tipAt(2), epoch: 1 },
    { ...tipAt(1), epoch: 2 },
    { ...tipAt(2), epoch: 3 },
    '{"epoch":2}',
    '[]',
  ];
  for (const tip of wrong) {
    writeChain(folder, bytes, tip);
    await assert.rejects(appendRun(openChain(folder), 7), (error: Error) => {
      assert.match(error.message, /^[^\n]+$/);
      return 'code' in error && error.code === 'invalid-receipt';
    });
    assert.deepEqual(chainFile(folder), bytes);
  }
});

test('a chain whose last line is no receipt is not continued', async () => {
  const folder = temporaryFolder();
  const damaged = bytes.slice();
  damaged[lengthOf(2) + 5] = 0;
  writeChain(folder, damaged, tipAt(1));
  await assert.rejects(appendRun(openChain(folder), 7), { code: 'invalid-receipt' });
  assert.deepEqual(chainFile(folder), damaged);
});

test('reading, listing and verifying change nothing', async () => {
  const folder = temporaryFolder();
  writeChain(folder, bytes, tipAt(1));
  await validReceipts(folder);
  assert.deepEqual(readdirSync(folder).sort(), ['call.jsonl', 'call.tip.json']);
  assert.deepEqual(chainFile(folder), bytes);
  const absent = join(folder, 'absent');
  assert.equal(await openChain(absent).tip(), undefined);
  assert.ok(!existsSync(absent));
});
