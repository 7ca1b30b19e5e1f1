import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonValue } from '../../../engine/encoding/json.ts';
import { createBudgets } from '../../../engine/governance/budgets.ts';
import { type EffectHandler, failed, performed } from '../../../engine/governance/effect.ts';
import type { Means } from '../../../engine/governance/types.ts';
import type { RunServices } from '../../../engine/governed/run.ts';
import { governedSteps, type SteppedRunRequest } from '../../../engine/governed/steps.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { RELAY } from '../../support/relay.ts';
import { memoryJournal } from '../governance/memory-journal.ts';
import { crypto, ENVIRONMENT, TRUST } from '../provenance/fixtures.ts';
import { admit } from '../runtime/executors.ts';

const RECALL = { type: 'memory_op', operation: 'MemRecall', key: 'k', id: 'one' };

function meansOf(perform: EffectHandler['perform'], calls?: number): Means {
  const handler: EffectHandler = { tags: ['memory_op'], capability: 'memory', perform };
  return {
    handlers: new Map([['memory_op', handler]]),
    budgets: createBudgets({ memory: { calls } }),
  };
}

async function steps(
  directives: readonly JsonValue[],
  means: Means,
  more: Partial<SteppedRunRequest> = {},
) {
  const receipts = memoryReceiptStore();
  const services: RunServices = {
    ...{ crypto, isolation: inThread, receipts, environment: ENVIRONMENT },
    journal: memoryJournal(),
  };
  const reports = await governedSteps(services, {
    ...{ name: 'relay', version: '1.0.0', limits: DEFAULT_LIMITS, steps: 3 },
    executor: await admit(RELAY),
    input: { context: { directives } },
    policy: { trust: 'system', declared: [], grants: new Set(['memory']) },
    means,
    ...more,
  });
  const verdict = await verifyStoredChain(crypto, receipts.open('relay'), TRUST);
  assert.equal(verdict.verdict, 'valid');
  return reports;
}

test('each step sees what came of the one before, in one chain of receipts', async () => {
  let n = 0;
  const reports = await steps(
    [RECALL],
    meansOf(async () => performed({ value: ++n })),
  );
  assert.deepEqual(
    reports.map(({ receipt }) => receipt.epoch),
    [0, 1, 2],
  );
  const effect = { type: 'memory_op', id: 'one', decision: 'performed' };
  const first = { step: 0, result: null, effects: [{ ...effect, result: { value: 1 } }] };
  assert.deepEqual(
    reports.map(({ result }) => result),
    [null, first, { step: 1, result: first, effects: [{ ...effect, result: { value: 2 } }] }],
  );
  // Each input is another one, and the receipt says so.
  assert.equal(new Set(reports.map(({ receipt }) => receipt.inputHash)).size, 3);
});

test('a failure of an effect is told to the next step, with its reason', async () => {
  const reports = await steps(
    [RECALL],
    meansOf(async () => failed('busy', 'try later')),
    { steps: 2 },
  );
  assert.deepEqual(reports[1]?.result, {
    step: 0,
    result: null,
    effects: [
      {
        ...{ type: 'memory_op', id: 'one', decision: 'performed', reason: 'EffectFailed(busy)' },
        result: { error: { code: 'busy', message: 'try later' } },
      },
    ],
  });
});

test('the run ends with the step that asks for nothing, or does not end ok', async () => {
  const means = () => meansOf(async () => performed(null));
  assert.equal((await steps([], means())).length, 1);
  const denied = await steps([{ type: 'launch' }], means());
  assert.deepEqual(
    denied.map(({ status }) => status),
    ['denied'],
  );
  const budgeted = await steps(
    [RECALL],
    meansOf(async () => performed(null), 2),
    { steps: 5 },
  );
  assert.deepEqual(
    budgeted.map(({ status }) => status),
    ['ok', 'ok', 'denied'],
  );
});

test('phases are told apart by the steps of the run', async () => {
  const phases = [
    { name: 'gather', steps: 2, directives: ['memory_op'] },
    { name: 'act', directives: ['http_request'] },
  ];
  const reports = await steps(
    [RECALL],
    meansOf(async () => performed(null)),
    { steps: 9, phases },
  );
  assert.deepEqual(
    reports.map(({ decisions }) => decisions[0]?.reason),
    [undefined, undefined, 'OutOfPhase(memory_op, act)'],
  );
});
