import type { Sha256 } from '../crypto/crypto.ts';
import type { Directive } from '../runtime/types.ts';
import type { Capability } from '../whitelist/directives.ts';

export type TrustLevel = 'untrusted' | 'tested' | 'evaluated' | 'reviewed' | 'stdlib' | 'system';

/** What became of a directive. Without a grant it is recorded, never performed. */
export type DecisionKind = 'performed' | 'recorded' | 'denied' | 'skipped';

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
   * Stable code and words in parentheses, for every decision but `performed`:
   * `CapabilityDenied(net.http, tested)`, `NotGranted(net.http)`, `SkippedAfterDenial(2)`,
   * `BudgetExhausted(govern)`, ….
   */
  readonly reason?: string;
  /** SHA-256 of the RFC 8785 form of the effect's result, when performed. */
  readonly resultHash?: Sha256;
}

/** What governance decides by: the same policy and directives give the same decisions. */
export interface Policy {
  readonly trust: TrustLevel;
  /** The capabilities that the executor's project declares. */
  readonly declared: readonly Capability[];
  /** The capabilities whose effects may be performed in this run; the others are recorded. */
  readonly grants: ReadonlySet<Capability>;
  /** Asked in order before anything is done; the first denial stops the list. */
  readonly preHooks?: readonly Hook[];
  /** Asked in order about what was done; the first denial stops the list. */
  readonly guardrails?: readonly Guardrail[];
}

/**
 * Says in a few words why a directive is denied, or answers `undefined` to let it pass. The words go
 * into the receipt, so they hold nothing that differs between equal runs. A hook that throws or
 * answers anything else denies.
 */
export interface Hook {
  readonly name: string;
  readonly check: (directive: Directive) => string | undefined;
}

/** Like {@link Hook}, told also what became of the directive. */
export interface Guardrail {
  readonly name: string;
  readonly check: (directive: Directive, effect: Effect) => string | undefined;
}

/** What the stage `execute` did with an allowed directive. */
export interface Effect {
  readonly decision: 'recorded';
  /** Why the effect was not performed. */
  readonly reason: string;
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
