import assert from 'node:assert/strict';
import { createPublicKey, verify } from 'node:crypto';
import { before, test } from 'node:test';
import fc from 'fast-check';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { publicKeyPem, signerFromSeed } from '../../../engine/crypto/keys.ts';
import { buildContent } from '../../../engine/provenance/build.ts';
import { createChainVerifier, verifyChain } from '../../../engine/provenance/chain.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { writeReceipts } from '../../../engine/provenance/record.ts';
import type { ReceiptChain } from '../../../engine/provenance/store.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import {
  chainBytes,
  crypto,
  ENVIRONMENT,
  facts,
  readAll,
  signer,
  TRUST,
  tipOf,
} from './fixtures.ts';
import { appendBatch, appendEach } from './many.ts';

/** Singles and batches of 1, 2, 3 and 7, mixed. */
let chain: ReceiptChain;
let bytes: Uint8Array;
let receipts: Receipt[];

before(async () => {
  chain = memoryReceiptStore().open('call');
  await appendEach(chain, [0]);
  await appendBatch(chain, [1]);
  await appendBatch(chain, [2, 3]);
  await appendEach(chain, [4, 5]);
  await appendBatch(chain, [6, 7, 8]);
  await appendBatch(chain, [9, 10, 11, 12, 13, 14, 15]);
  bytes = await readAll(chain);
  receipts = [];
  assert.equal(
    verifyChain(crypto, bytes, TRUST, { onReceipt: (r) => receipts.push(r) }).verdict,
    'valid',
  );
});

const verdictOf = (data: Uint8Array | readonly Receipt[]) =>
  verifyChain(crypto, data instanceof Uint8Array ? data : chainBytes(data), TRUST);

function brief(data: Uint8Array | readonly Receipt[]): string {
  const verdict = verdictOf(data);
  assert.doesNotMatch(verdict.detail, /\n/);
  const at = 'epoch' in verdict ? ` at ${verdict.epoch}` : '';
  return `${verdict.verdict}${at}, ${verdict.holds} hold`;
}

test('batches and single receipts make one chain', () => {
  assert.deepEqual(
    receipts.map(({ epoch }) => epoch),
    Array.from({ length: 16 }, (_, epoch) => epoch),
  );
  assert.equal(brief(bytes), 'valid, 16 hold');
  assert.deepEqual(receipts.map(({ format }) => format.at(-1)).join(''), '1222112222222222');
});

test('the signature of a batch is over the domain tag and the canonical head, for any Ed25519 tool', () => {
  const [first, last] = [receipts[6], receipts[8]];
  assert.ok(first && last?.format === 'receipt/2' && 'root' in last.batch);
  const head = `{"count":3,"epoch":6,"executor":"call@1.0.0","format":"receipt-batch/1","prevHash":"${first.prevHash}","root":"${last.batch.root}","signer":"${first.signer}"}`;
  const message = Buffer.from(`touchstone/receipt-batch/1\n${head}`);
  const key = createPublicKey(publicKeyPem(ENVIRONMENT.publicKey));
  assert.ok(verify(null, message, key, Buffer.from(last.batch.signature, 'base64')));
});

test('equal runs in equal groups give equal bytes', async () => {
  const again = memoryReceiptStore().open('call');
  await appendEach(again, [0]);
  await appendBatch(again, [1]);
  assert.deepEqual(await readAll(again), bytes.subarray(0, (await readAll(again)).length));
});

test('a chain cut at the end of a line is valid there only where no batch is open', () => {
  const ends = [0, 1, 3, 4, 5, 8, 15];
  for (let epoch = 0; epoch < 16; epoch++) {
    const holds = (ends.findLast((end) => end <= epoch) ?? -1) + 1;
    const expected = ends.includes(epoch)
      ? `valid, ${epoch + 1} hold`
      : `truncated at ${epoch + 1}, ${holds} hold`;
    assert.equal(brief(receipts.slice(0, epoch + 1)), expected);
  }
});

test('nothing of a batch holds, and nothing is handed on, before its end has verified', () => {
  const seen: number[] = [];
  const verifier = createChainVerifier(crypto, TRUST, {
    onReceipt: ({ epoch }) => seen.push(epoch),
  });
  for (const receipt of receipts) {
    verifier.write(chainBytes([receipt]));
    if (receipt.epoch === 11) assert.equal(seen.length, 9);
  }
  assert.equal(seen.length, 16);
});

test('a receipt of a batch that is changed, missing, repeated, moved or added: nothing of it holds', () => {
  const at = (epoch: number): Receipt => {
    const receipt = receipts[epoch];
    assert.ok(receipt);
    return receipt;
  };
  const changed = receipts.with(10, { ...at(10), status: 'error' });
  assert.equal(brief(changed), 'invalid-signature at 9, 9 hold');
  assert.equal(brief(receipts.toSpliced(10, 1)), 'invalid-signature at 9, 9 hold');
  assert.equal(brief(receipts.toSpliced(15, 1)), 'truncated at 15, 9 hold');
  assert.equal(brief(receipts.toSpliced(10, 0, at(10))), 'invalid-signature at 9, 9 hold');
  const swapped = receipts.with(10, at(11)).with(11, at(10));
  assert.equal(brief(swapped), 'invalid-signature at 9, 9 hold');
  assert.equal(brief(receipts.toSpliced(8, 1)), 'invalid-signature at 6, 6 hold');
  assert.equal(brief([...receipts, at(3)]), 'invalid-signature at 16, 16 hold');
  const single = { ...at(4), epoch: 10 } as Receipt;
  assert.equal(brief(receipts.toSpliced(10, 0, single)), 'invalid-signature at 9, 9 hold');
});

test('a batch that is missing, repeated or moved is seen by its places', () => {
  const batch = receipts.slice(6, 9);
  assert.equal(verdictOf(receipts.toSpliced(6, 3)).verdict, 'epoch-gap');
  assert.equal(verdictOf(receipts.toSpliced(6, 0, ...batch)).verdict, 'epoch-gap');
  assert.equal(verdictOf(receipts.slice(6)).verdict, 'truncated');
});

test('a batch that another environment signs is not believed; nor is one of two executors', async () => {
  const makes = [0, 1, 2].map(
    (n) => (tip: Parameters<typeof buildContent>[2]) =>
      buildContent(
        crypto,
        facts(n, { executor: `call@${n > 1 ? 2 : 1}` }),
        tip,
        ENVIRONMENT.publicKey.keyId,
      ),
  );
  const mixed = await writeReceipts(crypto, 'batch', makes, undefined, ENVIRONMENT);
  assert.equal(brief(mixed.map(({ receipt }) => receipt)), 'invalid-signature at 0, 0 hold');
  const store = memoryReceiptStore().open('call');
  await assert.rejects(
    store.append(() => mixed),
    { code: 'invalid-receipt' },
  );
  const stranger = memoryReceiptStore().open('call');
  await appendBatch(stranger, [1, 2], signer(9));
  assert.equal(brief(await readAll(stranger)), 'invalid-signature at 0, 0 hold');
});

test('a chain does not take a batch without its end, a part of one, or one that does not follow', async () => {
  const tip = tipOf(receipts[15] as Receipt);
  const written = await writeReceipts(
    crypto,
    'batch',
    [0, 1, 2].map((n) => (at) => buildContent(crypto, facts(n), at, ENVIRONMENT.publicKey.keyId)),
    tip,
    ENVIRONMENT,
  );
  for (const part of [written.slice(0, 2), written.slice(1), written.toReversed()]) {
    await assert.rejects(
      chain.append(() => part),
      { code: 'invalid-receipt' },
    );
  }
  assert.deepEqual(await readAll(chain), bytes);
});

test('no flipped byte of a batch leaves the chain valid: every byte of the last seven receipts', () => {
  const start = chainBytes(receipts.slice(0, 9)).length;
  for (let i = start; i < bytes.length; i++) {
    const flipped = bytes.slice();
    flipped[i] = (bytes[i] ?? 0) ^ (1 << (i % 8));
    assert.notEqual(verdictOf(flipped).verdict, 'valid', `byte ${i}`);
  }
});

test('no deleted, repeated or swapped line leaves a mixed chain valid', () => {
  const place = fc.nat(15);
  fc.assert(
    fc.property(fc.constantFrom('delete', 'repeat', 'swap'), place, place, (kind, from, to) => {
      const [one, other] = [receipts[from], receipts[to]];
      assert.ok(one && other);
      if (kind === 'delete') {
        const rest = receipts.toSpliced(from, 1);
        const verdict = verifyChain(crypto, chainBytes(rest), TRUST, {
          expectedTip: tipOf(receipts[15] as Receipt),
        });
        assert.notEqual(verdict.verdict, 'valid');
      } else if (kind === 'repeat') {
        assert.notEqual(verdictOf(receipts.toSpliced(to, 0, one)).verdict, 'valid');
      } else {
        fc.pre(from !== to);
        assert.notEqual(verdictOf(receipts.with(from, other).with(to, one)).verdict, 'valid');
      }
    }),
    { numRuns: 300 },
  );
});

const makesOf = (count: number) =>
  Array.from(
    { length: count },
    (_, n) => (tip: Parameters<typeof buildContent>[2]) =>
      buildContent(crypto, facts(n), tip, ENVIRONMENT.publicKey.keyId),
  );

/** Signing that goes wrong from the `from`-th signature to the `to`-th. */
function faulty(from: number, to: number): typeof crypto.sign {
  let count = 0;
  return (seed, message) => {
    const signature = crypto.sign(seed, message);
    if (++count >= from && count <= to) signature[5] = (signature[5] ?? 0) ^ 1;
    return signature;
  };
}

const SEED = new Uint8Array(32).fill(1);

test('the signature of a batch that goes wrong in this process reaches no chain', async () => {
  for (const wrong of [1, 2, 3]) {
    const own = signerFromSeed({ ...crypto, sign: faulty(wrong, wrong) }, SEED);
    for (let nth = 1; nth <= 3; nth++) {
      const written = writeReceipts(crypto, 'batch', makesOf(2), undefined, own);
      if (nth === wrong) await assert.rejects(written, { code: 'invalid-key' });
      else assert.equal((await written).length, 2);
    }
  }
});

test('of signatures one by one with a key of this process, the first of each 64 is verified', async () => {
  const own = (from: number) =>
    signerFromSeed({ ...crypto, sign: faulty(from, Number.POSITIVE_INFINITY) }, SEED);
  const sign = (count: number, from: number) =>
    writeReceipts(crypto, 'each', makesOf(count), undefined, own(from));
  await assert.rejects(sign(1, 1), { code: 'invalid-key' });
  for (const from of [2, 65]) await assert.rejects(sign(65, from), { code: 'invalid-key' });
  assert.equal((await sign(64, 65)).length, 64);
});

test('every signature of a signer elsewhere is verified', async () => {
  for (const signing of ['each', 'batch'] as const) {
    for (let nth = 1; nth <= (signing === 'each' ? 5 : 1); nth++) {
      const sign = faulty(nth, nth);
      const elsewhere: Signer = {
        publicKey: ENVIRONMENT.publicKey,
        sign: async (message) => sign(SEED, message),
      };
      await assert.rejects(writeReceipts(crypto, signing, makesOf(5), undefined, elsewhere), {
        code: 'invalid-key',
      });
    }
    await assert.rejects(writeReceipts(crypto, signing, makesOf(1), undefined, signer(2)), {
      code: 'invalid-key',
    });
  }
});
