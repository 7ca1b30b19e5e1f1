// Where the time of one governed run goes, in thread with its receipt signed: the run's own services,
// each with a clock around it.

import type { Crypto, Signer } from '../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../engine/crypto/keys.ts';
import { governedRun } from '../../engine/governed/run.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { memoryReceiptStore } from '../../engine/provenance/memory-store.ts';
import type { ReceiptStore } from '../../engine/provenance/store.ts';
import { compileProgram } from '../../engine/runtime/compile.ts';
import { execute } from '../../engine/runtime/execute.ts';
import { type Isolation, inThread } from '../../engine/runtime/isolation.ts';
import { openJob } from '../../engine/runtime/job.ts';
import { settle } from '../../engine/runtime/settle.ts';
import { quantile } from '../turns.ts';
import type { Subject } from './executor.ts';
import { requestOf } from './governed.ts';

/** The steps of a run, in order, with what each is made of. */
const STAGES = {
  input: 'input canonical, read back and hashed; admission still holds; imports bound',
  instantiate: 'host functions made, fresh instance',
  plan: 'the executor itself, with its calls of the host',
  output: 'output and directives read from their bytes',
  govern: 'a decision for each directive',
  receipt: 'receipt built, written and kept; without the next',
  sign: 'Ed25519 signature',
} as const;

type Stage = keyof typeof STAGES;

const STAGE_NAMES: readonly Stage[] = [
  'input',
  'instantiate',
  'plan',
  'output',
  'govern',
  'receipt',
  'sign',
];

export interface StageTime {
  readonly stage: Stage;
  readonly about: string;
  /** Microseconds, median. */
  readonly median: number;
}

const ROUNDS = 3_000;
const WARMUP = 1_000;

/** The median time of every stage; stages of one run add up to the run, medians only nearly. */
export async function measureStages(subject: Subject): Promise<StageTime[]> {
  const stopwatch = new Stopwatch();
  const services = {
    crypto: nodeCrypto,
    isolation: clockedInThread(stopwatch),
    receipts: clockedStore(stopwatch),
    environment: clockedSigner(stopwatch),
  };
  const request = requestOf(subject);
  const times = new Map<Stage, number[]>(STAGE_NAMES.map((stage) => [stage, []]));
  for (let round = 0; round < WARMUP + ROUNDS; round++) {
    stopwatch.start();
    await governedRun(services, request);
    stopwatch.lap('receipt');
    if (round < WARMUP) continue;
    for (const [stage, values] of times) values.push(stopwatch.spent(stage));
  }
  return STAGE_NAMES.map((stage) => ({
    stage,
    about: STAGES[stage],
    median: quantile(times.get(stage) ?? [], 0.5),
  }));
}

/** Gives the time since its last lap to one stage after the other. */
class Stopwatch {
  readonly #spent = new Map<Stage, number>();
  #last = 0;

  start(): void {
    this.#spent.clear();
    this.#last = performance.now();
  }

  /** The time since the last lap was spent on `stage`. */
  lap(stage: Stage): void {
    const now = performance.now();
    this.#spent.set(stage, (this.#spent.get(stage) ?? 0) + now - this.#last);
    this.#last = now;
  }

  /** Microseconds. */
  spent(stage: Stage): number {
    return (this.#spent.get(stage) ?? 0) * 1000;
  }
}

/** `inThread`, with a lap at the end of each phase. */
function clockedInThread(stopwatch: Stopwatch): Isolation {
  return {
    mode: inThread.mode,
    execute: async (job) => {
      const contents = openJob(job);
      const module = compileProgram(contents.program);
      stopwatch.lap('input');
      const ended = execute(contents, module, (completed) => {
        stopwatch.lap(completed.at(-1) === 'instantiate' ? 'instantiate' : 'plan');
      });
      const outcome = settle(ended, contents.limits);
      stopwatch.lap('output');
      return outcome;
    },
    close: inThread.close,
  };
}

function clockedStore(stopwatch: Stopwatch): ReceiptStore {
  const store = memoryReceiptStore();
  return {
    ...store,
    open: (name) => {
      const chain = store.open(name);
      return {
        ...chain,
        append: (make) => {
          stopwatch.lap('govern');
          return chain.append(make);
        },
      };
    },
  };
}

function clockedSigner(stopwatch: Stopwatch): Signer {
  const sign: Crypto['sign'] = (seed, message) => {
    stopwatch.lap('receipt');
    const signature = nodeCrypto.sign(seed, message);
    stopwatch.lap('sign');
    return signature;
  };
  return signerFromSeed({ ...nodeCrypto, sign }, nodeCrypto.randomBytes(32));
}
