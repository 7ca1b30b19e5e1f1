import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import fc from 'fast-check';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import {
  type ChainVerdict,
  createChainVerifier,
  verifyChain,
} from '../../../engine/provenance/chain.ts';
import type { ChainTip, Receipt, SignedReceipt } from '../../../engine/provenance/types.ts';
import {
  chainBytes,
  contentOf,
  crypto,
  ENVIRONMENT,
  makeChain,
  makeReceipt,
  signContent,
  signer,
  TRUST,
  tipOf,
  trusting,
} from './fixtures.ts';

const LENGTH = 6;
let receipts: readonly SignedReceipt[];
let bytes: Uint8Array;
let tip: ChainTip;

before(async () => {
  receipts = await makeChain(LENGTH);
  bytes = chainBytes(receipts);
  tip = tipOf(at(LENGTH - 1));
});

function at(epoch: number): SignedReceipt {
  const receipt = receipts[epoch];
  assert.ok(receipt);
  return receipt;
}

/** The verdict in short: its name, its epochs, how many hold. */
function brief(verdict: ChainVerdict): string {
  assert.doesNotMatch(verdict.detail, /\n/);
  assert.notEqual(verdict.detail, '');
  const where =
    verdict.verdict === 'epoch-gap'
      ? ` expected ${verdict.expected} got ${verdict.got}`
      : 'epoch' in verdict
        ? ` at ${verdict.epoch}`
        : '';
  return `${verdict.verdict}${where}, ${verdict.holds} hold`;
}

function verdictOf(chain: readonly Receipt[] | Uint8Array, expectedTip?: ChainTip): string {
  const data = chain instanceof Uint8Array ? chain : chainBytes(chain);
  return brief(verifyChain(crypto, data, TRUST, { expectedTip }));
}

test('valid: an intact chain, with its tip', () => {
  const { detail, ...verdict } = verifyChain(crypto, bytes, TRUST);
  assert.deepEqual(verdict, {
    verdict: 'valid',
    length: LENGTH,
    firstEpoch: 0,
    lastEpoch: LENGTH - 1,
    tip,
    holds: LENGTH,
  });
  assert.equal(detail, 'receipts 0 to 5 hold');
  assert.equal(verdictOf(receipts, tip), 'valid, 6 hold');
});

test('valid: a chain that has grown since its tip was recorded', () => {
  assert.equal(verdictOf(receipts, tipOf(at(2))), 'valid, 6 hold');
});

test('valid: a chain of two trusted environments', async () => {
  const other = signer(2);
  const chain = [at(0), await makeReceipt(tipOf(at(0)), 9, other)];
  const trust = trusting(ENVIRONMENT.publicKey, other.publicKey);
  assert.equal(brief(verifyChain(crypto, chainBytes(chain), trust)), 'valid, 2 hold');
});

test('empty: no receipts, and none recorded', () => {
  assert.equal(verdictOf([]), 'empty, 0 hold');
});

test('invalid-signature: signer unknown, of another role, or revoked', () => {
  const { publicKey: key } = ENVIRONMENT;
  const stores = [
    [makeTrustStore([]), /is not in the trust store/],
    [makeTrustStore([{ key, role: 'certifier' }]), /is not in the trust store/],
    [makeTrustStore([{ key, role: 'environment', revoked: 'stolen' }]), /is revoked: stolen/],
  ] as const;
  for (const [trust, detail] of stores) {
    const verdict = verifyChain(crypto, bytes, trust);
    assert.equal(brief(verdict), 'invalid-signature at 0, 0 hold');
    assert.match(verdict.detail, detail);
  }
});

test('invalid-signature: content changed after it was signed', () => {
  const changed = receipts.map((r) => (r.epoch === 3 ? { ...r, status: 'error' as const } : r));
  assert.equal(verdictOf(changed), 'invalid-signature at 3, 3 hold');
});

test('invalid-signature: an epoch changed after it was signed is no gap', () => {
  const changed = receipts.map((r) => (r.epoch === 3 ? { ...r, epoch: 4 } : r));
  assert.equal(verdictOf(changed), 'invalid-signature at 3, 3 hold');
});

test('invalid-signature: a line that is no receipt', () => {
  const text = new TextDecoder().decode(bytes);
  const lines = text.split('\n');
  const withLine = (line: string) =>
    new TextEncoder().encode([...lines.slice(0, 2), line, ...lines.slice(2)].join('\n'));
  for (const line of ['', '{}', 'null', '\0', `${lines[2]}\r`, ` ${lines[2]}`]) {
    assert.equal(verdictOf(withLine(line)), 'invalid-signature at 2, 2 hold');
  }
});

test('epoch-gap: a receipt is missing, repeated or out of order', () => {
  assert.equal(verdictOf(receipts.toSpliced(2, 1)), 'epoch-gap expected 2 got 3, 2 hold');
  assert.equal(verdictOf(receipts.toSpliced(2, 0, at(1))), 'epoch-gap expected 2 got 1, 2 hold');
  const swapped = receipts.with(2, at(3)).with(3, at(2));
  assert.equal(verdictOf(swapped), 'epoch-gap expected 2 got 3, 2 hold');
});

test('broken-chain: a receipt was replaced by another that is signed', async () => {
  const replaced = receipts.with(2, await makeReceipt(tipOf(at(1)), 99));
  const verdict = verifyChain(crypto, chainBytes(replaced), TRUST);
  assert.equal(brief(verdict), 'broken-chain at 3, 3 hold');
  assert.ok(verdict.verdict === 'broken-chain');
  assert.equal(verdict.actualHash, tipOf(at(2)).hash);
  assert.notEqual(verdict.expectedHash, verdict.actualHash);
});

test('broken-chain: the last receipt is another than the recorded tip', async () => {
  const replaced = receipts.with(5, await makeReceipt(tipOf(at(4)), 99));
  assert.equal(verdictOf(replaced), 'valid, 6 hold');
  assert.equal(verdictOf(replaced, tip), 'broken-chain at 5, 5 hold');
});

test('truncated: the head is cut off', async () => {
  assert.equal(verdictOf(receipts.slice(2)), 'truncated at 2, 0 hold');
  const orphan = await signContent({ ...contentOf(undefined), prevHash: tip.hash });
  assert.equal(verdictOf([orphan]), 'truncated at 0, 0 hold');
});

test('truncated: the last line does not end', () => {
  assert.equal(verdictOf(bytes.subarray(0, -1)), 'truncated at 5, 5 hold');
  assert.equal(verdictOf(bytes.subarray(0, 10)), 'truncated at 0, 0 hold');
});

test('truncated: the recorded tip is not reached', () => {
  assert.equal(verdictOf(receipts.slice(0, 4), tip), 'truncated at 4, 4 hold');
  assert.equal(verdictOf([], tip), 'truncated at 0, 0 hold');
});

test('every cut of a chain file but at the end of a line is truncated', () => {
  const ends = new Set([...bytes.entries()].filter(([, b]) => b === 0x0a).map(([i]) => i + 1));
  for (let length = 1; length < bytes.length; length += 7) {
    const cut = bytes.subarray(0, length);
    if (!ends.has(length)) assert.match(verdictOf(cut), /^truncated at/);
    assert.match(verdictOf(cut, tip), /^truncated at/);
  }
});

test('the verdict is the same however the bytes are cut into pieces', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 12 }), (cuts) => {
      const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
      const verifier = createChainVerifier(crypto, TRUST);
      for (const [i, place] of places.entries()) {
        const piece = bytes.slice(place, places[i + 1] ?? bytes.length);
        verifier.write(piece);
        piece.fill(0); // a caller may reuse its buffer
      }
      assert.equal(brief(verifier.end()), 'valid, 6 hold');
    }),
    { numRuns: 50 },
  );
});

test('no flipped byte leaves a chain valid: every byte of three receipts', () => {
  const short = chainBytes(receipts.slice(0, 3));
  for (let i = 0; i < short.length; i++) {
    const flipped = short.slice();
    flipped[i] = (short[i] ?? 0) ^ (1 << (i % 8));
    assert.doesNotMatch(verdictOf(flipped), /^valid/, `byte ${i}`);
  }
});

test('no replaced byte leaves a chain valid', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (i, change) => {
      const flipped = bytes.slice();
      flipped[i] = (bytes[i] ?? 0) ^ change;
      assert.doesNotMatch(verdictOf(flipped), /^(valid|empty)/);
    }),
    { numRuns: 1_000 },
  );
});

test('no deleted or inserted byte leaves a chain valid', () => {
  fc.assert(
    fc.property(fc.nat(bytes.length), fc.option(fc.nat(255)), (i, insert) => {
      const middle = insert === null ? [] : [insert];
      const rest = bytes.subarray(insert === null ? i + 1 : i);
      const changed = Buffer.concat([bytes.subarray(0, i), Uint8Array.from(middle), rest]);
      fc.pre(changed.length !== bytes.length);
      assert.doesNotMatch(verdictOf(changed), /^(valid|empty)/);
    }),
    { numRuns: 500 },
  );
});

test('no deletion, repetition or swap of lines leaves a chain valid', () => {
  const place = fc.nat(LENGTH - 1);
  const edit = fc.oneof(
    fc.record({ kind: fc.constant('delete'), from: place, to: place }),
    fc.record({ kind: fc.constant('repeat'), from: place, to: fc.nat(LENGTH) }),
    fc.record({ kind: fc.constant('swap'), from: place, to: place }),
  );
  fc.assert(
    fc.property(edit, ({ kind, from, to }) => {
      if (kind === 'delete') {
        assert.doesNotMatch(verdictOf(receipts.toSpliced(from, 1), tip), /^(valid|empty)/);
      } else if (kind === 'repeat') {
        assert.match(verdictOf(receipts.toSpliced(to, 0, at(from))), /^(epoch-gap|truncated)/);
      } else {
        fc.pre(from !== to);
        const swapped = receipts.with(from, at(to)).with(to, at(from));
        assert.match(verdictOf(swapped), /^(epoch-gap|truncated)/);
      }
    }),
    { numRuns: 300 },
  );
});

test('a line without end is refused without being kept', () => {
  const verifier = createChainVerifier(crypto, TRUST);
  const piece = new Uint8Array(1_048_576).fill(0x20);
  let pieces = 0;
  while (verifier.write(piece)) assert.ok(++pieces < 20);
  assert.equal(brief(verifier.end()), 'invalid-signature at 0, 0 hold');
});

test('receipts that hold are handed on in order', () => {
  const seen: number[] = [];
  const broken = chainBytes(receipts.toSpliced(4, 1));
  verifyChain(crypto, broken, TRUST, { onReceipt: ({ epoch }) => seen.push(epoch) });
  assert.deepEqual(seen, [0, 1, 2, 3]);
});
