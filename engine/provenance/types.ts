import type { KeyId, Sha256 } from '../crypto/crypto.ts';
import type { PurityMethod, Tier } from '../gate/types.ts';
import type { Link } from '../governance/effect.ts';
import type { HookOpinion } from '../governance/hook.ts';
import type { DecisionKind } from '../governance/types.ts';
import type { Phase, RunStatus } from '../runtime/types.ts';

/** What every receipt says of one step of a run (DESIGN 8). No clock value is among it. */
export interface ReceiptContent {
  /** Names the run, a UUIDv8: derived from content, not from a clock or a random source. */
  readonly run: string;
  /** 0 for the first receipt of a chain, then one more each. */
  readonly epoch: number;
  /** 64 zeros for epoch 0, else SHA-256 of the previous receipt's canonical bytes. */
  readonly prevHash: Sha256;
  /** `name@version` of the executor. */
  readonly executor: string;
  readonly artifactHash: Sha256;
  /** Null for tiers 2 and 3, which have no certificate. */
  readonly certificateHash: Sha256 | null;
  readonly purityMethod: PurityMethod;
  readonly tier: Tier;
  readonly whitelistHash: Sha256;
  /** SHA-256 of the input document's RFC 8785 bytes, which are what the executor reads. */
  readonly inputHash: Sha256;
  /** SHA-256 of the exact output bytes; null when there are none. */
  readonly outputHash: Sha256 | null;
  readonly directives: readonly ReceiptDirective[];
  readonly fuel: {
    readonly limit: number;
    /** The table that `used` was counted by; absent from receipts of runs that were not metered. */
    readonly schedule?: string;
    readonly used: number | null;
  };
  readonly status: ReceiptStatus;
  readonly completed: readonly Phase[];
  /** Of a stateful run only. */
  readonly state?: ReceiptState;
  readonly signer: KeyId;
}

/** How a run that came to its end can have ended: as the runtime tells, or `denied` by governance. */
export type EndStatus = RunStatus | 'denied';

/** As {@link EndStatus}, or `interrupted`: recorded by others after its process was gone. */
export type ReceiptStatus = EndStatus | 'interrupted';

/** What a receipt says without its place in a chain, and who signs it. */
export type UnplacedContent = Omit<ReceiptContent, 'run' | 'epoch' | 'prevHash' | 'signer'>;

/** What a stateful run began with and what the next one begins with: SHA-256 of the saved states. */
export interface ReceiptState {
  /** Null for a run that began fresh. */
  readonly before: Sha256 | null;
  /** The same as `before` where the run did not end `ok`; null where no state is kept. */
  readonly after: Sha256 | null;
}

/** A receipt with a signature of its own. */
export interface SignedReceipt extends ReceiptContent {
  readonly format: 'receipt/1';
  /** Base64 of the environment's Ed25519 signature over the domain tag and the rest. */
  readonly signature: string;
}

/** A receipt that is signed together with its neighbours in the chain, by the root of their tree. */
export interface BatchedReceipt extends ReceiptContent {
  readonly format: 'receipt/2';
  readonly batch: BatchPlace | BatchEnd;
}

export interface BatchPlace {
  /** The receipt's place in its batch, from 0. */
  readonly index: number;
}

/** What the last receipt of a batch carries for all of them. */
export interface BatchEnd extends BatchPlace {
  /** The root of the Merkle tree (RFC 6962) whose leaves are the receipts of the batch. */
  readonly root: Sha256;
  /** Base64 of the environment's Ed25519 signature over the domain tag and the batch's head. */
  readonly signature: string;
}

/** One step of a run, in canonical JSON: one line of a chain. */
export type Receipt = SignedReceipt | BatchedReceipt;

export interface ReceiptDirective {
  /** The tag; one that the table does not hold is made safe to show and short. */
  readonly type: string;
  readonly hash: Sha256;
  readonly decision: DecisionKind;
  readonly reason?: string;
  readonly resultHash?: Sha256;
  /** The hooks and guardrails that were asked about it, in order. */
  readonly hooks?: readonly HookOpinion[];
  /** What was recorded elsewhere for it: the last receipt, or the attestation, of a machine. */
  readonly link?: Link;
}

/** Where a chain ends: what the next receipt follows. */
export interface ChainTip {
  readonly epoch: number;
  /** SHA-256 of the receipt's canonical bytes. */
  readonly hash: Sha256;
}
