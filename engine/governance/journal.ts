import type { Decision } from './types.ts';

/**
 * Remembers, beyond the end of the process, which effects of a run have begun: so that no effect is
 * without an entry in a receipt, whenever the interpreter is killed.
 */
export interface EffectJournal {
  /** Is told before an effect begins, and makes that survive the process before it resolves. */
  begin(index: number): void | Promise<void>;
  /** Is told what came of a directive; again, where a guardrail changes that. */
  decide(index: number, decision: Decision): void | Promise<void>;
}
