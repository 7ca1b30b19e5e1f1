import type { Crypto } from '../crypto/crypto.ts';
import { canonicalBytes } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import { execute, type JudgingStage, stagesAfter, stagesBefore } from './stages.ts';
import type { Decision, GovernanceEvent, GovernanceObserver, Policy, Stage } from './types.ts';

/** Why a directive was not governed: the share of wall clock for it was used up. */
export const BUDGET_EXHAUSTED = 'BudgetExhausted(govern)';

/** What the stages up to `guardrails` came to for one directive. */
type Finding = Pick<Decision, 'decision' | 'stage' | 'reason'>;

/** Tells the observer about one directive. */
type Tell = (event: Omit<GovernanceEvent, 'index'>) => void;

/**
 * Takes a list of directives through the stages of governance (DESIGN 8): trust, permission, phase,
 * pre-hooks, execute and guardrails, each of which may deny; then provenance and broadcast, always.
 * The list stops at its first denial, and the directives after it are `skipped`. Every directive
 * gets exactly one decision, in the order given. In this version nothing is performed: `execute`
 * records.
 * @param observer is told of each stage; what it throws is ignored.
 * @param isOver says before each directive whether the time for governing is up: the directives that
 *   are left are `skipped` then.
 * @throws {InputError} `invalid-json` for a directive without a canonical form.
 */
export function govern(
  crypto: Crypto,
  directives: readonly Directive[],
  policy: Policy,
  observer: GovernanceObserver = () => {},
  isOver: () => boolean = () => false,
): Decision[] {
  let hasEnded = false;
  let denial: { readonly place: number; readonly stage: Stage } | undefined;
  return directives.map((directive, index) => {
    const tell = (event: Omit<GovernanceEvent, 'index'>) =>
      tellSafely(observer, { index, ...event });
    hasEnded ||= isOver();
    const finding = hasEnded
      ? OUT_OF_TIME
      : denial === undefined
        ? judge(directive, policy, tell)
        : skip(denial);
    if (finding.decision === 'denied') denial = { place: index + 1, stage: finding.stage };
    const decision = provenance(crypto, directive, finding);
    tell({ stage: 'provenance', outcome: 'passed', decision });
    broadcast(decision, tell);
    return decision;
  });
}

function judge(directive: Directive, policy: Policy, tell: Tell): Finding {
  const before = firstDenial(stagesBefore(policy), [directive], tell);
  if (before !== undefined) return before;
  const effect = execute(directive, policy);
  tell({ stage: 'execute', outcome: 'passed' });
  return (
    firstDenial(stagesAfter(policy), [directive, effect], tell) ?? { ...effect, stage: 'execute' }
  );
}

function firstDenial<Args extends readonly unknown[]>(
  stages: readonly JudgingStage<Args>[],
  args: Args,
  tell: Tell,
): Finding | undefined {
  for (const { stage, judge } of stages) {
    const reason = judge(...args);
    if (reason !== undefined) {
      tell({ stage, outcome: 'denied', reason });
      return { decision: 'denied', stage, reason };
    }
    tell({ stage, outcome: 'passed' });
  }
  return undefined;
}

/** A directive that no stage has seen. */
const OUT_OF_TIME: Finding = Object.freeze({
  decision: 'skipped',
  stage: 'trust',
  reason: BUDGET_EXHAUSTED,
});

/** `place` is that of the denied directive, counted from 1 as people count. */
function skip({ place, stage }: { readonly place: number; readonly stage: Stage }): Finding {
  return { decision: 'skipped', stage, reason: `SkippedAfterDenial(${place})` };
}

/** Makes the record of a directive that goes into the receipt. */
function provenance(crypto: Crypto, directive: Directive, finding: Finding): Decision {
  return { directive, hash: crypto.sha256(canonicalBytes(directive)), ...finding };
}

/** Publishes a decision to those who follow the run. */
function broadcast(decision: Decision, tell: Tell): void {
  tell({ stage: 'broadcast', outcome: 'passed', decision });
}

/** An observer watches: neither what it throws nor a promise it rejects reaches the run. */
function tellSafely(observer: GovernanceObserver, event: GovernanceEvent): void {
  try {
    void Promise.resolve(observer(event)).catch(() => {});
  } catch {
    // The run goes on as if nobody watched.
  }
}
