import type { Crypto, Sha256, Signer } from './crypto/crypto.ts';
import { displayText } from './encoding/display.ts';
import type { JsonValue } from './encoding/json.ts';
import { AdmissionError, type AdmittedExecutor, openAdmitted } from './gate/admit.ts';
import { PURITY_METHODS, type PurityMethod, type Tier } from './gate/types.ts';
import { BUDGET_EXHAUSTED, govern } from './governance/govern.ts';
import type { Decision, GovernanceObserver, Policy } from './governance/types.ts';
import { type KeptState, type StateRequest, stateAfter } from './governed-state.ts';
import { buildContent, type RunFacts } from './provenance/build.ts';
import { PHASES } from './provenance/receipt.ts';
import { type MakeContent, writeReceipts } from './provenance/record.ts';
import { writeSnapshot } from './provenance/snapshot.ts';
import type { ReceiptStore } from './provenance/store.ts';
import type { Receipt } from './provenance/types.ts';
import {
  budgetExhausted,
  type Clock,
  checkBudget,
  NO_BUDGET,
  type PhaseBudget,
} from './runtime/budget.ts';
import { InputDocument } from './runtime/input.ts';
import type { Isolation } from './runtime/isolation.ts';
import { checkLimits } from './runtime/limits.ts';
import type { MemoryProfile } from './runtime/profiles.ts';
import { runExecutor } from './runtime/run.ts';
import type {
  Directive,
  LogEntry,
  Outcome,
  Phase,
  RunLimits,
  RunProblem,
} from './runtime/types.ts';

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
  /** Is told of each stage of governance as it is passed. */
  readonly observer?: GovernanceObserver;
}

/** What `run --format json` prints (DESIGN 10) of a run that passed the gate. */
export interface RunReport {
  readonly status: Receipt['status'];
  /** What the executor answered, also where a directive of it was denied; `null` without an answer. */
  readonly result: JsonValue;
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
}

/** A run as documents tell it: the fields of `run --format json` (DESIGN 10), in its order. */
export interface RunDocument
  extends Pick<
    RunReport,
    | 'result'
    | 'directives'
    | 'logs'
    | 'fuel'
    | 'tier'
    | 'purityMethod'
    | 'overBudget'
    | 'stateProblem'
  > {
  readonly status: RunReport['status'] | 'not-admitted';
  /** One for each directive, in order. */
  readonly decisions: readonly DecisionDocument[];
  /** Null where nothing ran. */
  readonly receipt: Receipt | null;
  /** Why there is no result; of `not-admitted`, the check that failed. */
  readonly problem?: RunProblem;
}

/** A decision as documents tell it: the directive itself stands beside it. */
export type DecisionDocument = { readonly type: string } & Omit<Decision, 'directive'>;

/** The decisions of a run, as documents tell them. */
export function decisionDocuments({ decisions }: RunReport): readonly DecisionDocument[] {
  return decisions.map(({ directive, ...decision }) => ({ type: directive.type, ...decision }));
}

/** A run that was recorded, as documents tell it. */
export function runDocument(report: RunReport): RunDocument {
  const { status, result, directives, logs, fuel, tier, purityMethod, receipt } = report;
  const { problem, overBudget, stateProblem } = report;
  return {
    status,
    result,
    directives,
    decisions: decisionDocuments(report),
    logs,
    fuel,
    tier,
    purityMethod,
    receipt,
    ...(problem !== undefined && { problem }),
    ...(overBudget !== undefined && { overBudget }),
    ...(stateProblem !== undefined && { stateProblem }),
  };
}

/** The document of a run that was asked for and not let through. */
export function notAdmittedDocument(tier: Tier, fuel: number, problem: RunProblem): RunDocument {
  return {
    status: 'not-admitted',
    result: null,
    directives: [],
    decisions: [],
    logs: [],
    fuel: { limit: fuel, used: null },
    tier,
    purityMethod: PURITY_METHODS[tier],
    receipt: null,
    problem,
  };
}

/**
 * Runs an admitted executor, governs the directives it gave if it ended well, and records the run
 * (DESIGN 2, 8). However the run ends, it leaves a receipt, and only a run whose receipt is durable
 * is reported.
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
  const run = await executePrepared(services, prepared);
  const began = now?.() ?? 0;
  let kept: KeptState | undefined;
  const appended = await chain.append(async (tip) => {
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
    return written;
  });
  const { receipt } = only(appended);
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

/** What is there of one run. */
function only<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined || items.length > 1) throw new TypeError('a run has one receipt');
  return item;
}

/** A request whose input is read. */
type ReadRequest = Omit<GovernedRunRequest, 'input'> & { readonly input: InputDocument };

/** A run that has not begun: its input is read and its executor admitted. */
export interface PreparedRun {
  readonly request: ReadRequest;
  readonly inputHash: Sha256;
}

/**
 * Reads a request, each field once, so that what is recorded is what ran. Errors as
 * {@link governedRun}, where nothing ran.
 */
export function prepareRun(crypto: Crypto, given: GovernedRunRequest): PreparedRun {
  const input = new InputDocument(given.input);
  const request = { ...given, input };
  openAdmitted(request.executor);
  return { request, inputHash: crypto.sha256(input.bytes) };
}

/** A run that came to its end and has no receipt yet. Whoever holds one records it. */
export interface UnrecordedRun extends RunFacts {
  readonly outcome: Outcome;
  readonly overBudget: readonly Phase[];
}

/** Runs and governs. Errors as {@link governedRun}, where nothing ran. */
export async function executePrepared(
  services: Pick<RunServices, 'crypto' | 'isolation' | 'now'>,
  { request, inputHash }: PreparedRun,
): Promise<UnrecordedRun> {
  const { executor, name, version } = request;
  const run = await execute(services, request);
  return { executor: `${name}@${version}`, admitted: executor, inputHash, ...run };
}

/** What happened, before it is recorded. */
interface Executed {
  readonly outcome: Outcome;
  readonly decisions: readonly Decision[];
  readonly status: Receipt['status'];
  readonly completed: readonly Phase[];
  readonly overBudget: readonly Phase[];
}

async function execute(
  { crypto, isolation, now }: Pick<RunServices, 'crypto' | 'isolation' | 'now'>,
  request: ReadRequest,
): Promise<Executed> {
  const { executor, policy, observer, input, memoryProfile, entry, signal } = request;
  const checked = checkLimits(request.limits);
  const shares = checkBudget(request.budget ?? NO_BUDGET, now);
  const state = request.state && { before: request.state.before?.state };
  let outcome: Outcome;
  try {
    outcome = await runExecutor(
      executor,
      { input, memoryProfile, entry, signal, limits: checked, budget: shares, now, state },
      isolation,
    );
  } catch (error) {
    if (error instanceof AdmissionError) throw error;
    return ended(hostFailure(error, checked, ['gate']));
  }
  if (outcome.status !== 'ok') return ended(outcome);
  try {
    const isOver = clockFor(shares.govern, now);
    const decisions = govern(crypto, outcome.directives, policy, observer, isOver);
    if (decisions.some(({ reason }) => reason === BUDGET_EXHAUSTED)) {
      const problem = budgetExhausted('govern', shares.govern ?? 0);
      const status = 'timeout';
      return { ...ended({ ...outcome, status, problem }), decisions };
    }
    const denied = decisions.some(({ decision }) => decision === 'denied');
    const overBudget: readonly Phase[] = isOver() ? ['govern'] : [];
    return { outcome, decisions, status: denied ? 'denied' : 'ok', completed: PHASES, overBudget };
  } catch (error) {
    const { output, logs, fuel, completed } = outcome;
    return ended({ ...hostFailure(error, checked, completed), output, logs, fuel });
  }
}

function ended(outcome: Outcome): Executed {
  const { status, completed } = outcome;
  return { outcome, decisions: [], status, completed, overBudget: [] };
}

/** Says whether a share that begins now is used up. */
function clockFor(share: number | undefined, now: Clock | undefined): () => boolean {
  if (share === undefined || now === undefined) return () => false;
  const end = now() + share;
  return () => now() > end;
}

/** The outcome of a run that the host, not the executor, failed to bring to an end. */
function hostFailure(error: unknown, limits: RunLimits, completed: readonly Phase[]): Outcome {
  const [message = ''] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return {
    status: 'trap',
    result: null,
    directives: [],
    logs: [],
    problem: { code: 'host-failure', message: `the host failed: ${displayText(message, 300)}` },
    output: undefined,
    fuel: { limit: limits.fuel, used: null },
    completed,
  };
}

/** The report of a run whose receipt is durable. */
export function toReport(
  { outcome, decisions, status, completed, overBudget }: UnrecordedRun,
  receipt: Receipt,
): RunReport {
  return {
    status,
    result: outcome.result,
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
  };
}
