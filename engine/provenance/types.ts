import type { KeyId, Sha256 } from '../crypto/crypto.ts';
import type { PurityMethod, Tier } from '../gate/types.ts';
import type { DecisionKind } from '../governance/types.ts';
import type { Phase, RunStatus } from '../runtime/types.ts';

/** One step of a run (DESIGN 8), in canonical JSON. No clock value: the same run gives the same bytes. */
export interface Receipt {
  readonly format: 'receipt/1';
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
  readonly fuel: { readonly limit: number; readonly used: number | null };
  readonly status: RunStatus | 'denied';
  readonly completed: readonly Phase[];
  readonly signer: KeyId;
  /** Base64 of the environment's Ed25519 signature over the domain tag and the rest. */
  readonly signature: string;
}

export interface ReceiptDirective {
  /** The tag; one that the table does not hold is made safe to show and short. */
  readonly type: string;
  readonly hash: Sha256;
  readonly decision: DecisionKind;
  readonly reason?: string;
  readonly resultHash?: Sha256;
}

/** Where a chain ends: what the next receipt follows. */
export interface ChainTip {
  readonly epoch: number;
  /** SHA-256 of the receipt's canonical bytes. */
  readonly hash: Sha256;
}
