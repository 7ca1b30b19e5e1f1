import assert from 'node:assert/strict';
import { test } from 'node:test';
import { governedRun, type RunServices } from '../../../engine/governed/run.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import type { PhaseBudget } from '../../../engine/runtime/budget.ts';
import {
  type ExecuteOptions,
  type Isolation,
  inThread,
} from '../../../engine/runtime/isolation.ts';
import type { Job } from '../../../engine/runtime/job.ts';
import { timedOut } from '../../../engine/runtime/settle.ts';
import { DEFAULT_LIMITS, type Phase } from '../../../engine/runtime/types.ts';
import { admit, calling } from '../runtime/executors.ts';
import { crypto, ENVIRONMENT, TRUST } from './fixtures.ts';

const request = (n: number) => `{"method":"GET","url":"https://${n}.example/"}`;
const executor = await admit(calling('http_request', ...[1, 2, 3].map(request)));

/** A clock that says what it is told to, in turn, and then the last of it. */
function clockOf(...times: readonly number[]): () => number {
  let i = 0;
  return () => times[Math.min(i++, times.length - 1)] ?? 0;
}

function run(budget: PhaseBudget, now?: () => number, isolation: Isolation = inThread) {
  const receipts = memoryReceiptStore();
  const services: RunServices = { crypto, isolation, receipts, environment: ENVIRONMENT, now };
  const report = governedRun(services, {
    executor,
    name: 'call',
    version: '1.0.0',
    input: {},
    limits: DEFAULT_LIMITS,
    budget,
    policy: { trust: 'system', declared: ['net.http'], grants: new Set() },
  });
  return { report, chain: receipts.open('call') };
}

test('within its budget a run is as without one', async () => {
  const budget = { gate: 5, instantiate: 5, plan: 5_000, govern: 5, record: 5 };
  const report = await run(budget, () => 0).report;
  assert.equal(report.status, 'ok');
  assert.deepEqual(report, await run({}).report);
});

test('a budget for govern that runs out keeps the answer, and says which directives are left', async () => {
  // The gate and the guest take no time; governing begins at 0, and the second directive comes late.
  const { report, chain } = run({ govern: 10 }, clockOf(0, 0, 0, 11));
  const { status, result, directives, decisions, completed, problem, receipt } = await report;
  assert.equal(status, 'timeout');
  assert.equal(result, null, 'the result that this executor gives');
  assert.equal(directives.length, 3);
  assert.deepEqual(
    decisions.map(({ decision, reason }) => [decision, reason?.replace(/\(.*/, '')]),
    [
      ['recorded', 'NotGranted'],
      ['skipped', 'BudgetExhausted'],
      ['skipped', 'BudgetExhausted'],
    ],
  );
  assert.deepEqual(completed, ['gate', 'instantiate', 'plan']);
  assert.equal(problem?.code, 'budget-exhausted');
  assert.equal(receipt.fuel.used, null);
  assert.notEqual(receipt.outputHash, null);
  assert.deepEqual(
    receipt.directives.map(({ decision }) => decision),
    ['recorded', 'skipped', 'skipped'],
  );
  assert.equal((await verifyStoredChain(crypto, chain, TRUST)).verdict, 'valid');
});

test('a gate that takes too long ends the run before the guest begins', async () => {
  const { report } = run({ gate: 10 }, clockOf(0, 11));
  const { status, completed, problem, receipt } = await report;
  assert.equal(status, 'timeout');
  assert.deepEqual(completed, ['gate']);
  assert.match(problem?.message ?? '', /"gate" used up its 10 ms/);
  assert.deepEqual(receipt.completed, ['gate']);
});

/** A place whose clock always fires once these phases are complete. */
function tooSlow(completed: readonly Phase[], told: ExecuteOptions[]): Isolation {
  return {
    mode: 'process',
    execute: async (_: Job, options) => {
      told.push(options);
      return timedOut(DEFAULT_LIMITS, completed);
    },
    close: async () => {},
  };
}

for (const [completed, phase] of [
  [['gate'], 'instantiate'],
  [['gate', 'instantiate'], 'plan'],
] as const) {
  test(`a guest that is cut off in ${phase}: its place gets both shares, the run says which phase`, async () => {
    const told: ExecuteOptions[] = [];
    const { report } = run({ instantiate: 30, plan: 70 }, undefined, tooSlow(completed, told));
    const { status, problem, receipt, ...rest } = await report;
    assert.equal(told[0]?.timeoutMs, 100);
    assert.equal(status, 'timeout');
    assert.deepEqual(rest.completed, completed);
    assert.equal(problem?.code, 'budget-exhausted');
    assert.match(problem?.message ?? '', new RegExp(`^the 100 ms .* used up in "${phase}"$`));
    assert.deepEqual(receipt.completed, completed);
    assert.match(receipt.inputHash, /^[0-9a-f]{64}$/);
  });
}

test('a share above the wall clock of the run lengthens nothing', async () => {
  const told: ExecuteOptions[] = [];
  const { report } = run({ plan: 10 ** 9 }, undefined, tooSlow(['gate'], told));
  assert.equal((await report).problem?.code, 'timeout');
  assert.equal(told[0]?.timeoutMs, DEFAULT_LIMITS.timeoutMs);
});

test('phases that were finished late are flagged, and the receipt is there', async () => {
  // Readings: gate begins, gate ends, govern begins, three directives, govern ends, record begins, ends.
  const times = [0, 0, 0, 0, 0, 0, 11, 20, 31];
  const report = await run({ gate: 10, govern: 10, record: 10 }, clockOf(...times)).report;
  assert.equal(report.status, 'ok');
  assert.deepEqual(report.overBudget, ['govern', 'record']);
  assert.deepEqual(report.completed, ['gate', 'instantiate', 'plan', 'govern', 'record']);
});

test('a budget that is no whole number, or that no clock can measure, is refused', async () => {
  for (const share of [-1, 0.5, Number.NaN]) {
    await assert.rejects(run({ plan: share }).report, RangeError);
  }
  for (const phase of ['gate', 'govern', 'record'] as const) {
    await assert.rejects(run({ [phase]: 10 }).report, /needs a clock/);
  }
});
