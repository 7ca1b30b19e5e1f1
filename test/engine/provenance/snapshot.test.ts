import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { canonicalJson } from '../../../engine/encoding/json.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import {
  parseSnapshot,
  type SnapshotEnvironment,
  type SnapshotFacts,
  verifySnapshot,
  writeSnapshot,
} from '../../../engine/provenance/snapshot.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { flipBit } from '../../support/bytes.ts';
import { COUNTER } from '../../support/counter.ts';
import { admit } from '../runtime/executors.ts';
import { crypto, ENVIRONMENT, hashOf, signer, TRUST } from './fixtures.ts';

const executor = await admit(COUNTER);
const request = { input: {}, limits: DEFAULT_LIMITS, state: { before: undefined } };
const { state = new Uint8Array() } = await runExecutor(executor, request, inThread);

const FACTS: SnapshotFacts = {
  executor: 'counter@1.0.0',
  admitted: executor,
  memoryProfile: undefined,
  tip: { epoch: 7, hash: hashOf('receipt 7') },
  state,
};
const GOOD: SnapshotEnvironment = {
  trust: TRUST,
  executor: FACTS.executor,
  admitted: executor,
  memoryProfile: undefined,
  limits: DEFAULT_LIMITS,
  tip: FACTS.tip,
};

function snapshotOf(more: Partial<SnapshotFacts> = {}, by: Signer = ENVIRONMENT) {
  return writeSnapshot(crypto, { ...FACTS, ...more }, by);
}

function restore(bytes: Uint8Array, more: Partial<SnapshotEnvironment> = {}) {
  return verifySnapshot(crypto, parseSnapshot(bytes, 'x.state'), 'x.state', { ...GOOD, ...more });
}

const bytes = await snapshotOf();

test('a snapshot is restored with the very state it was made of', () => {
  assert.deepEqual(restore(bytes), { state, hash: crypto.sha256(state) });
});

test('equal facts give equal bytes, and a small executor a small file', async () => {
  assert.deepEqual(await snapshotOf(), bytes);
  assert.ok(bytes.length < 10_000, `${bytes.length} bytes for two pages`);
});

test('the signature is over the domain tag and the canonical header without it', () => {
  const { header } = parseSnapshot(bytes, 'x.state');
  const { signature, ...unsigned } = header;
  const message = new TextEncoder().encode(`touchstone/snapshot/1\n${canonicalJson(unsigned)}`);
  const raw = new Uint8Array(Buffer.from(signature, 'base64'));
  assert.ok(crypto.verify(ENVIRONMENT.publicKey, message, raw));
});

test('no bit of a snapshot can be changed', () => {
  // Every bit of the header and of what the state begins with, and one of each byte of the memory.
  for (let bit = 0; bit < 8 * bytes.length; bit += bit < 8 * 1_300 ? 1 : 9) {
    assert.throws(() => restore(flipBit(bytes, bit)), InputError, `bit ${bit}`);
  }
});

test('a snapshot that is cut off, or goes on, is refused', () => {
  for (const length of [0, 1, 100, 900, bytes.length - 1]) {
    assert.throws(() => restore(bytes.subarray(0, length)), InputError, `${length} bytes`);
  }
  assert.throws(() => restore(new Uint8Array([...bytes, 0])), InputError);
  assert.throws(() => restore(new Uint8Array(10_000).fill(0x20)), /its header does not end/);
});

const other = await admit('(module (memory (export "memory") 1) (func (export "plan")))');
const REFUSALS: readonly (readonly [string, Partial<SnapshotEnvironment>, RegExp])[] = [
  ['an environment nobody trusts', { trust: makeTrustStore([]) }, /is not in the trust store/],
  [
    'a revoked environment',
    {
      trust: makeTrustStore([
        { key: ENVIRONMENT.publicKey, role: 'environment', revoked: 'it leaked' },
      ]),
    },
    /is revoked: it leaked/,
  ],
  [
    'a key that is trusted for something else',
    { trust: makeTrustStore([{ key: ENVIRONMENT.publicKey, role: 'certifier' }]) },
    /is not in the trust store/,
  ],
  ['another module', { admitted: other }, /it is of the module/],
  ['another executor', { executor: 'other@1.0.0' }, /it is of counter@1\.0\.0/],
  ['another memory profile', { memoryProfile: 'edge' }, /profile none, this run has edge/],
  ['too small a memory', { limits: { memoryPages: 1 } }, /has 2 pages of memory; 1 are allowed/],
  ['a chain that is not there', { tip: undefined }, /after receipt 7 .* there are none here/],
  [
    'a chain that has gone on',
    { tip: { epoch: 8, hash: hashOf('receipt 8') } },
    /the chain here ends with receipt 8/,
  ],
  [
    'a fork of the chain',
    { tip: { epoch: 7, hash: hashOf('another receipt 7') } },
    /the chain here ends with receipt 7/,
  ],
];
for (const [what, environment, message] of REFUSALS) {
  test(`${what} is refused`, () => {
    assert.throws(
      () => restore(bytes, environment),
      (error: unknown) =>
        error instanceof InputError &&
        error.code === 'invalid-snapshot' &&
        message.test(error.message),
    );
  });
}

test('a snapshot by a stranger is refused, and so is one that a stranger signed in another’s name', async () => {
  const stranger = signer(9);
  assert.throws(() => snapshotAndRestore(stranger), InputError);
  const theirs = await snapshotOf({}, stranger);
  assert.throws(() => restore(theirs), /is not in the trust store/);
  const forger: Signer = { ...stranger, publicKey: ENVIRONMENT.publicKey };
  await assert.rejects(snapshotOf({}, forger), InputError);
});

function snapshotAndRestore(by: Signer): void {
  const { header } = parseSnapshot(bytes, 'x.state');
  const forged = canonicalJson({ ...header, signer: by.publicKey.keyId });
  restore(new Uint8Array([...new TextEncoder().encode(`${forged}\n`), ...state]));
}

test('bytes that are no state are not written', async () => {
  await assert.rejects(snapshotOf({ state: new Uint8Array(3) }), InputError);
});
