import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import type { Sha256 } from '../../../engine/crypto/crypto.ts';
import {
  createRootBuilder,
  inclusionPath,
  leafHash,
  merkleRoot,
  rootOfPath,
} from '../../../engine/crypto/merkle.ts';
import { nodeCrypto as crypto } from '../../../engine/platform/node/crypto.ts';

/** The leaves, roots and paths of the Certificate Transparency project's own tree tests. */
const CT_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((hex) => leafHash(crypto, hexToBytes(hex)));

const CT_ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

const CT_PATHS = [
  {
    index: 0,
    count: 8,
    path: [
      '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
    ],
  },
  {
    index: 5,
    count: 8,
    path: [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ],
  },
  {
    index: 2,
    count: 3,
    path: ['fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125'],
  },
  {
    index: 1,
    count: 5,
    path: [
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ],
  },
];

/** MTH of RFC 6962 section 2.1 as it is written there, with Node's own hash. */
function mth(leaves: readonly Sha256[]): string {
  const [only] = leaves;
  if (only === undefined) return createHash('sha256').digest('hex');
  if (leaves.length === 1) return only;
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  const halves = mth(leaves.slice(0, k)) + mth(leaves.slice(k));
  return createHash('sha256')
    .update(Buffer.from(`01${halves}`, 'hex'))
    .digest('hex');
}

const leavesOf = (count: number) =>
  Array.from({ length: count }, (_, i) => leafHash(crypto, Uint8Array.of(i & 255, i >> 8)));

test('roots are those of Certificate Transparency', () => {
  for (const [i, root] of CT_ROOTS.entries()) {
    assert.equal(merkleRoot(crypto, CT_LEAVES.slice(0, i + 1)), root, `${i + 1} leaves`);
  }
});

test('the root of no leaves is the hash of nothing', () => {
  assert.equal(
    merkleRoot(crypto, []),
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  );
});

test('paths are those of Certificate Transparency', () => {
  for (const { index, count, path } of CT_PATHS) {
    assert.deepEqual(inclusionPath(crypto, CT_LEAVES.slice(0, count), index), path);
  }
});

test('for every size to 300, every path leads to the root, as the RFC defines it', () => {
  for (let count = 1; count <= 300; count++) {
    const leaves = leavesOf(count);
    const root = mth(leaves);
    const builder = createRootBuilder(crypto);
    for (const leaf of leaves) builder.add(leaf);
    assert.equal(builder.root(), root);
    for (const [index, leaf] of leaves.entries()) {
      const path = inclusionPath(crypto, leaves, index);
      assert.equal(rootOfPath(crypto, leaf, { index, count }, path), root, `${index} of ${count}`);
    }
  }
});

test('a path proves no other place, no other leaf and no other size', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 300 }).chain((count) =>
        fc.record({
          count: fc.constant(count),
          index: fc.nat(count - 1),
          other: fc.nat(count - 1),
          otherCount: fc.integer({ min: 1, max: 600 }),
        }),
      ),
      ({ count, index, other, otherCount }) => {
        const leaves = leavesOf(count);
        const [leaf, otherLeaf] = [leaves[index], leaves[other]];
        assert.ok(leaf && otherLeaf);
        const root = mth(leaves);
        const path = inclusionPath(crypto, leaves, index);
        const at = (each: Sha256, place: { index: number; count: number }, by = path) =>
          rootOfPath(crypto, each, place, by);
        if (other !== index) {
          assert.notEqual(at(leaf, { index: other, count }), root);
          assert.notEqual(at(otherLeaf, { index, count }), root);
        }
        assert.notEqual(at(leaf, { index, count }, path.slice(1)), root);
        assert.notEqual(at(leaf, { index, count }, [...path, leaf]), root);
        for (let i = 0; i < path.length; i++) {
          assert.notEqual(at(leaf, { index, count }, path.with(i, leaf)), root);
        }
        // Another size has the same path only where the place is as far from the right edge in both;
        // that is why the size is signed with the root.
        if (otherCount <= index) assert.equal(at(leaf, { index, count: otherCount }), undefined);
      },
    ),
    { numRuns: 300 },
  );
});

test('places that there are not are refused', () => {
  const [leaf] = CT_LEAVES;
  assert.ok(leaf);
  for (const [index, count] of [
    [-1, 8],
    [8, 8],
    [0, 0],
    [0.5, 8],
    [Number.NaN, 8],
    [0, Number.POSITIVE_INFINITY],
  ] as const) {
    assert.equal(rootOfPath(crypto, leaf, { index, count }, []), undefined);
  }
  for (const index of [-1, 8, 0.5, Number.NaN]) {
    assert.throws(() => inclusionPath(crypto, CT_LEAVES, index), RangeError);
  }
});
