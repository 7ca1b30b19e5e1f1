import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import {
  parseProof,
  proveReceipt,
  type ReceiptProof,
  serializeProof,
  verifyProof,
} from '../../../engine/provenance/proof.ts';
import type { ReceiptChain } from '../../../engine/provenance/store.ts';
import { crypto, ENVIRONMENT, readAll, TRUST } from './fixtures.ts';
import { appendBatch, appendEach } from './many.ts';

/** Receipts 0 and 12 signed by themselves, 1 alone in its batch, 2 to 11 in one. */
let chain: ReceiptChain;

before(async () => {
  chain = memoryReceiptStore().open('call');
  await appendEach(chain, [0]);
  await appendBatch(chain, [1]);
  await appendBatch(chain, [2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  await appendEach(chain, [12]);
});

const prove = (epoch: number) => proveReceipt(crypto, chain, epoch);
const isValid = (proof: ReceiptProof) => verifyProof(crypto, proof, TRUST).verdict === 'valid';

async function proveBatched(epoch: number) {
  const proof = await prove(epoch);
  assert.ok('batch' in proof);
  return proof;
}

test('every receipt of a chain is proved by itself, from its file alone', async () => {
  for (let epoch = 0; epoch < 13; epoch++) {
    const file = serializeProof(await prove(epoch));
    const proof = parseProof(file, 'a proof');
    assert.deepEqual(serializeProof(proof), file);
    const { verdict, ...about } = verifyProof(crypto, proof, TRUST);
    assert.equal(verdict, 'valid');
    assert.deepEqual(
      { epoch: about.epoch, executor: about.executor, run: about.run },
      { epoch, executor: 'call@1.0.0', run: proof.receipt.run },
    );
    assert.equal('batch' in proof, epoch > 0 && epoch < 12);
  }
});

test('there is no proof of a receipt that there is not, or whose batch has no end', async () => {
  await assert.rejects(prove(13), { code: 'usage', message: /no receipt 13: the chain has 13/ });
  const bytes = await readAll(chain);
  const lines = new TextDecoder().decode(bytes).split('\n');
  const cut = new TextEncoder().encode(`${lines.slice(0, 8).join('\n')}\n`);
  const open: ReceiptChain = {
    ...chain,
    read: async function* () {
      yield cut;
    },
  };
  await assert.rejects(proveReceipt(crypto, open, 5), {
    code: 'invalid-receipt',
    message: /the batch of receipt 5 is cut off/,
  });
});

test('a signer who is unknown, of another role or revoked proves nothing', async () => {
  const { publicKey: key } = ENVIRONMENT;
  for (const epoch of [0, 4]) {
    const proof = await prove(epoch);
    for (const trust of [
      makeTrustStore([]),
      makeTrustStore([{ key, role: 'certifier' }]),
      makeTrustStore([{ key, role: 'environment', revoked: 'stolen' }]),
    ]) {
      assert.equal(verifyProof(crypto, proof, trust).verdict, 'invalid-signature');
    }
  }
});

test('a receipt is proved at its own place only: no other index, epoch, count, path or head', async () => {
  const proof = await proveBatched(5);
  const { receipt, batch } = proof;
  const { head, path } = batch;
  const other = await proveBatched(6);
  const alone = await proveBatched(1);
  const [first] = path;
  assert.ok(first && isValid(proof));
  const wrong: ReceiptProof[] = [
    { ...proof, receipt: { ...receipt, batch: { index: 4 } } },
    { ...proof, receipt: { ...receipt, epoch: 6 } },
    { ...proof, receipt: { ...receipt, epoch: 6, batch: { index: 4 } } },
    { ...proof, receipt: { ...receipt, status: 'error' } },
    { ...proof, receipt: other.receipt },
    { ...proof, batch: other.batch },
    { ...proof, batch: alone.batch },
    { ...proof, batch: { ...batch, head: { ...head, count: 9 } } },
    { ...proof, batch: { ...batch, head: { ...head, count: 11 } } },
    { ...proof, batch: { ...batch, head: { ...head, epoch: 3 } } },
    { ...proof, batch: { ...batch, head: { ...head, root: alone.batch.head.root } } },
    { ...proof, batch: { ...batch, head: { ...head, prevHash: first } } },
    { ...proof, batch: { ...batch, head: { ...head, executor: 'call@2.0.0' } } },
    { ...proof, batch: { ...batch, signature: alone.batch.signature } },
    { ...proof, batch: { ...batch, path: path.slice(1) } },
    { ...proof, batch: { ...batch, path: path.toReversed() } },
    { ...proof, batch: { ...batch, path: [...path, first] } },
    { ...proof, batch: { ...batch, path: [] } },
  ];
  for (const [i, each] of wrong.entries()) assert.equal(isValid(each), false, `proof ${i}`);
});

test('no flipped bit of a proof file leaves a proof', async () => {
  for (const epoch of [1, 7, 12]) {
    const file = serializeProof(await prove(epoch));
    for (let bit = 0; bit < file.length * 8; bit += 3) {
      const flipped = file.slice();
      flipped[bit >> 3] = (file[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      let proof: ReceiptProof;
      try {
        proof = parseProof(flipped, 'a proof');
      } catch (error) {
        assert.ok(error instanceof InputError);
        continue;
      }
      assert.equal(isValid(proof), false, `bit ${bit} of receipt ${epoch}`);
    }
  }
});

test('a proof file has one form only', async () => {
  const text = new TextDecoder().decode(serializeProof(await prove(3)));
  const single = JSON.parse(new TextDecoder().decode(serializeProof(await prove(0))));
  const { batch, receipt } = JSON.parse(text);
  const others = [
    text.slice(0, -1),
    ` ${text}`,
    `${text}\n`,
    JSON.stringify(JSON.parse(text), undefined, 1),
    text.replace('receipt-proof/1', 'receipt-proof/2'),
    text.replace('"path":[', '"note":1,"path":['),
    `${JSON.stringify({ format: 'receipt-proof/1', receipt })}\n`,
    `${JSON.stringify({ batch, ...single })}\n`,
    '{}\n',
    'null\n',
    '',
  ];
  for (const other of others) {
    assert.throws(() => parseProof(new TextEncoder().encode(other), 'a proof'), InputError);
  }
});
