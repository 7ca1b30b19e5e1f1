import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import {
  appendOne,
  appendRun,
  chainBytes,
  crypto,
  makeChain,
  makeReceipt,
  readAll,
  TRUST,
  tipOf,
} from './fixtures.ts';
import { temporaryFolder } from './store-harness.ts';

const STORES = [
  ['memory', () => memoryReceiptStore()],
  ['file', () => fileReceiptStore(crypto, join(temporaryFolder(), 'receipts'))],
] as const;

for (const [kind, makeStore] of STORES) {
  test(`${kind}: appended receipts are read back as the chain file`, async () => {
    const chain = makeStore().open('call');
    assert.equal((await readAll(chain)).length, 0);
    assert.equal(await chain.tip(), undefined);
    const expected = await makeChain(3);
    for (let n = 0; n < 3; n++) {
      const { receipt, tip } = await appendRun(chain, n);
      assert.deepEqual(receipt, expected[n]);
      assert.deepEqual(tip, tipOf(receipt));
      assert.deepEqual(await chain.tip(), tip);
    }
    assert.deepEqual(await readAll(chain), chainBytes(expected));
    assert.equal((await verifyStoredChain(crypto, chain, TRUST)).verdict, 'valid');
  });

  test(`${kind}: appends at once queue, and each is given the tip before it`, async () => {
    const chain = makeStore().open('call');
    const appended = await Promise.all([...Array(20).keys()].map((n) => appendRun(chain, n)));
    assert.deepEqual(
      appended.map(({ tip }) => tip.epoch),
      [...Array(20).keys()],
    );
    const verdict = await verifyStoredChain(crypto, chain, TRUST);
    assert.equal(verdict.holds, 20);
  });

  test(`${kind}: an error while the receipt is made is passed on, and nothing is written`, async () => {
    const chain = makeStore().open('call');
    await appendRun(chain, 0);
    const before = await readAll(chain);
    const failure = Object.assign(new Error('no key'), { code: 'ENOENT' });
    await assert.rejects(
      chain.append(() => Promise.reject(failure)),
      (error) => error === failure,
    );
    assert.deepEqual(await readAll(chain), before);
    await appendRun(chain, 1);
  });

  test(`${kind}: a receipt that does not follow the tip, or no reader takes, is refused`, async () => {
    const chain = makeStore().open('call');
    const { receipt, tip } = await appendRun(chain, 0);
    const wrong = [
      receipt,
      await makeReceipt(undefined, 1),
      await makeReceipt({ ...tip, epoch: 1 }, 1),
      { ...(await makeReceipt(tip, 1)), prevHash: receipt.inputHash },
      { ...(await makeReceipt(tip, 1)), fuel: { limit: 1.5, used: null } },
    ];
    for (const bad of wrong) {
      await assert.rejects(
        appendOne(chain, () => bad),
        { code: 'invalid-receipt' },
      );
    }
    assert.deepEqual(await chain.tip(), tip);
  });

  test(`${kind}: a name that could leave the folder is refused`, () => {
    const store = makeStore();
    const names = [
      '',
      '.',
      '..',
      '../call',
      'a/b',
      'a\\b',
      '-a',
      '.hidden',
      'Call',
      'a\n',
      'ä',
      'a'.repeat(65),
    ];
    for (const name of names) assert.throws(() => store.open(name), { code: 'usage' });
    for (const name of ['a', '0', 'a.b-c_d', 'a'.repeat(64)])
      assert.equal(store.open(name).name, name);
  });

  test(`${kind}: chains are listed by name and kept apart`, async () => {
    const store = makeStore();
    assert.deepEqual(await store.list(), []);
    for (const name of ['reason', 'call']) await appendRun(store.open(name), 0);
    store.open('absent');
    assert.deepEqual(await store.list(), ['call', 'reason']);
    assert.equal((await store.open('call').tip())?.epoch, 0);
  });
}

test('file: a chain that was deleted is listed, and is truncated', async () => {
  const folder = temporaryFolder();
  const store = fileReceiptStore(crypto, folder);
  await appendRun(store.open('call'), 0);
  rmSync(join(folder, 'call.jsonl'));
  assert.deepEqual(await store.list(), ['call']);
  const verdict = await verifyStoredChain(crypto, store.open('call'), TRUST);
  assert.equal(verdict.verdict, 'truncated');
  await assert.rejects(appendRun(store.open('call'), 1), { code: 'invalid-receipt' });
});
