import type { Crypto } from '../crypto/crypto.ts';
import { canonicalBytes } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import { contentOf, directiveName, type RunFacts } from './build.ts';
import type { ChainTip, ReceiptDirective, UnplacedContent } from './types.ts';

/**
 * Remembers runs whose effects have begun until their receipts are durable, so that no performed
 * effect is without an entry in a receipt (DESIGN 8), whenever the process is killed.
 */
export interface RunJournal {
  /**
   * Opens the entry of a run that is about to perform an effect; durable before it resolves.
   * @param name the chain that the run's receipt goes to.
   * @throws {InputError} `unwritable`: nothing may be performed then.
   */
  open(name: string, run: JournalledRun): Promise<OpenRun>;
  /**
   * Hands over the runs that ended without a receipt, those of processes that are gone, one after the
   * other and to nobody else meanwhile. The entry of each is removed once `record` has resolved.
   * @throws {InputError} `unreadable` or `unwritable`, `invalid-receipt` for an entry that is none;
   *   what `record` throws.
   */
  recover(name: string, record: (left: LeftRun) => Promise<void>): Promise<void>;
  /** Lets go of what is kept for further runs. */
  close(): Promise<void>;
}

/** A run that has planned, and whose directives are known. */
export type JournalledRun = Pick<RunFacts, 'executor' | 'admitted' | 'inputHash'> & {
  readonly outcome: RunFacts['outcome'] & { readonly directives: readonly Directive[] };
};

/** The entry of a run that is under way. */
export interface OpenRun {
  /** Notes that the effect of a directive begins; it survives the process before this returns. */
  begin(index: number): void;
  /** Notes what came of a directive; the last note counts. */
  decide(index: number, entry: ReceiptDirective): void;
  /** Notes the receipt that is about to be made durable; this note is durable before it. */
  commit(tip: ChainTip): void;
  /** Removes the entry: the receipt is durable. */
  close(): Promise<void>;
  /** Leaves the entry to whoever runs next: the receipt was not written. */
  leave(): Promise<void>;
}

/** A run that somebody left behind. */
export interface LeftRun {
  /** What its receipt says: directives that had begun are `attempted`, the others `skipped`. */
  readonly content: UnplacedContent;
  /** The receipt that was about to be made durable: where the chain has it, nothing is left to do. */
  readonly commit: ChainTip | undefined;
}

/** Why a directive was not governed: the process that ran the interpreter was gone. */
export const INTERRUPTED = 'Interrupted(govern)';

/** What a run's receipt says if the process ends before anything of its directives is known. */
export function interruptedContent(crypto: Crypto, run: JournalledRun): UnplacedContent {
  const { directives } = run.outcome;
  const completed = ['gate', 'instantiate', 'plan'] as const;
  return {
    ...contentOf(crypto, { ...run, decisions: [], status: 'interrupted', completed }),
    directives: directives.map((directive) => ({
      type: directiveName(directive.type),
      hash: crypto.sha256(canonicalBytes(directive)),
      decision: 'skipped',
      reason: INTERRUPTED,
    })),
  };
}

/** What is known of the directives of a run that was left behind. */
export interface JournalNotes {
  /** The directives whose effects had begun, by their places. */
  readonly begun: ReadonlySet<number>;
  readonly decided: ReadonlyMap<number, ReceiptDirective>;
  /** Whether notes may be missing: the machine, not the process alone, ended. */
  readonly mayLack: boolean;
}

/** What the receipt of a run that was left behind says: the worst that the notes leave open. */
export function leftContent(
  content: UnplacedContent,
  { begun, decided, mayLack }: JournalNotes,
): UnplacedContent {
  const directives = content.directives.map((entry, index) => {
    const known = decided.get(index);
    if (known !== undefined) return known;
    return begun.has(index) || mayLack ? { ...entry, decision: 'attempted' as const } : entry;
  });
  return { ...content, directives };
}
