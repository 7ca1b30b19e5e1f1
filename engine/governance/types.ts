import type { Sha256 } from '../crypto/crypto.ts';
import type { JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import type { Capability } from '../whitelist/directives.ts';
import type { Budgets } from './budgets.ts';
import type { EffectHandler, Link } from './effect.ts';
import type { Hook, HookOpinion, Reviewer } from './hook.ts';
import type { EffectLedger } from './ledger.ts';
import type { PhaseRule } from './phase.ts';

export type TrustLevel = 'untrusted' | 'tested' | 'evaluated' | 'reviewed' | 'stdlib' | 'system';

/**
 * What became of a directive: `performed`; `withheld`, performed and kept from the executor by a
 * guardrail; `attempted`, begun by an interpreter that was killed before it knew how it ended;
 * `recorded`, allowed and not performed, for want of a grant; `denied`; `skipped` after a denial.
 */
export type DecisionKind =
  | 'performed'
  | 'withheld'
  | 'attempted'
  | 'recorded'
  | 'denied'
  | 'skipped';

/** The stages of governance, in order (DESIGN 8). */
export type Stage =
  | 'trust'
  | 'permission'
  | 'phase'
  | 'pre-hooks'
  | 'execute'
  | 'guardrails'
  | 'provenance'
  | 'broadcast';

export interface Decision {
  readonly directive: Directive;
  /** SHA-256 of the RFC 8785 form of the directive. */
  readonly hash: Sha256;
  readonly decision: DecisionKind;
  /**
   * The stage that decided; of a skipped directive, the stage that denied the one before it, or the
   * first one where the time for governing was up.
   */
  readonly stage: Stage;
  /**
   * Stable code and words in parentheses, for every decision but an effect that succeeded:
   * `CapabilityDenied(net.http, tested)`, `NotGranted(net.http)`, `EffectFailed(timeout)`,
   * `SkippedAfterDenial(2)`, `BudgetExhausted(govern)`, ….
   */
  readonly reason?: string;
  /** What the executor gets to see of an effect: its result, or `{ error: { code, message } }`. */
  readonly result?: JsonValue;
  /** SHA-256 of the RFC 8785 form of what came of the effect, where it was performed. */
  readonly resultHash?: Sha256;
  /** The hooks and guardrails that were asked, in order; absent where there were none. */
  readonly hooks?: readonly HookOpinion[];
  /** What was recorded elsewhere for this directive. */
  readonly link?: Link;
}

/** What governance decides by. */
export interface Policy {
  readonly trust: TrustLevel;
  /** The capabilities that the executor's project declares. */
  readonly declared: readonly Capability[];
  /** The capabilities whose effects may be performed in this run; the others are recorded. */
  readonly grants: ReadonlySet<Capability>;
  /** What may be asked for in this phase of the workflow; everything unless given. */
  readonly phase?: PhaseRule | undefined;
}

/** The means by which the interpreter performs what its policy allows, and asks about it. */
export interface Means {
  /** By tag. Without a handler for it a directive is recorded. */
  readonly handlers: ReadonlyMap<string, EffectHandler>;
  /** What is left for the run, and for every run that it calls. */
  readonly budgets?: Budgets | undefined;
  /** Asked in order before anything is done; the first denial stops the list. */
  readonly preHooks?: readonly Hook[] | undefined;
  /** Asked in order about what was done; the first denial stops the list. */
  readonly guardrails?: readonly Hook[] | undefined;
  /** Decides where a hook asks for a person; without one that is a denial. */
  readonly reviewer?: Reviewer | undefined;
  /** Remembers effects of directives that have an id. Without it each is performed when asked for. */
  readonly ledger?: EffectLedger | undefined;
  /** Takes secrets out of what came of an effect, before anybody else gets to see it. */
  readonly redact?: ((value: JsonValue) => JsonValue) | undefined;
}

/** What an observer is told: a stage that a directive passed, or was denied at, in order. */
export interface GovernanceEvent {
  /** The directive's place in its list, from 0. */
  readonly index: number;
  readonly stage: Stage;
  readonly outcome: 'passed' | 'denied';
  /** Why, for a denial. */
  readonly reason?: string;
  /** The decision, from the stage `provenance` on. */
  readonly decision?: Decision;
}

export type GovernanceObserver = (event: GovernanceEvent) => void;
