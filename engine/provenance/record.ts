import type { Crypto, Sha256, Signer } from '../crypto/crypto.ts';
import { leafHash, merkleRoot } from '../crypto/merkle.ts';
import { encodeBase64 } from '../encoding/base64.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { batchHead, batchMessage } from './batch.ts';
import { BATCHED_FORMAT, RECEIPT_FORMAT } from './receipt-format.ts';
import { RECEIPT_TAG, signChecked, signVerified, wronglySigned } from './sign.ts';
import type { BatchEnd, BatchedReceipt, ChainTip, ReceiptContent } from './types.ts';
import { signedText } from './write.ts';
import { WrittenReceipt } from './written.ts';

/** Makes what a receipt says, at its place after a tip. */
export type MakeContent = (tip: ChainTip | undefined) => ReceiptContent;

/** How receipts that are recorded together are signed. */
export type Signing = 'each' | 'batch';

/**
 * Makes receipts that follow `tip` and each other, signed as asked.
 * @throws {InputError} `invalid-key` when a signature does not verify under the signer's own key or a
 * receipt names another signer; `invalid-receipt`; `too-large`; whatever the signer throws.
 */
export function writeReceipts(
  crypto: Crypto,
  signing: Signing,
  makes: readonly MakeContent[],
  tip: ChainTip | undefined,
  signer: Signer,
): Promise<readonly WrittenReceipt[]> {
  const write = signing === 'batch' ? writeBatch : writeEach;
  return write(crypto, makes, tip, signer);
}

async function writeEach(
  crypto: Crypto,
  makes: readonly MakeContent[],
  tip: ChainTip | undefined,
  signer: Signer,
): Promise<readonly WrittenReceipt[]> {
  const written: WrittenReceipt[] = [];
  let previous = tip;
  for (const make of makes) {
    const unsigned = { format: RECEIPT_FORMAT, ...make(previous) } as const;
    if (unsigned.signer !== signer.publicKey.keyId) throw wronglySigned();
    const text = signedText(unsigned);
    const message = encodeUtf8(RECEIPT_TAG + text.unsigned);
    const signature = encodeBase64(await signChecked(crypto, signer, message));
    const line = WrittenReceipt.ofText(crypto, { ...unsigned, signature }, text.signed(signature));
    written.push(line);
    previous = line.tip;
  }
  return written;
}

/**
 * Makes a batch after `tip`: each receipt follows the one before, and the last carries the one
 * signature, which is verified before it is answered.
 */
async function writeBatch(
  crypto: Crypto,
  makes: readonly MakeContent[],
  tip: ChainTip | undefined,
  signer: Signer,
): Promise<readonly WrittenReceipt[]> {
  const written: WrittenReceipt[] = [];
  const leaves: Sha256[] = [];
  let previous = tip;
  let last: BatchedReceipt | undefined;
  for (const [index, make] of makes.entries()) {
    const content = make(previous);
    if (content.signer !== signer.publicKey.keyId) throw wronglySigned();
    const receipt: BatchedReceipt = { format: BATCHED_FORMAT, ...content, batch: { index } };
    const line = WrittenReceipt.of(crypto, receipt);
    leaves.push(leafHash(crypto, line.bytes));
    written.push(line);
    previous = line.tip;
    last = receipt;
  }
  const first = written[0]?.receipt;
  if (first === undefined || last === undefined) return [];
  const root = merkleRoot(crypto, leaves);
  const head = batchHead(first, leaves.length, root);
  const signature = encodeBase64(await signVerified(crypto, signer, batchMessage(head)));
  const batch: BatchEnd = { ...last.batch, root, signature };
  return written.with(-1, WrittenReceipt.of(crypto, { ...last, batch }));
}
