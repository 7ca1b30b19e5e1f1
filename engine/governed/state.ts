import type { Crypto } from '../crypto/crypto.ts';
import type { VerifiedState } from '../provenance/snapshot.ts';
import type { ChainTip, Receipt, ReceiptState } from '../provenance/types.ts';
import type { Outcome } from '../runtime/types.ts';

/** What a stateful run begins with, and where what it leaves goes. */
export interface StateRequest {
  /** What the run before left, verified; the module's own initial state unless given. */
  readonly before: VerifiedState | undefined;
  /** The end of the chain that was found when `before` was verified. */
  readonly tip: ChainTip | undefined;
  /**
   * Is given the snapshot to begin with next, before the run's receipt becomes durable, and makes the
   * snapshot durable itself: so that after a crash no receipt is without its state. The receipt may
   * still fail to be written; the snapshot then names a receipt that the chain does not have.
   */
  readonly prepare: (snapshot: Uint8Array) => Promise<void>;
}

/** The state that stands after a run. */
export interface KeptState {
  readonly hashes: ReceiptState;
  /** Absent where none is kept. */
  readonly bytes?: Uint8Array;
  /** Why what the run left is not kept, for a person. */
  readonly problem?: string;
}

/**
 * Decides what state stands after a run whose receipt follows `tip`. A run that did not end `ok` leaves
 * the state as it was; one whose chain went on meanwhile leaves none, for the chain would have forked.
 */
export function stateAfter(
  crypto: Crypto,
  outcome: Pick<Outcome, 'state'>,
  status: Receipt['status'],
  { before, tip: expected }: StateRequest,
  tip: ChainTip | undefined,
): KeptState {
  const hash = before?.hash ?? null;
  if (expected?.epoch !== tip?.epoch || expected?.hash !== tip?.hash) {
    const problem =
      'another run of the executor was recorded meanwhile: the state that this one left is not kept';
    return { hashes: { before: hash, after: null }, problem };
  }
  const bytes = status === 'ok' ? outcome.state : before?.state;
  if (bytes === undefined) return { hashes: { before: hash, after: null } };
  return { hashes: { before: hash, after: crypto.sha256(bytes) }, bytes };
}
