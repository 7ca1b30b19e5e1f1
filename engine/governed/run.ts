import type { Crypto, Signer } from '../crypto/crypto.ts';
import type { JsonValue } from '../encoding/json.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import type { PurityMethod, Tier } from '../gate/types.ts';
import type { EventSink, RunEvent } from '../governance/events.ts';
import type { Decision, GovernanceObserver, Means, Policy } from '../governance/types.ts';
import { buildContent } from '../provenance/build.ts';
import type { OpenRun, RunJournal } from '../provenance/journal.ts';
import { type MakeContent, writeReceipts } from '../provenance/record.ts';
import { writeSnapshot } from '../provenance/snapshot.ts';
import type { ReceiptStore } from '../provenance/store.ts';
import type { EndStatus, Receipt } from '../provenance/types.ts';
import { type Clock, checkBudget, NO_BUDGET, type PhaseBudget } from '../runtime/budget.ts';
import type { Isolation } from '../runtime/isolation.ts';
import type { MemoryProfile } from '../runtime/profiles.ts';
import type {
  Directive,
  LogEntry,
  Outcome,
  Phase,
  RunLimits,
  RunProblem,
} from '../runtime/types.ts';
import { executePrepared, prepareRun, type UnrecordedRun } from './execution.ts';
import { recordInterrupted } from './recovery.ts';
import { type KeptState, type StateRequest, stateAfter } from './state.ts';

/** What governed runs share. */
export interface RunServices {
  readonly crypto: Crypto;
  /** Where the executor runs. */
  readonly isolation: Isolation;
  readonly receipts: ReceiptStore;
  /** The environment's key, which signs receipts. */
  readonly environment: Signer;
  /** Measures phases, where a request has a budget for them. */
  readonly now?: Clock | undefined;
  /** Remembers effects that have begun. A run that may perform some needs it. */
  readonly journal?: RunJournal | undefined;
}

export interface GovernedRunRequest {
  readonly executor: AdmittedExecutor;
  /** The executor's name, which names its chain of receipts too. */
  readonly name: string;
  readonly version: string;
  /** The input document, as `inputBytes` takes it. */
  readonly input: JsonValue;
  readonly limits: RunLimits;
  /** Fixes the memory at the pages of a profile, in place of `limits.memoryPages`. */
  readonly memoryProfile?: MemoryProfile | undefined;
  /** Shares of wall clock for the phases: see {@link PhaseBudget}. */
  readonly budget?: PhaseBudget | undefined;
  /** Makes the run stateful. */
  readonly state?: StateRequest | undefined;
  /** The exported function to call: `plan` unless another is named. */
  readonly entry?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly policy: Policy;
  /** What performs effects; without it all of them are recorded. */
  readonly means?: Means | undefined;
  /** How deep the run is nested in calls of machines: 0 unless given. */
  readonly depth?: number | undefined;
  /** Follows the run: takes its events as they come. Without it they are recorded, as directives. */
  readonly events?: EventSink | undefined;
  /** Is told of each stage of governance as it is passed. */
  readonly observer?: GovernanceObserver;
}

/** What `run --format json` prints (DESIGN 10) of a run that passed the gate. */
export interface RunReport {
  readonly status: EndStatus;
  /** What the executor answered, also where a directive of it was denied; `null` without an answer. */
  readonly result: JsonValue;
  /** The exact bytes of the output document, which the receipt names by their hash. */
  readonly output: Uint8Array | undefined;
  readonly directives: readonly Directive[];
  /** One for each directive, in order. */
  readonly decisions: readonly Decision[];
  readonly logs: readonly LogEntry[];
  readonly problem?: RunProblem;
  readonly fuel: Outcome['fuel'];
  readonly tier: Tier;
  readonly purityMethod: PurityMethod;
  /** The receipt, as it is in the store. */
  readonly receipt: Receipt;
  /** How far the run came: a prefix of the phases. */
  readonly completed: readonly Phase[];
  /** Phases that were finished and took longer than their share; absent where none did. */
  readonly overBudget?: readonly Phase[];
  /**
   * Why the state that a stateful run left was not kept: the chain had gone on meanwhile. Absent where
   * it was.
   */
  readonly stateProblem?: string;
  /** What the run told those who follow it, in the order it came; absent where that is nothing. */
  readonly events?: readonly RunEvent[];
}

/**
 * Runs an admitted executor, governs the directives it gave if it ended well, and records the run
 * (DESIGN 2, 8). However the run ends, it leaves a receipt, and only a run whose receipt is durable
 * is reported. Where the process ends before that, the journal knows of every effect that had begun,
 * and the next run leaves the receipt in its stead.
 * @throws {AdmissionError} for an executor the gate did not make or no longer admits: nothing ran.
 * @throws {InputError} `invalid-json` for an input that is no input document and `usage` for a name
 * that no chain can have: nothing ran; `unwritable`, `invalid-snapshot`, `invalid-receipt`, `invalid-key` or `too-large`
 * when the receipt cannot be made or written, and whatever the signer throws.
 * @throws {RangeError} for a limit or a share that is not a whole number: nothing ran.
 */
export async function governedRun(
  services: RunServices,
  given: GovernedRunRequest,
): Promise<RunReport> {
  const { crypto, receipts, environment, now } = services;
  const prepared = prepareRun(crypto, given);
  const { name, budget, state } = prepared.request;
  checkBudget(budget ?? NO_BUDGET, now);
  const chain = receipts.open(name);
  await recordInterrupted(services, name);
  const run = await executePrepared(services, prepared);
  const began = now?.() ?? 0;
  let kept: KeptState | undefined;
  const append = chain.append(async (tip) => {
    kept = state && stateAfter(crypto, run.outcome, run.status, state, tip);
    const facts = { ...run, ...(kept !== undefined && { state: kept.hashes }) };
    const make: MakeContent = (previous) =>
      buildContent(crypto, facts, previous, environment.publicKey.keyId);
    const written = await writeReceipts(crypto, 'each', [make], tip, environment);
    if (kept?.bytes !== undefined) {
      const { executor, memoryProfile } = prepared.request;
      const snapshot = await writeSnapshot(
        crypto,
        {
          executor: run.executor,
          admitted: executor,
          memoryProfile,
          tip: only(written).tip,
          state: kept.bytes,
        },
        environment,
      );
      await state?.prepare(snapshot);
    }
    run.open?.commit(only(written).tip);
    return written;
  });
  const { receipt } = only(await recorded(append, run.open));
  const isLate = budget?.record !== undefined && (now?.() ?? 0) - began > budget.record;
  const overBudget: readonly Phase[] = [
    ...run.overBudget,
    ...(isLate ? (['record'] as const) : []),
  ];
  return {
    ...toReport({ ...run, overBudget }, receipt),
    ...(kept?.problem !== undefined && { stateProblem: kept.problem }),
  };
}

/** What was appended; whatever happens, somebody answers for the effects that the journal knows of. */
async function recorded<Appended>(append: Promise<Appended>, open: OpenRun | undefined) {
  try {
    const appended = await append;
    await open?.close();
    return appended;
  } catch (error) {
    await open?.leave();
    throw error;
  }
}

/** What is there of one run. */
function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new TypeError('a run has one receipt');
  return item;
}

/** The report of a run whose receipt is durable. */
export function toReport(
  { outcome, decisions, status, completed, overBudget, events }: UnrecordedRun,
  receipt: Receipt,
): RunReport {
  return {
    status,
    result: outcome.result,
    output: outcome.output,
    directives: outcome.directives,
    decisions,
    logs: outcome.logs,
    ...(outcome.problem !== undefined && { problem: outcome.problem }),
    fuel: { limit: receipt.fuel.limit, used: receipt.fuel.used },
    tier: receipt.tier,
    purityMethod: receipt.purityMethod,
    receipt,
    completed,
    ...(overBudget.length > 0 && { overBudget }),
    ...(events !== undefined && events.length > 0 && { events }),
  };
}
