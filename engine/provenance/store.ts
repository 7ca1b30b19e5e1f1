import { concatBytes } from '@noble/hashes/utils.js';
import type { Crypto } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { TrustStore } from '../gate/types.ts';
import { type ChainVerdict, createChainVerifier } from './chain.ts';
import { NO_PREVIOUS, parseReceipt, serializeReceipt } from './receipt.ts';
import type { ChainTip, Receipt } from './types.ts';

/** Keeps chains of receipts, one for each executor name. */
export interface ReceiptStore {
  /**
   * The chain of an executor; it need not exist. Touches nothing.
   * @throws {InputError} `usage` for a name that {@link checkChainName} refuses.
   */
  open(name: string): ReceiptChain;
  /** The names of the chains that are there, sorted. */
  list(): Promise<readonly string[]>;
}

/** One append-only chain. */
export interface ReceiptChain {
  readonly name: string;
  /**
   * Appends a receipt, and resolves once it is durable: that is its acknowledgement. `make` is given
   * the tip to follow, and no one else appends until it has answered.
   * @throws {InputError} `unwritable` when it cannot be made durable; `invalid-receipt` when the end
   * of the chain does not hold or is not the one recorded, or the receipt does not follow the tip;
   * `too-large`; and whatever `make` throws. The receipt is not acknowledged then.
   */
  append(make: (tip: ChainTip | undefined) => Receipt | Promise<Receipt>): Promise<Appended>;
  /** The tip that was recorded last: the chain has reached it, and one receipt more at most. */
  tip(): Promise<ChainTip | undefined>;
  /** The chain's bytes in pieces: canonical receipts, each followed by a newline. */
  read(): AsyncIterable<Uint8Array>;
}

export interface Appended {
  readonly receipt: Receipt;
  readonly tip: ChainTip;
}

const CHAIN_NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;

/** Whether a chain may have this name. */
export function isChainName(name: string): boolean {
  return CHAIN_NAME.test(name);
}

/** @throws {InputError} `usage` for a name that could leave the store's folder or be misread. */
export function checkChainName(name: string): void {
  if (!isChainName(name)) {
    throw new InputError(
      'usage',
      `"${displayText(name, 80)}" cannot name a chain of receipts: expected 1 to 64 of a-z 0-9 . _ -, the first a letter or digit`,
    );
  }
}

/**
 * The line of a receipt, its newline included, and the tip it makes.
 * @throws {InputError} `invalid-receipt` or `too-large` for a receipt that a reader would refuse, or
 * that does not follow `tip`.
 */
export function toLine(
  crypto: Crypto,
  receipt: Receipt,
  tip: ChainTip | undefined,
): { readonly line: Uint8Array; readonly tip: ChainTip } {
  const bytes = serializeReceipt(receipt);
  parseReceipt(bytes, 'the receipt to append');
  const epoch = tip === undefined ? 0 : tip.epoch + 1;
  const prevHash = tip?.hash ?? NO_PREVIOUS;
  if (receipt.epoch !== epoch || receipt.prevHash !== prevHash) {
    throw new InputError(
      'invalid-receipt',
      `the receipt to append is of epoch ${receipt.epoch} after ${shortHash(receipt.prevHash)}…; the chain expects epoch ${epoch} after ${shortHash(prevHash)}…`,
    );
  }
  return {
    line: concatBytes(bytes, Uint8Array.of(0x0a)),
    tip: { epoch, hash: crypto.sha256(bytes) },
  };
}

/**
 * Verifies a stored chain against its recorded tip.
 * @param trust as in `verifyChain`.
 * @throws {InputError} `unreadable` when it cannot be read.
 */
export async function verifyStoredChain(
  crypto: Crypto,
  chain: ReceiptChain,
  trust: TrustStore,
  onReceipt?: (receipt: Receipt) => void,
): Promise<ChainVerdict> {
  // The tip is read first: a receipt appended meanwhile then makes the chain longer, never too short.
  const expectedTip = await chain.tip();
  const verifier = createChainVerifier(crypto, trust, {
    expectedTip,
    ...(onReceipt !== undefined && { onReceipt }),
  });
  for await (const piece of chain.read()) {
    if (!verifier.write(piece)) break;
  }
  return verifier.end();
}
