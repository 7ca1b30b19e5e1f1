import type { Crypto, PublicKey } from '../crypto/crypto.ts';
import { createRootBuilder, type RootBuilder } from '../crypto/merkle.ts';
import type { TrustStore } from '../gate/types.ts';
import {
  batchHead,
  batchMessage,
  endsBatch,
  MAX_BATCH_BYTES,
  misplaced,
  type OpenBatch,
  openAfter,
  receiptLeaf,
} from './batch.ts';
import { trustedEnvironment } from './environment.ts';
import { signatureBytes } from './sign.ts';
import type { BatchedReceipt } from './types.ts';

/** A batch as far as it was read: nothing of it is believed before its last receipt. */
export interface BatchReading {
  readonly open: OpenBatch;
  /** The place of its first receipt in the chain, from 0. */
  readonly place: number;
  readonly root: RootBuilder;
  readonly bytes: number;
}

/** What came of a line of a batch: the reading goes on, or its end was signed, or it is refused. */
export type BatchStep =
  | { readonly kind: 'open'; readonly reading: BatchReading }
  | { readonly kind: 'signed' }
  | { readonly kind: 'refused'; readonly detail: string };

/**
 * Takes the next receipt of a batch.
 * @param reading the batch that is open, if one is; `place` is the receipt's place in the chain.
 */
export function readBatched(
  crypto: Crypto,
  trust: TrustStore,
  receipt: BatchedReceipt,
  { reading, place, length }: { reading: BatchReading | undefined; place: number; length: number },
): BatchStep {
  const problem = misplaced(receipt, reading?.open);
  if (problem !== undefined) return { kind: 'refused', detail: problem };
  const key = trustedEnvironment(trust, receipt);
  if (typeof key === 'string') return { kind: 'refused', detail: `receipt ${place}: ${key}` };
  const first = reading?.open.first ?? receipt;
  const root = reading?.root ?? createRootBuilder(crypto);
  const bytes = (reading?.bytes ?? 0) + length;
  root.add(receiptLeaf(crypto, receipt));
  if (bytes > MAX_BATCH_BYTES) {
    return { kind: 'refused', detail: `the batch has more than ${MAX_BATCH_BYTES} bytes` };
  }
  const open = openAfter(receipt, reading?.open);
  if (open !== undefined) {
    return { kind: 'open', reading: { open, place: reading?.place ?? place, root, bytes } };
  }
  return endsBatch(receipt) && isSigned(crypto, key, first, receipt, root)
    ? { kind: 'signed' }
    : {
        kind: 'refused',
        detail: `${nameBatch(first.epoch, receipt.epoch)} is not what was signed`,
      };
}

function isSigned(
  crypto: Crypto,
  key: PublicKey,
  first: BatchedReceipt,
  {
    batch,
  }: BatchedReceipt & { readonly batch: { readonly root: string; readonly signature: string } },
  builder: RootBuilder,
): boolean {
  const root = builder.root();
  if (root !== batch.root) return false;
  const message = batchMessage(batchHead(first, batch.index + 1, root));
  return crypto.verify(key, message, signatureBytes(batch.signature));
}

/** `the batch of receipts 3 to 9`. */
export function nameBatch(first: number, last: number): string {
  return first === last
    ? `the batch of receipt ${first}`
    : `the batch of receipts ${first} to ${last}`;
}
