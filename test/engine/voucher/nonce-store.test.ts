// What every nonce store does, whatever it keeps its nonces in.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fileNonceStore } from '../../../engine/platform/node/nonce-store.ts';
import { memoryNonceStore, type NonceStore } from '../../../engine/voucher/nonce-store.ts';
import { temporaryFolder } from '../provenance/store-harness.ts';
import { crypto } from './fixtures.ts';

const STORES: Readonly<Record<string, () => NonceStore>> = {
  memory: memoryNonceStore,
  files: () => fileNonceStore(crypto, temporaryFolder(), { pruneEverySeconds: 0 }),
};

const A = { issuer: 'a', nonce: '1' };

for (const [name, make] of Object.entries(STORES)) {
  test(`${name}: a nonce is fresh once`, async () => {
    const store = make();
    assert.equal(await store.isSpent(A, 100), false);
    assert.equal(await store.isSpent(A, 100), false, 'asking spends nothing');
    assert.equal(await store.spend(A, 100), 'fresh');
    assert.equal(await store.isSpent(A, 100), true);
    assert.equal(await store.spend(A, 100), 'spent');
    assert.equal(await store.spend(A, 200), 'spent', 'whatever expiry is said');
  });

  test(`${name}: of many at once, one gets it`, async () => {
    const store = make();
    const answers = await Promise.all(Array.from({ length: 40 }, () => store.spend(A, 100)));
    assert.equal(answers.filter((answer) => answer === 'fresh').length, 1);
  });

  test(`${name}: what differs in issuer or nonce is another nonce`, async () => {
    const store = make();
    const others = [
      A,
      { issuer: 'a', nonce: '2' },
      { issuer: 'b', nonce: '1' },
      { issuer: 'a1', nonce: '' },
      { issuer: '', nonce: 'a1' },
      { issuer: 'a","1', nonce: '' },
      { issuer: '../../up', nonce: '\u0000/' },
      { issuer: 'x'.repeat(5_000), nonce: 'é' },
    ];
    for (const each of others) assert.equal(await store.spend(each, 100), 'fresh', each.issuer);
    for (const each of others) assert.equal(await store.spend(each, 100), 'spent', each.issuer);
  });

  test(`${name}: pruning forgets what expired, and refuses it from then on`, async () => {
    const store = make();
    for (const expiry of [100, 200, 300]) {
      assert.equal(await store.spend({ issuer: 'a', nonce: `${expiry}` }, expiry), 'fresh');
    }
    assert.equal(await store.prune(200), 1);
    assert.equal(await store.prune(200), 0);
    for (const [expiry, nonce, answer] of [
      [100, '100', 'spent'],
      [199, 'never seen', 'spent'],
      [200, '200', 'spent'],
      [200, 'new', 'fresh'],
    ] as const) {
      assert.equal(await store.isSpent({ issuer: 'a', nonce }, expiry), answer === 'spent', nonce);
      assert.equal(await store.spend({ issuer: 'a', nonce }, expiry), answer, nonce);
    }
    assert.equal(await store.prune(150), 0, 'the moment never goes back');
    assert.equal(await store.spend({ issuer: 'a', nonce: 'old' }, 180), 'spent');
  });

  test(`${name}: an expiry or a moment that is no number lets nothing through`, async () => {
    const store = make();
    assert.equal(await store.spend(A, Number.NaN), 'spent');
    for (const before of [Number.NaN, Number.POSITIVE_INFINITY, 0.5]) {
      await assert.rejects(store.prune(before), RangeError);
    }
  });

  test(`${name}: no order of spending and pruning gives one nonce twice`, async () => {
    const step = fc.oneof(
      fc.record({ nonce: fc.integer({ min: 0, max: 5 }), expiry: fc.integer({ min: 1, max: 20 }) }),
      fc.record({ before: fc.integer({ min: 0, max: 20 }) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        const store = make();
        const given = new Map<string, number>();
        for (const each of steps) {
          if ('before' in each) {
            await store.prune(each.before);
            continue;
          }
          const nonce = `${each.nonce}`;
          // One nonce has one expiry, as it is signed.
          const expiry = given.get(nonce) ?? each.expiry;
          const answer = await store.spend({ issuer: 'a', nonce }, expiry);
          assert.ok(answer === 'spent' || !given.has(nonce));
          if (answer === 'fresh') given.set(nonce, expiry);
        }
      }),
      { numRuns: name === 'memory' ? 200 : 10 },
    );
  });
}
