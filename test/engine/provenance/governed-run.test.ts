import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import type { JsonValue } from '../../../engine/encoding/json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { AdmissionError, type AdmittedExecutor, createGate } from '../../../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { EMPTY_TRUST_STORE } from '../../../engine/gate/trust-store.ts';
import {
  type GovernedRunRequest,
  governedRun,
  type RunServices,
} from '../../../engine/governed/run.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { memoryReceiptStore } from '../../../engine/provenance/memory-store.ts';
import { serializeReceipt } from '../../../engine/provenance/receipt.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import type { Isolation } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS, type Outcome, type RunStatus } from '../../../engine/runtime/types.ts';
import { builtInWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { crypto, ENVIRONMENT, hashOf, readAll, TRUST } from './fixtures.ts';
import { temporaryFolder } from './store-harness.ts';

const EMPTY_MODULE = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const GATE_ENVIRONMENT = {
  crypto,
  whitelist: builtInWhitelist(crypto),
  trust: EMPTY_TRUST_STORE,
  policy: { ...DEFAULT_POLICY, minimumTier: 3 as const },
  now: () => 0,
};

function admit(): { executor: AdmittedExecutor; drop: () => void } {
  const gate = createGate(GATE_ENVIRONMENT);
  const admission = gate.admit({ bytes: EMPTY_MODULE, tier: 3 });
  assert.ok(admission.admitted);
  return { executor: admission.executor, drop: () => gate.update(GATE_ENVIRONMENT) };
}

const OUTPUT = '{"result":{"sum":3},"directives":[]}';

function outcome(more: Partial<Outcome> = {}): Outcome {
  return {
    status: 'ok',
    result: { sum: 3 },
    directives: [],
    logs: [{ level: 'info', message: 'adding' }],
    output: encodeUtf8(OUTPUT),
    fuel: { limit: DEFAULT_LIMITS.fuel, used: 17 },
    completed: ['gate', 'instantiate', 'plan'],
    ...more,
  };
}

/** A place to run that answers what it is told to. */
function answering(answer: () => Outcome | Promise<Outcome>): Isolation {
  return { mode: 'in-thread', execute: async () => answer(), close: async () => {} };
}

function services(answer: () => Outcome | Promise<Outcome>): RunServices {
  return {
    crypto,
    isolation: answering(answer),
    receipts: memoryReceiptStore(),
    environment: ENVIRONMENT,
  };
}

function request(more: Partial<GovernedRunRequest> = {}): GovernedRunRequest {
  return {
    executor: admit().executor,
    name: 'call',
    version: '1.2.0',
    input: { context: { b: 1, a: 2 } },
    limits: DEFAULT_LIMITS,
    policy: { trust: 'reviewed', declared: ['machine.call'], grants: new Set() },
    ...more,
  };
}

const HTTP = { type: 'http_request', method: 'GET', url: 'https://a.example/' };
const CALL = { type: 'call_machine', machine: 'ledger', inputs: {} };

test('a run that ends well is governed, recorded and reported', async () => {
  const shared = services(() => outcome({ directives: [CALL] }));
  const report = await governedRun(shared, request());
  assert.equal(report.status, 'ok');
  assert.deepEqual(report.result, { sum: 3 });
  assert.deepEqual(report.completed, ['gate', 'instantiate', 'plan', 'govern', 'record']);
  assert.deepEqual(
    report.decisions.map(({ decision, reason }) => [decision, reason]),
    [['recorded', 'NotGranted(machine.call)']],
  );
  const { receipt } = report;
  assert.equal(receipt.executor, 'call@1.2.0');
  assert.equal(receipt.artifactHash, crypto.sha256(EMPTY_MODULE));
  assert.equal(receipt.tier, 3);
  assert.equal(receipt.purityMethod, 'unchecked');
  assert.equal(receipt.certificateHash, null);
  assert.equal(receipt.inputHash, hashOf('{"context":{"a":2,"b":1},"step_config":{}}'));
  assert.equal(receipt.outputHash, hashOf(OUTPUT));
  assert.deepEqual(receipt.fuel, { limit: DEFAULT_LIMITS.fuel, schedule: 'fuel/1', used: 17 });
  const chain = shared.receipts.open('call');
  assert.deepEqual(
    await readAll(chain),
    new Uint8Array(Buffer.concat([serializeReceipt(receipt), Buffer.from('\n')])),
  );
  assert.equal((await verifyStoredChain(crypto, chain, TRUST)).verdict, 'valid');
});

test('a denied directive makes the run denied', async () => {
  const shared = services(() => outcome({ directives: [CALL, HTTP, CALL] }));
  const report = await governedRun(shared, request());
  assert.equal(report.status, 'denied');
  assert.equal(report.receipt.status, 'denied');
  assert.deepEqual(report.receipt.completed, ['gate', 'instantiate', 'plan', 'govern', 'record']);
  assert.deepEqual(
    report.receipt.directives.map(({ type, decision }) => [type, decision]),
    [
      ['call_machine', 'recorded'],
      ['http_request', 'denied'],
      ['call_machine', 'skipped'],
    ],
  );
});

const BAD_ENDS: readonly (readonly [RunStatus, Partial<Outcome>])[] = [
  ['error', {}],
  ['trap', { output: undefined, completed: ['gate', 'instantiate'] }],
  ['out-of-fuel', { output: undefined, completed: ['gate', 'instantiate'] }],
  ['memory-limit', { output: undefined, completed: ['gate'] }],
  ['output-limit', { output: undefined }],
  ['log-limit', { output: undefined }],
  ['directive-limit', {}],
  ['call-depth', { output: undefined }],
  ['timeout', { output: undefined, completed: ['gate', 'instantiate'] }],
  ['cancelled', { output: undefined, completed: ['gate'] }],
];

test('however a run ends, it leaves a receipt, and nothing of it is governed', async () => {
  const shared = services(() => outcome());
  for (const [epoch, [status, more]] of BAD_ENDS.entries()) {
    const ended = outcome({
      status,
      result: null,
      problem: { code: 'some-problem', message: 'what happened' },
      ...more,
    });
    const report = await governedRun({ ...shared, isolation: answering(() => ended) }, request());
    assert.equal(report.status, status);
    assert.equal(report.receipt.status, status);
    assert.equal(report.receipt.epoch, epoch);
    assert.equal(report.result, null);
    assert.equal(report.problem?.code, 'some-problem');
    assert.deepEqual(report.decisions, []);
    assert.deepEqual(report.completed, ended.completed);
    assert.deepEqual(report.receipt.completed, ended.completed);
    assert.equal(report.receipt.outputHash, ended.output === undefined ? null : hashOf(OUTPUT));
    const stopped = status === 'timeout' || status === 'cancelled';
    assert.equal(report.receipt.fuel.used, stopped ? null : 17);
  }
  const verdict = await verifyStoredChain(crypto, shared.receipts.open('call'), TRUST);
  assert.equal(verdict.holds, BAD_ENDS.length);
});

test('a host that fails leaves a receipt too, and no stack trace', async () => {
  const shared = services(() => {
    throw new Error('worker lost\n    at somewhere');
  });
  const { status, problem, receipt } = await governedRun(shared, request());
  assert.equal(status, 'trap');
  assert.equal(problem?.code, 'host-failure');
  assert.equal(problem?.message, 'the host failed: worker lost');
  assert.deepEqual(receipt.completed, ['gate']);
  assert.equal(receipt.fuel.used, null);
});

test('directives that cannot be governed make a trap, not a loss', async () => {
  const directives = [{ type: 'broadcast', event: '\ud800' }];
  const { status, receipt, decisions } = await governedRun(
    services(() => outcome({ directives })),
    request(),
  );
  assert.equal(status, 'trap');
  assert.deepEqual(decisions, []);
  assert.equal(receipt.outputHash, hashOf(OUTPUT));
  assert.deepEqual(receipt.completed, ['gate', 'instantiate', 'plan']);
});

test('what did not run leaves no receipt', async () => {
  let runs = 0;
  const shared = services(() => {
    runs++;
    return outcome();
  });
  const { executor, drop } = admit();
  const forged: AdmittedExecutor = Object.create(Object.getPrototypeOf(executor));
  await assert.rejects(governedRun(shared, request({ executor: forged })), AdmissionError);
  drop();
  await assert.rejects(governedRun(shared, request({ executor })), AdmissionError);
  const inputs: JsonValue[] = [[], { other: 1 }, { context: 1 }, { context: { a: '\ud800' } }];
  for (const input of inputs) {
    await assert.rejects(governedRun(shared, request({ input })), InputError);
  }
  await assert.rejects(
    governedRun(shared, request({ limits: { ...DEFAULT_LIMITS, fuel: 0.5 } })),
    RangeError,
  );
  await assert.rejects(governedRun(shared, request({ name: '../call' })), { code: 'usage' });
  assert.equal(runs, 0);
  assert.deepEqual(await shared.receipts.list(), []);
});

test('an admission that is dropped while the host runs it leaves no receipt', async () => {
  const shared = services(() => {
    throw new AdmissionError('the keys changed');
  });
  await assert.rejects(governedRun(shared, request()), AdmissionError);
  assert.deepEqual(await shared.receipts.list(), []);
});

test('a run whose receipt cannot be written is not reported', async () => {
  const folder = temporaryFolder();
  const shared = { ...services(() => outcome()), receipts: fileReceiptStore(crypto, folder) };
  await governedRun(shared, request());
  rmSync(join(folder, 'call.jsonl'));
  await assert.rejects(governedRun(shared, request()), { code: 'invalid-receipt' });
  const locked = { ...ENVIRONMENT, sign: () => Promise.reject(new Error('the key is locked')) };
  await assert.rejects(
    governedRun({ ...services(() => outcome()), environment: locked }, request()),
    /the key is locked/,
  );
});

test('1,000 equal runs on fresh chains give equal receipts', async () => {
  const { executor } = admit();
  const written = new Set<string>();
  for (let i = 0; i < 1_000; i++) {
    const shared = services(() => outcome({ directives: [CALL, HTTP] }));
    const { receipt } = await governedRun(shared, request({ executor }));
    written.add(Buffer.from(serializeReceipt(receipt)).toString());
  }
  assert.equal(written.size, 1);
});
