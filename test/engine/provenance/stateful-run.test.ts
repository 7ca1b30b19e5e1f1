import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import type { AdmittedExecutor } from '../../../engine/gate/admit.ts';
import { governedRun, type RunServices } from '../../../engine/governed/run.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { parseReceipt, serializeReceipt } from '../../../engine/provenance/receipt.ts';
import { parseSnapshot, verifySnapshot } from '../../../engine/provenance/snapshot.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../../../engine/runtime/types.ts';
import { COUNTER, counted } from '../../support/counter.ts';
import { admit } from '../runtime/executors.ts';
import { appendOne, crypto, ENVIRONMENT, TRUST } from './fixtures.ts';

const executor = await admit(COUNTER);

function services(): RunServices {
  const receipts = memoryReceiptStore();
  return { crypto, isolation: inThread, receipts, environment: ENVIRONMENT };
}

function requestOf(limits: Partial<RunLimits> = {}, of: AdmittedExecutor = executor) {
  return {
    executor: of,
    name: 'counter',
    version: '1.0.0',
    input: {},
    limits: { ...DEFAULT_LIMITS, ...limits },
    policy: { trust: 'reviewed', declared: [], grants: new Set<never>() },
  } as const;
}

/** Runs with the state of a snapshot; answers the report and the snapshot to go on with. */
async function step(
  shared: RunServices,
  snapshot: Uint8Array | undefined,
  limits: Partial<RunLimits> = {},
) {
  const tip = await shared.receipts.open('counter').tip();
  const before =
    snapshot &&
    verifySnapshot(crypto, parseSnapshot(snapshot, 'the snapshot'), 'the snapshot', {
      trust: TRUST,
      executor: 'counter@1.0.0',
      admitted: executor,
      memoryProfile: undefined,
      limits: DEFAULT_LIMITS,
      tip,
    });
  let next: Uint8Array | undefined;
  const prepare = async (bytes: Uint8Array) => {
    next = bytes;
  };
  const report = await governedRun(shared, {
    ...requestOf(limits),
    state: { before, tip, prepare },
  });
  return { report, next };
}

test('receipts of runs with a state tell it before and after, and the chain holds', async () => {
  const shared = services();
  const receipts: Receipt[] = [];
  let snapshot: Uint8Array | undefined;
  for (let n = 1; n <= 4; n++) {
    const { report, next } = await step(shared, snapshot);
    assert.equal(report.result, counted(n));
    receipts.push(report.receipt);
    snapshot = next;
  }
  assert.equal(receipts[0]?.state?.before, null);
  for (const [i, { state }] of receipts.entries()) {
    assert.equal(state?.before, receipts[i - 1]?.state?.after ?? null);
    assert.match(state?.after ?? '', /^[0-9a-f]{64}$/);
  }
  assert.equal(new Set(receipts.map(({ state }) => state?.after)).size, 4);
  const chain = shared.receipts.open('counter');
  assert.equal((await verifyStoredChain(crypto, chain, TRUST)).verdict, 'valid');
});

test('a receipt with a state is read as it was written, and its state is under the signature', async () => {
  const shared = services();
  const { report } = await step(shared, undefined);
  const bytes = serializeReceipt(report.receipt);
  assert.deepEqual(parseReceipt(bytes, 'the receipt'), report.receipt);
  const text = new TextDecoder().decode(bytes);
  const after = report.receipt.state?.after ?? '';
  const forged = text.replace(`"after":"${after}"`, '"after":null');
  assert.notEqual(forged, text);
  const store = memoryReceiptStore();
  await appendOne(store.open('counter'), () =>
    parseReceipt(new TextEncoder().encode(forged), 'it'),
  );
  const verdict = await verifyStoredChain(crypto, store.open('counter'), TRUST);
  assert.equal(verdict.verdict, 'invalid-signature');
});

test('a run without a state has a receipt without one', async () => {
  const report = await governedRun(services(), requestOf());
  assert.equal('state' in report.receipt, false);
  assert.equal(new TextDecoder().decode(serializeReceipt(report.receipt)).includes('state'), false);
});

test('a run that fails leaves the state as it was, in a snapshot that goes on after its receipt', async () => {
  const shared = services();
  const first = await step(shared, undefined);
  const failed = await step(shared, first.next, { fuel: 1_000 });
  assert.equal(failed.report.status, 'out-of-fuel');
  const after = first.report.receipt.state?.after;
  assert.deepEqual(failed.report.receipt.state, { before: after, after });
  const third = await step(shared, failed.next);
  assert.equal(third.report.result, counted(2));
});

test('a first run that fails leaves no snapshot', async () => {
  const { report, next } = await step(services(), undefined, { fuel: 10 });
  assert.equal(report.status, 'out-of-fuel');
  assert.equal(next, undefined);
  assert.deepEqual(report.receipt.state, { before: null, after: null });
});

test('an older snapshot is refused once the chain has gone on', async () => {
  const shared = services();
  const first = await step(shared, undefined);
  await step(shared, first.next);
  await assert.rejects(step(shared, first.next), /the chain here ends with receipt 1/);
});

test('a chain that goes on during a run: the run is recorded, and its state is not kept', async () => {
  const shared = services();
  const chain = shared.receipts.open('counter');
  const tip = await chain.tip();
  await governedRun(shared, requestOf());
  let prepared = 0;
  const prepare = async () => {
    prepared++;
  };
  const report = await governedRun(shared, {
    ...requestOf(),
    state: { before: undefined, tip, prepare },
  });
  assert.equal(report.status, 'ok');
  assert.match(report.stateProblem ?? '', /recorded meanwhile/);
  assert.deepEqual(report.receipt.state, { before: null, after: null });
  assert.equal(prepared, 0);
});

test('a snapshot that cannot be made durable: nothing is acknowledged', async () => {
  const shared = services();
  const prepare = async () => {
    throw new InputError('unwritable', 'the disk is full');
  };
  const state = { before: undefined, tip: undefined, prepare };
  await assert.rejects(governedRun(shared, { ...requestOf(), state }), /the disk is full/);
  assert.equal(await shared.receipts.open('counter').tip(), undefined);
});
