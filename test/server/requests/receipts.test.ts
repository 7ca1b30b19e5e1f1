import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CancellationTokenSource } from 'vscode-languageserver-protocol';
import { publicKeyPem } from '../../../engine/crypto/keys.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { makeTrustStore, serializeTrustStore } from '../../../engine/gate/trust-store.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { Receipts, type ReceiptsParams } from '../../../server/protocol.ts';
import { appendBatch, appendEach } from '../../engine/provenance/many.ts';
import { assertFails, connect, keyText, makeWorkspace, receiptKey } from './support.ts';

const FILE = '.touchstone/receipts/call.jsonl';

/** A workspace with a chain of `length` receipts that the client's key signed. */
async function recorded(t: TestContext, length: number) {
  const folder = makeWorkspace(t);
  const store = fileReceiptStore(nodeCrypto, folder.path('.touchstone/receipts'));
  const runs = Array.from({ length }, (_, n) => n);
  const half = runs.splice(0, length >> 1);
  if (half.length > 0) await appendEach(store.open('call'), half, receiptKey);
  if (runs.length > 0) await appendBatch(store.open('call'), runs, receiptKey);
  return { ...folder, folder: folder.uri(''), store };
}

const environment = keyText(receiptKey);

test('every chain has its verdict, and none its receipts', async (t) => {
  const { root, folder, store } = await recorded(t, 6);
  await appendEach(store.open('echo'), [1], receiptKey);
  const { connection } = await connect(t, [root]);
  const { chains } = await connection.sendRequest(Receipts, { folder, environment });
  assert.deepEqual(
    chains.map(({ detail, ...chain }) => chain),
    [
      { name: 'call', verdict: 'valid', holds: 6, length: 6 },
      { name: 'echo', verdict: 'valid', holds: 1, length: 1 },
    ],
  );
  assert.equal(chains[0]?.detail, 'receipts 0 to 5 hold');
});

test('a workspace without receipts has no chains, and a chain that is not there is empty', async (t) => {
  const folder = makeWorkspace(t);
  const { connection } = await connect(t, [folder.root]);
  const ask = (more: Partial<ReceiptsParams>) =>
    connection.sendRequest(Receipts, { folder: folder.uri(''), ...more });
  assert.deepEqual(await ask({}), { chains: [] });
  const { chains } = await ask({ chain: 'call' });
  assert.deepEqual(
    chains.map(({ verdict, length, receipts }) => [verdict, length, receipts]),
    [['empty', 0, []]],
  );
});

test('a chain is read page by page', async (t) => {
  const { root, folder, read } = await recorded(t, 1_205);
  const { connection } = await connect(t, [root]);
  const stored = Buffer.from(read(FILE))
    .toString()
    .trimEnd()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  const page = async (from?: number, count?: number) => {
    const { chains } = await connection.sendRequest(Receipts, {
      folder,
      environment,
      chain: 'call',
      ...(from !== undefined && { from }),
      ...(count !== undefined && { count }),
    });
    assert.deepEqual([chains[0]?.verdict, chains[0]?.length], ['valid', 1_205]);
    return chains[0]?.receipts;
  };
  assert.deepEqual(await page(), stored.slice(0, 1_000));
  assert.deepEqual(await page(1_000), stored.slice(1_000));
  assert.deepEqual(await page(7, 3), stored.slice(7, 10));
  assert.deepEqual(await page(5_000), []);
  assert.deepEqual(await page(0, 0), []);
});

test('a broken chain says where, and shows what is there all the same', async (t) => {
  const { root, folder, write, read } = await recorded(t, 6);
  const lines = Buffer.from(read(FILE)).toString().trimEnd().split('\n');
  const { connection } = await connect(t, [root]);
  const ask = async () => {
    const params = { folder, environment, chain: 'call' };
    const { chains } = await connection.sendRequest(Receipts, params);
    return chains[0];
  };
  write(FILE, `${lines.with(1, (lines[1] ?? '').replace('"ok"', '"error"')).join('\n')}\n`);
  const forged = await ask();
  assert.deepEqual(
    [forged?.verdict, forged?.epoch, forged?.holds, forged?.length, forged?.receipts?.length],
    ['invalid-signature', 1, 1, 6, 6],
  );
  write(FILE, `${lines.toSpliced(1, 1).join('\n')}\n`);
  const gap = await ask();
  assert.deepEqual([gap?.verdict, gap?.epoch, gap?.length], ['epoch-gap', 1, 5]);
  write(FILE, `${lines.slice(0, 2).join('\n')}\n`);
  const short = await ask();
  assert.deepEqual([short?.verdict, short?.epoch, short?.length], ['truncated', 2, 2]);
  write(FILE, `${lines[0]}\nno receipt\n`);
  assert.deepEqual((await ask())?.receipts?.[1], null);
});

test('a page ends with the receipt that makes it too large', async (t) => {
  const { root, folder, write } = await recorded(t, 1);
  const line = JSON.stringify({ text: 'x'.repeat(1_500_000) });
  write(FILE, `${[line, line, line, line, line].join('\n')}\n`);
  const { connection } = await connect(t, [root]);
  const sizeFrom = async (from: number) => {
    const params = { folder, environment, chain: 'call', from };
    const { chains } = await connection.sendRequest(Receipts, params);
    return [chains[0]?.receipts?.length, chains[0]?.length];
  };
  assert.deepEqual(await sizeFrom(0), [3, 5]);
  assert.deepEqual(await sizeFrom(3), [2, 5]);
});

test('a line without an end is as long as a receipt may be, and no longer in memory', async (t) => {
  const { root, folder, write } = await recorded(t, 1);
  write(FILE, encodeUtf8('x'.repeat(17_000_000)));
  const { connection } = await connect(t, [root]);
  const { chains } = await connection.sendRequest(Receipts, { folder, chain: 'call' });
  assert.deepEqual(
    [chains[0]?.verdict, chains[0]?.length, chains[0]?.receipts],
    ['invalid-signature', 1, [null]],
  );
});

test('only environments that count make a chain valid', async (t) => {
  const { root, folder, write } = await recorded(t, 2);
  const own = publicKeyPem(receiptKey.publicKey);
  const verdict = async (isTrusted: boolean, params: Partial<ReceiptsParams> = {}) => {
    const { connection } = await connect(t, [root], { isTrusted });
    const { chains } = await connection.sendRequest(Receipts, { folder, ...params });
    return chains[0]?.verdict;
  };
  assert.equal(await verdict(true), 'invalid-signature');
  assert.equal(await verdict(false, { environment }), 'valid');
  // What the workspace says of its environments counts where it is trusted.
  write('.touchstone/environment.pem.pub', own);
  assert.equal(await verdict(true), 'valid');
  assert.equal(await verdict(false), 'invalid-signature');
  const revoked = { key: receiptKey.publicKey, role: 'environment', revoked: 'lost' } as const;
  write('.touchstone/trust.json', serializeTrustStore(makeTrustStore([revoked])));
  assert.equal(await verdict(true, { environment }), 'invalid-signature');
});

test('receipts are read in the workspace only, and as they are asked for', async (t) => {
  const { root, folder } = await recorded(t, 1);
  const other = makeWorkspace(t);
  const { send } = await connect(t, [root]);
  await assertFails(
    send(Receipts, { folder: other.uri('') }),
    'outside-workspace',
    /lies in no folder of the workspace/,
  );
  for (const [more, problem] of [
    [{ chain: '../call' }, /chain: no chain can have that name/],
    [{ chain: 'call', count: 1_001 }, /count/],
    [{ chain: 'call', from: -1 }, /from/],
    [{ environment: 'AAAA' }, /environment/],
  ] as const) {
    await assertFails(send(Receipts, { folder, ...more }), 'invalid-params', problem);
  }
});

test('whoever stops asking is told so', async (t) => {
  const { root, folder } = await recorded(t, 4_000);
  const { connection } = await connect(t, [root]);
  const source = new CancellationTokenSource();
  const answer = connection.sendRequest(Receipts, { folder, environment }, source.token);
  // Not at once: a request that no handler has seen yet is answered by the connection itself.
  setTimeout(() => source.cancel(), 20);
  await assertFails(answer, 'cancelled', /^cancelled$/);
});
