import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import type { Crypto, KeyId, PublicKey } from '../../../engine/crypto/crypto.ts';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { flipBit } from '../../support/bytes.ts';

const BACKENDS: readonly (readonly [string, Crypto])[] = [
  ['noble', nobleCrypto],
  ['node', nodeCrypto],
];

/** Not through `publicKeyFromRaw`, which would refuse the bad keys before a backend sees them. */
const rawKey = (raw: Uint8Array): PublicKey => ({ raw, keyId: '' as KeyId });

interface SpeccheckVector {
  readonly message: string;
  readonly pub_key: string;
  readonly signature: string;
}

interface WycheproofGroup {
  readonly publicKey: { readonly pk: string };
  readonly tests: readonly {
    readonly tcId: number;
    readonly msg: string;
    readonly sig: string;
    readonly result: 'valid' | 'invalid';
  }[];
}

const vectors = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../vectors/${name}`, import.meta.url), 'utf8'));

for (const [name, crypto] of BACKENDS) {
  describe(`Ed25519 by ${name}`, () => {
    test('of the 12 speccheck vectors only 2 and 3 are valid: strict and cofactorless', () => {
      const verdicts = (vectors('ed25519-speccheck.json') as SpeccheckVector[]).map((v) =>
        crypto.verify(
          rawKey(hexToBytes(v.pub_key)),
          hexToBytes(v.message),
          hexToBytes(v.signature),
        ),
      );
      assert.equal(verdicts.map((valid) => (valid ? 'V' : 'X')).join(''), 'XXVVXXXXXXXX');
    });

    test('all 151 Wycheproof vectors get their verdict', () => {
      const { testGroups } = vectors('wycheproof-ed25519.json') as {
        testGroups: WycheproofGroup[];
      };
      let count = 0;
      for (const group of testGroups) {
        const key = rawKey(hexToBytes(group.publicKey.pk));
        for (const { tcId, msg, sig, result } of group.tests) {
          const valid = crypto.verify(key, hexToBytes(msg), hexToBytes(sig));
          assert.equal(valid, result === 'valid', `tcId ${tcId}`);
          count++;
        }
      }
      assert.equal(count, 151);
    });

    test('RFC 8032 section 7.1, test 3: key and signature', () => {
      const seed = hexToBytes('c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7');
      const message = hexToBytes('af82');
      const publicKey = hexToBytes(
        'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
      );
      const signature = hexToBytes(
        '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
      );
      assert.deepEqual(crypto.publicKeyOf(seed), publicKey);
      assert.deepEqual(crypto.sign(seed, message), signature);
      assert.equal(crypto.verify(rawKey(publicKey), message, signature), true);
    });

    test("Trytet's fuel voucher: key and signature of its published vector", () => {
      const seed = new Uint8Array(32).fill(1);
      const agent = '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c';
      const message = concatBytes(
        utf8ToBytes(`${agent}local_daemon`),
        bigEndian64(10_000_000_000n),
        bigEndian64(4_102_444_800n),
        utf8ToBytes('00000000-0000-4000-8000-000000000000'),
      );
      const signature = hexToBytes(
        '6c6f2f034acb913ff7775f966f420184e9f0d92417222bc7475b65a8cfdd0b37c5c2efd83d049e8a07c39241fb26f6dba859dafd1e194825d99d9985c5a6ad0e',
      );
      assert.deepEqual(crypto.publicKeyOf(seed), hexToBytes(agent));
      assert.deepEqual(crypto.sign(seed, message), signature);
      assert.equal(crypto.verify(rawKey(hexToBytes(agent)), message, signature), true);
    });

    test('a signature or key of another length never verifies and never throws', () => {
      const key = rawKey(crypto.publicKeyOf(new Uint8Array(32).fill(7)));
      for (const length of [0, 1, 63, 65, 128]) {
        assert.equal(crypto.verify(key, new Uint8Array(3), new Uint8Array(length)), false);
      }
      for (const length of [0, 31, 33]) {
        assert.equal(
          crypto.verify(rawKey(new Uint8Array(length)), new Uint8Array(3), new Uint8Array(64)),
          false,
        );
      }
    });
  });
}

describe('both backends', () => {
  const seed = new Uint8Array(32).fill(9);
  const message = new TextEncoder().encode('one verdict');
  const publicKey = nodeCrypto.publicKeyOf(seed);
  const signature = nodeCrypto.sign(seed, message);

  // noble takes most of a millisecond for a verification, so the 10,000 are spread over
  // mutations that reach the equation and mutations that the encoding checks answer at once.
  test('give one verdict on 10,000 mutated signatures and keys', () => {
    let mutants = 0;
    const agree = (key: Uint8Array, sig: Uint8Array) => {
      const byNoble = nobleCrypto.verify(rawKey(key), message, sig);
      const byNode = nodeCrypto.verify(rawKey(key), message, sig);
      assert.equal(byNoble, byNode, `key ${hex(key)} signature ${hex(sig)}`);
      mutants++;
    };
    for (let bit = 0; bit < 512; bit++) agree(publicKey, flipBit(signature, bit));
    for (let bit = 0; bit < 256; bit++) agree(flipBit(publicKey, bit), signature);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(63), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(31), fc.nat(255)), { maxLength: 2 }),
        (signatureBytes, keyBytes) =>
          agree(patch(publicKey, keyBytes), patch(signature, signatureBytes)),
      ),
      { numRuns: 10_000 - mutants },
    );
    assert.equal(mutants, 10_000);
  });

  test('agree on every point of small order as R and as key', () => {
    for (const point of SMALL_ORDER) {
      const withR = signature.slice();
      withR.set(hexToBytes(point));
      for (const crypto of [nobleCrypto, nodeCrypto]) {
        assert.equal(crypto.verify(rawKey(publicKey), message, withR), false);
        assert.equal(crypto.verify(rawKey(hexToBytes(point)), message, signature), false);
      }
      // R = A = the point and S = 0 satisfies the equation for one message in eight.
      const zeroS = new Uint8Array(64);
      zeroS.set(hexToBytes(point));
      for (let i = 0; i < 16; i++) {
        const text = Uint8Array.of(i);
        assert.equal(nobleCrypto.verify(rawKey(hexToBytes(point)), text, zeroS), false);
        assert.equal(nodeCrypto.verify(rawKey(hexToBytes(point)), text, zeroS), false);
      }
    }
  });

  test('give the same hash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        assert.equal(nobleCrypto.sha256(bytes), nodeCrypto.sha256(bytes));
      }),
    );
  });
});

/** The canonical and the non-canonical encodings of the points of small order. */
const SMALL_ORDER = [
  '0100000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000080',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0000000000000000000000000000000000000000000000000000000000000080',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff',
];

function bigEndian64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function patch(bytes: Uint8Array, changes: readonly (readonly [number, number])[]): Uint8Array {
  const copy = bytes.slice();
  for (const [at, value] of changes) copy[at] = value;
  return copy;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
