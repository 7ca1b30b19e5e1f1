import type { Crypto } from '../crypto/crypto.ts';
import { canonicalBytes, type JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import { askAll } from './ask.ts';
import type { Caller } from './effect.ts';
import { type Effect, execute } from './execute.ts';
import type { Hook, HookOpinion } from './hook.ts';
import type { EffectJournal } from './journal.ts';
import { judgePermission, judgePhase, judgeTrust } from './stages.ts';
import type {
  Decision,
  GovernanceEvent,
  GovernanceObserver,
  Means,
  Policy,
  Stage,
} from './types.ts';

/** Why a directive was not governed: the share of wall clock for it was used up. */
export const BUDGET_EXHAUSTED = 'BudgetExhausted(govern)';

/** Why a directive was not governed: the run was cancelled. */
export const CANCELLED = 'Cancelled(govern)';

/** Nothing is performed by these means. */
export const NO_MEANS: Means = Object.freeze({ handlers: new Map<never, never>() });

/** What is governed, by what, for whom. */
export interface Governing {
  readonly policy: Policy;
  readonly means?: Means | undefined;
  readonly caller?: Caller | undefined;
  /** The id of a directive's effect: the same when the directive is tried again. */
  readonly effectIdOf?: ((directive: Directive, index: number) => string) | undefined;
  /** Opens the journal; asked once, before the first effect. */
  readonly openJournal?: (() => Promise<EffectJournal>) | undefined;
  /** Takes pieces of answers as they come. */
  readonly emit?: ((effectId: string, payload: JsonValue) => void) | undefined;
  /** Is told of each stage; what it throws is ignored. */
  readonly observer?: GovernanceObserver | undefined;
  /**
   * Says before each directive whether the time for governing is up: the directives that are left are
   * `skipped` then.
   */
  readonly isOver?: (() => boolean) | undefined;
  /** Ends effects that are under way; the directives that are left are `skipped`. */
  readonly signal?: AbortSignal | undefined;
}

/** What the stages up to `guardrails` came to for one directive. */
type Finding = Omit<Decision, 'directive' | 'hash'>;

/** Tells the observer about one directive. */
type Tell = (event: Omit<GovernanceEvent, 'index'>) => void;

/**
 * The interpreter: takes a list of directives through the stages of governance (DESIGN 8): trust,
 * permission, phase, pre-hooks, execute and guardrails, each of which may deny; then provenance and
 * broadcast, always. The list stops at its first denial, and the directives after it are `skipped`.
 * Every directive gets exactly one decision, in the order given.
 * @throws {InputError} `invalid-json` for a directive without a canonical form, before any of the list
 *   is performed.
 */
export async function govern(
  crypto: Crypto,
  directives: readonly Directive[],
  governing: Governing,
): Promise<readonly Decision[]> {
  const hashes = directives.map((directive) => crypto.sha256(canonicalBytes(directive)));
  const decisions: Decision[] = [];
  const journal = createJournal(governing.openJournal, decisions);
  let end: Finding | undefined;
  for (const [index, directive] of directives.entries()) {
    const hash = hashes[index] ?? crypto.sha256(canonicalBytes(directive));
    const tell: Tell = (event) => tellSafely(governing.observer, { index, ...event });
    end ??= endOf(governing);
    const finding =
      end ??
      (await judge(directive, {
        ...{ crypto, governing, tell },
        effectId: governing.effectIdOf?.(directive, index) ?? '',
        begin: () => journal.begin(index),
        performed: (found) => journal.decide(index, { directive, hash, ...found }),
      }));
    if (isDenial(finding)) end = skippedAfter(index + 1, finding.stage);
    const decision: Decision = { directive, hash, ...finding };
    decisions.push(await provenance(decision, index, { journal, tell }));
    broadcast(decision, tell);
  }
  return decisions;
}

/** The stage `provenance`: a decision becomes part of the run's record, whatever it is. */
async function provenance(
  decision: Decision,
  index: number,
  { journal, tell }: { readonly journal: ListJournal; readonly tell: Tell },
): Promise<Decision> {
  await journal.decide(index, decision);
  tell({ stage: 'provenance', outcome: 'passed', decision });
  return decision;
}

/** The stage `broadcast`: a decision is told to those who follow the run, whatever it is. */
function broadcast(decision: Decision, tell: Tell): void {
  tell({ stage: 'broadcast', outcome: 'passed', decision });
}

/** Whether a decision stops its list, and makes the run one that ended `denied`. */
export function isDenial({ decision }: Pick<Decision, 'decision'>): boolean {
  return decision === 'denied' || decision === 'withheld';
}

/** One directive on its way through the stages. */
interface Passage {
  readonly crypto: Crypto;
  readonly governing: Governing;
  readonly tell: Tell;
  readonly effectId: string;
  readonly begin: () => Promise<void>;
  /** Is told what came of the effect before it is judged. */
  readonly performed: (finding: Finding) => Promise<void>;
}

/** The stages from `trust` to `guardrails`, in order: the first that denies decides. */
async function judge(directive: Directive, passage: Passage): Promise<Finding> {
  const { governing, tell, performed } = passage;
  const { policy, means = NO_MEANS } = governing;
  const opinions: HookOpinion[] = [];
  /** Tells how a stage went, and answers the denial where it was one. */
  const pass = (stage: Stage, reason: string | undefined): Finding | undefined => {
    tell({ stage, outcome: reason === undefined ? 'passed' : 'denied', ...(reason && { reason }) });
    return reason === undefined ? undefined : { decision: 'denied', stage, reason };
  };
  const heard = () => (opinions.length === 0 ? {} : { hooks: opinions });

  let denial =
    pass('trust', judgeTrust(directive, policy)) ??
    pass('permission', judgePermission(directive, policy, means));
  if (policy.phase !== undefined) denial ??= pass('phase', judgePhase(directive, policy));
  if (denial !== undefined) return denial;
  if (hasHooks(means.preHooks)) {
    denial = pass('pre-hooks', await askPreHooks(directive, governing, opinions));
    if (denial !== undefined) return { ...denial, ...heard() };
  }

  const effect = await execute(directive, { ...executionOf(passage), policy, means });
  if (effect.decision === 'denied') {
    pass('execute', effect.reason);
    return { ...effect, stage: 'execute', ...heard() };
  }
  pass('execute', undefined);
  const found: Finding = { ...effect, stage: 'execute' };
  if (!hasHooks(means.guardrails)) return { ...found, ...heard() };
  if (effect.decision === 'performed') await performed({ ...found, ...heard() });
  denial = pass('guardrails', await askGuardrails(directive, effect, governing, opinions));
  return { ...(denial === undefined ? found : held(effect, denial)), ...heard() };
}

function hasHooks(hooks: readonly Hook[] | undefined): boolean {
  return hooks !== undefined && hooks.length > 0;
}

/** The stage `pre-hooks`: all of them let the directive through, before anything is done. */
function askPreHooks(
  directive: Directive,
  { means = NO_MEANS, caller = NOBODY, signal }: Governing,
  opinions: HookOpinion[],
): Promise<string | undefined> {
  const { preHooks: hooks = [], reviewer } = means;
  const question = { stage: 'pre-hooks', directive, executor: caller.executor } as const;
  return askAll({ hooks, reviewer, signal }, question, opinions);
}

/** The stage `guardrails`: all of them let pass what came of the directive. */
function askGuardrails(
  directive: Directive,
  { decision, reason, result = null }: Exclude<Effect, { readonly decision: 'denied' }>,
  { means = NO_MEANS, caller = NOBODY, signal }: Governing,
  opinions: HookOpinion[],
): Promise<string | undefined> {
  const { guardrails: hooks = [], reviewer } = means;
  const effect = { decision, ...(reason !== undefined && { reason }), result };
  const question = { stage: 'guardrails', directive, executor: caller.executor, effect } as const;
  return askAll({ hooks, reviewer, signal }, question, opinions);
}

function executionOf({ crypto, governing, effectId, begin }: Passage) {
  const { caller = NOBODY, signal = NEVER, emit } = governing;
  const pass = (payload: JsonValue) => emit?.(effectId, payload);
  return { crypto, caller, effectId, signal, begin, emit: pass };
}

/** Who asks, where nobody says. */
const NOBODY: Caller = Object.freeze({
  executor: '',
  artifactHash: '0'.repeat(64) as Caller['artifactHash'],
  depth: 0,
});

/** What does not abort. */
const NEVER = new AbortController().signal;

/** What a guardrail denied: an effect that happened stays one, and the executor is told nothing of it. */
function held(effect: Effect, denial: Finding): Finding {
  if (effect.decision !== 'performed') return denial;
  const { resultHash, link } = effect;
  const message = 'a guardrail holds what came of this directive back';
  return {
    ...denial,
    decision: 'withheld',
    result: { error: { code: 'withheld', message } },
    resultHash,
    ...(link !== undefined && { link }),
  };
}

/** Why no further directive is governed, where nothing was denied. */
function endOf({ isOver, signal }: Governing): Finding | undefined {
  if (signal?.aborted) return { decision: 'skipped', stage: 'trust', reason: CANCELLED };
  return isOver?.() ? OUT_OF_TIME : undefined;
}

/** A directive that no stage has seen. */
const OUT_OF_TIME: Finding = Object.freeze({
  decision: 'skipped',
  stage: 'trust',
  reason: BUDGET_EXHAUSTED,
});

/** @param place that of the denied directive, counted from 1 as people count. */
function skippedAfter(place: number, stage: Stage): Finding {
  return { decision: 'skipped', stage, reason: `SkippedAfterDenial(${place})` };
}

/** The journal of a list: opened before its first effect, and told then what was decided before. */
interface ListJournal {
  begin(index: number): Promise<void>;
  decide(index: number, decision: Decision): Promise<void>;
}

function createJournal(
  open: Governing['openJournal'],
  decisions: readonly Decision[],
): ListJournal {
  let journal: EffectJournal | undefined;
  return {
    begin: async (index) => {
      if (journal === undefined && open !== undefined) {
        journal = await open();
        for (const [i, decision] of decisions.entries()) await journal.decide(i, decision);
      }
      await journal?.begin(index);
    },
    decide: async (index, decision) => {
      try {
        await journal?.decide(index, decision);
      } catch {
        // The receipt tells it too; without that, what has begun counts as attempted.
      }
    },
  };
}

/** An observer watches: neither what it throws nor a promise it rejects reaches the run. */
function tellSafely(observer: GovernanceObserver | undefined, event: GovernanceEvent): void {
  if (observer === undefined) return;
  try {
    void Promise.resolve(observer(event)).catch(() => {});
  } catch {
    // The run goes on as if nobody watched.
  }
}
