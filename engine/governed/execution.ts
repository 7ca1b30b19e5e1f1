import { bytesToHex } from '@noble/hashes/utils.js';
import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { AdmissionError, openAdmitted } from '../gate/admit.ts';
import { contentId } from '../governance/effect-id.ts';
import type { RunEvent } from '../governance/events.ts';
import { BUDGET_EXHAUSTED, govern, isDenial, NO_MEANS } from '../governance/govern.ts';
import type { Decision } from '../governance/types.ts';
import { type RunFacts, receiptDirective } from '../provenance/build.ts';
import type { OpenRun } from '../provenance/journal.ts';
import { PHASES } from '../provenance/receipt.ts';
import type { EndStatus } from '../provenance/types.ts';
import { budgetExhausted, type Clock, checkBudget, NO_BUDGET } from '../runtime/budget.ts';
import { InputDocument } from '../runtime/input.ts';
import { checkLimits } from '../runtime/limits.ts';
import { runExecutor } from '../runtime/run.ts';
import { cancelled } from '../runtime/settle.ts';
import type { Directive, Outcome, Phase, RunLimits } from '../runtime/types.ts';
import { follow } from './follow.ts';
import type { GovernedRunRequest, RunServices } from './run.ts';

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
  readonly status: EndStatus;
  readonly outcome: Outcome;
  readonly overBudget: readonly Phase[];
  readonly events?: readonly RunEvent[];
  /** What the journal knows of the run, where it performed effects. */
  readonly open?: OpenRun;
}

/** What runs and governs, beside what records. */
type ExecutionServices = Pick<RunServices, 'crypto' | 'isolation' | 'now' | 'journal'>;

/** Runs and governs. Errors as {@link governedRun}, where nothing ran. */
export async function executePrepared(
  services: ExecutionServices,
  prepared: PreparedRun,
): Promise<UnrecordedRun> {
  const { executor, name, version } = prepared.request;
  const about = {
    executor: `${name}@${version}`,
    admitted: executor,
    inputHash: prepared.inputHash,
  };
  return { ...about, ...(await execute(services, prepared.request, about)) };
}

/** What happened, before it is recorded. */
type Executed = Omit<UnrecordedRun, keyof RunIdentity>;

/** Whose run it is, and what it was given. */
type RunIdentity = Pick<RunFacts, 'executor' | 'admitted' | 'inputHash'>;

async function execute(
  services: ExecutionServices,
  request: ReadRequest,
  about: RunIdentity,
): Promise<Executed> {
  const { isolation, now } = services;
  const { executor, input, memoryProfile, entry, signal } = request;
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
  return governOutcome(services, request, { ...about, outcome }, shares.govern);
}

/** A run whose directives are to be governed. */
type Planned = RunIdentity & { readonly outcome: Outcome };

async function governOutcome(
  services: ExecutionServices,
  request: ReadRequest,
  run: Planned,
  share: number | undefined,
): Promise<Executed> {
  const { crypto, now } = services;
  const { policy, means = NO_MEANS, observer, signal, depth = 0 } = request;
  const { outcome, executor, admitted } = run;
  const isOver = clockFor(share, now);
  const following = follow(request.events, { ...run, ...admitted });
  const journal = journalOf(services, request.name, run);
  let nonce: string | undefined;
  const effectIdOf = ({ id }: Directive, index: number) => {
    if (typeof id === 'string') return contentId({ executor: request.name, id });
    nonce ??= bytesToHex(crypto.randomBytes(16));
    return contentId({ run: nonce, index });
  };
  try {
    const decisions = await govern(crypto, outcome.directives, {
      ...{ policy, observer, isOver, signal, effectIdOf },
      means: following?.withEvents(means) ?? means,
      caller: { executor, artifactHash: admitted.artifactHash, depth },
      openJournal: journal.start,
      emit: following?.emit,
    });
    const governed = { decisions, ...following?.collected(), ...journal.opened() };
    if (decisions.some(({ reason }) => reason === BUDGET_EXHAUSTED)) {
      const problem = budgetExhausted('govern', share ?? 0);
      return { ...ended({ ...outcome, status: 'timeout', problem }), ...governed };
    }
    if (signal?.aborted) {
      const { status, problem } = cancelled(request.limits);
      return { ...ended({ ...outcome, status, ...(problem && { problem }) }), ...governed };
    }
    const status = decisions.some(isDenial) ? 'denied' : 'ok';
    const overBudget: readonly Phase[] = isOver() ? ['govern'] : [];
    return { outcome, status, completed: PHASES, overBudget, ...governed };
  } catch (error) {
    // Nothing was performed: a directive that cannot be hashed is found before any of them is.
    const { output, logs, fuel, completed } = outcome;
    const failure = hostFailure(error, request.limits, completed);
    return ended({ ...failure, output, logs, fuel });
  }
}

/** The journal of a run, which is there once an effect is about to begin. */
function journalOf({ journal }: ExecutionServices, name: string, run: Planned) {
  let open: OpenRun | undefined;
  return {
    start: async () => {
      if (journal === undefined) throw new TypeError('a run that performs effects needs a journal');
      const started = await journal.open(name, run);
      open = started;
      return {
        begin: (index: number) => started.begin(index),
        decide: (index: number, decision: Decision) =>
          started.decide(index, receiptDirective(decision)),
      };
    },
    opened: () => open !== undefined && { open },
  };
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
