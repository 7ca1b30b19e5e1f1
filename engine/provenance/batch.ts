import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { leafHash } from '../crypto/merkle.ts';
import { canonicalJson } from '../encoding/json.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { BATCHED_FORMAT } from './receipt-format.ts';
import type { BatchEnd, BatchedReceipt, Receipt, ReceiptContent } from './types.ts';
import { batchedText } from './write.ts';

export const BATCH_FORMAT = 'receipt-batch/1';

/** A batch of more receipts than this is neither written nor read. */
export const MAX_BATCH_RECEIPTS = 65_536;

/** A batch whose receipts have more bytes together is neither written nor read. */
export const MAX_BATCH_BYTES = 67_108_864;

/** What the environment says of a batch with its one signature. */
export interface BatchHead {
  readonly format: typeof BATCH_FORMAT;
  /** `name@version` of the executor, which is that of each receipt. */
  readonly executor: string;
  /** The epoch of the first receipt. */
  readonly epoch: number;
  /** How many receipts there are; their epochs follow each other. */
  readonly count: number;
  /** The root of the tree whose leaves are the receipts, without `root` and `signature` of the last. */
  readonly root: Sha256;
  /** What the first receipt follows. */
  readonly prevHash: Sha256;
  readonly signer: KeyId;
}

const BATCH_TAG = 'touchstone/receipt-batch/1\n';

/** What is signed of a batch: `touchstone/receipt-batch/1\n` ‖ RFC 8785 of its head. */
export function batchMessage(head: BatchHead): Uint8Array {
  return encodeUtf8(BATCH_TAG + canonicalJson(head));
}

/** The leaf that stands for a receipt in the tree of its batch. */
export function receiptLeaf(crypto: Crypto, receipt: BatchedReceipt): Sha256 {
  return leafHash(crypto, encodeUtf8(batchedText(receipt, { index: receipt.batch.index })));
}

/** The head of a batch that begins with `first` and has this many receipts and this root. */
export function batchHead(
  first: Pick<ReceiptContent, 'executor' | 'epoch' | 'prevHash' | 'signer'>,
  count: number,
  root: Sha256,
): BatchHead {
  const { executor, epoch, prevHash, signer } = first;
  return { format: BATCH_FORMAT, executor, epoch, count, root, prevHash, signer };
}

/** Whether the receipt ends its batch, and so carries the signature over all of it. */
export function endsBatch(receipt: BatchedReceipt): receipt is BatchedReceipt & {
  readonly batch: BatchEnd;
} {
  return 'root' in receipt.batch;
}

/** Whether a receipt leaves those after it to sign for it. */
export function isUnsigned(receipt: Receipt): boolean {
  return receipt.format === BATCHED_FORMAT && !endsBatch(receipt);
}

/** A batch whose end has not come yet: how many of its receipts have, and the first of them. */
export interface OpenBatch {
  readonly count: number;
  readonly first: BatchedReceipt;
}

/** What is wrong with a receipt's place in a batch, given the batch that is open before it. */
export function misplaced(receipt: Receipt, open: OpenBatch | undefined): string | undefined {
  if (receipt.format !== BATCHED_FORMAT) {
    return open && `the batch before receipt ${receipt.epoch} does not end with a signature`;
  }
  const expected = open?.count ?? 0;
  if (receipt.batch.index !== expected) {
    return `receipt ${receipt.epoch} is number ${receipt.batch.index} of its batch, where number ${expected} is expected`;
  }
  if (expected >= MAX_BATCH_RECEIPTS) {
    return `the batch has more than ${MAX_BATCH_RECEIPTS} receipts`;
  }
  const isOfBatch =
    open === undefined ||
    (receipt.executor === open.first.executor && receipt.signer === open.first.signer);
  return isOfBatch
    ? undefined
    : `receipt ${receipt.epoch} is of another executor or signer than its batch`;
}

/** The batch that is open after a receipt that is well placed. */
export function openAfter(receipt: Receipt, open: OpenBatch | undefined): OpenBatch | undefined {
  if (receipt.format !== BATCHED_FORMAT || endsBatch(receipt)) return undefined;
  return { count: (open?.count ?? 0) + 1, first: open?.first ?? receipt };
}
