// One governed run, warm, beside its floor and Extism.

import { deepStrictEqual } from 'node:assert/strict';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { signerFromSeed } from '../../engine/crypto/keys.ts';
import { executePrepared, prepareRun } from '../../engine/governed/execution.ts';
import {
  type GovernedRunRequest,
  governedRun,
  type RunServices,
} from '../../engine/governed/run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { createProcessIsolation } from '../../engine/platform/node/process-isolation.ts';
import { memoryReceiptStore } from '../../engine/provenance/memory-store.ts';
import { type Isolation, inThread } from '../../engine/runtime/isolation.ts';
import type { MemoryProfile } from '../../engine/runtime/profiles.ts';
import type { RunProblem } from '../../engine/runtime/types.ts';
import { type ExtismRun, prepareExtism } from '../peers/extism.ts';
import { type Block, inBlocks, mean, quantile } from '../turns.ts';
import type { Subject } from './executor.ts';
import { runOnFloor } from './floor.ts';

/** The isolation that runs are measured in beside the caller's own thread. */
function createIsolation(): Isolation {
  return createProcessIsolation({ script: pathToFileURL(join('dist', 'executor-host.js')) });
}

/** One way to run the executor, and the microseconds that its runs took. */
export interface Measured {
  readonly name: string;
  readonly median: number;
  /** What a run costs in the long run: garbage that it leaves is collected in later ones. */
  readonly mean: number;
  readonly p99: number;
}

/** What every way must come to, or they are not to be compared. */
interface Plan {
  readonly result: unknown;
  readonly directives: unknown;
}

interface Way {
  readonly name: string;
  readonly run: () => Promise<Plan>;
}

const ROUNDS = 60;
const BLOCK: Block = { warmup: 10, calls: 50 };
/** Rounds in which V8 compiles what is hot. */
const WARMUP_ROUNDS = 20;
/** A worker of Extism's takes some hundred times as long to create. */
const SLOW_ROUNDS = 10;
const SLOW_BLOCK: Block = { warmup: 1, calls: 3 };

export const FLOOR = 'floor: plain instance, JSON in and out';
export const EXTISM = 'Extism, create + call';

/** Measures all ways in turns, so that what disturbs the machine disturbs all, and each when it is warm. */
export async function measureGovernedRuns(subject: Subject): Promise<Measured[]> {
  const isolation = createIsolation();
  const extism = await prepareExtism({ runInWorker: false });
  const extismWorker = await prepareExtism({ runInWorker: true });
  try {
    const quick = [
      floor(subject),
      governed('in thread', subject, inThread),
      governed('in thread, in 1 MiB (profile "browser")', subject, inThread, 'browser'),
      recorded('in thread, receipt signed', subject, inThread),
      governed(`isolated (${isolation.mode})`, subject, isolation),
      recorded(`isolated (${isolation.mode}), receipt signed`, subject, isolation),
      calls(EXTISM, subject, extism.createAndCall),
      calls('Extism, call of a live plugin', subject, extism.call),
      calls('Extism, call of a live plugin in a worker', subject, extismWorker.call),
    ];
    const slow = [calls('Extism, create + call in a worker', subject, extismWorker.createAndCall)];
    await expectOnePlan([...quick, ...slow]);
    await measure(quick, WARMUP_ROUNDS, BLOCK);
    return [
      ...(await measure(quick, ROUNDS, BLOCK)),
      ...(await measure(slow, SLOW_ROUNDS, SLOW_BLOCK)),
    ];
  } finally {
    await Promise.all([isolation.close(), extism.close(), extismWorker.close()]);
  }
}

async function measure(ways: readonly Way[], rounds: number, block: Block): Promise<Measured[]> {
  const runs = ways.map(({ run }) => run);
  const times = await inBlocks(runs, rounds, block);
  return ways.map(({ name }, i) => {
    const taken = times[i] ?? [];
    return { name, median: quantile(taken, 0.5), mean: mean(taken), p99: quantile(taken, 0.99) };
  });
}

function floor({ bytes, input }: Subject): Way {
  const module = new WebAssembly.Module(bytes);
  return {
    name: FLOOR,
    run: async () => runOnFloor(module, input),
  };
}

/** The governed run without its record: what a caller pays who keeps no receipts. */
function governed(
  name: string,
  subject: Subject,
  isolation: Isolation,
  memoryProfile?: MemoryProfile,
): Way {
  const services = { crypto: nodeCrypto, isolation };
  const request = requestOf(subject, memoryProfile);
  return {
    name,
    run: async () => {
      const { outcome, status } = await executePrepared(services, prepareRun(nodeCrypto, request));
      if (status !== 'ok') throw failed(status, outcome.problem);
      return outcome;
    },
  };
}

function recorded(name: string, subject: Subject, isolation: Isolation): Way {
  const services: RunServices = {
    crypto: nodeCrypto,
    isolation,
    receipts: memoryReceiptStore(),
    environment: signerFromSeed(nodeCrypto, nodeCrypto.randomBytes(32)),
  };
  const request = requestOf(subject);
  return {
    name,
    run: async () => {
      const report = await governedRun(services, request);
      if (report.status !== 'ok') throw failed(report.status, report.problem);
      return report;
    },
  };
}

function failed(status: string, problem: RunProblem | undefined): Error {
  return new Error(`the run ended "${status}": ${problem?.message ?? 'without a problem'}`);
}

/** How the subject is run, whatever it is run in. */
export function requestOf(
  { executor, input, limits, policy }: Subject,
  // That of the executor's manifest.
  memoryProfile: MemoryProfile = 'edge',
): GovernedRunRequest {
  return { executor, name: 'call', version: '1.0.0', input, limits, memoryProfile, policy };
}

function calls(name: string, { input }: Subject, call: ExtismRun['call']): Way {
  return {
    name,
    run: async () => JSON.parse(await call(JSON.stringify(input))),
  };
}

/** Runs each way once. @throws {Error} when one comes to another plan than the floor. */
async function expectOnePlan(ways: readonly Way[]): Promise<void> {
  const expected = { result: { machine: 'billing/refund@2', calls: 1 }, count: 1 };
  for (const { run } of ways) {
    const { result, directives } = await run();
    deepStrictEqual({ result, count: Array.isArray(directives) ? directives.length : 0 }, expected);
  }
}
