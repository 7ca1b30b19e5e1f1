import type { Crypto } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { TrustStore } from '../gate/types.ts';
import { misplaced, type OpenBatch, openAfter } from './batch.ts';
import { type ChainVerdict, createChainVerifier } from './chain.ts';
import type { MakeReceipts } from './commit-queue.ts';
import { NO_PREVIOUS } from './receipt-format.ts';
import type { ChainTip, Receipt } from './types.ts';
import type { WrittenReceipt } from './written.ts';

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
   * Appends the receipts that `make` answers, and resolves once they are durable: that is their
   * acknowledgement. `make` is given the tip to follow, and no one else appends until it has answered.
   * One durable write is made for them and for those of appends that wait meanwhile. After a crash the
   * chain holds all of them or the first ones, and no part of a batch.
   * @throws {InputError} `unwritable` when they cannot be made durable; `invalid-receipt` when the end
   * of the chain does not hold or is not the one recorded, or a receipt does not follow the one before;
   * `too-large`; and whatever `make` throws. None of them is acknowledged then.
   */
  append(make: MakeReceipts): Promise<readonly Appended[]>;
  /** The tip that was recorded last: the chain has reached it, and one commit more at most. */
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
 * Checks that receipts follow a tip, each the one before it, and that no batch among them is cut.
 * @throws {InputError} `invalid-receipt` saying what is expected.
 */
export function checkFollows(written: readonly WrittenReceipt[], tip: ChainTip | undefined): void {
  let previous = tip;
  let open: OpenBatch | undefined;
  for (const { receipt, tip: next } of written) {
    const epoch = previous === undefined ? 0 : previous.epoch + 1;
    const prevHash = previous?.hash ?? NO_PREVIOUS;
    if (receipt.epoch !== epoch || receipt.prevHash !== prevHash) {
      throw notAppended(
        `is of epoch ${receipt.epoch} after ${shortHash(receipt.prevHash)}…; the chain expects epoch ${epoch} after ${shortHash(prevHash)}…`,
      );
    }
    const problem = misplaced(receipt, open);
    if (problem !== undefined) throw notAppended(`has no place here: ${problem}`);
    open = openAfter(receipt, open);
    previous = next;
  }
  if (open !== undefined) throw notAppended('is of a batch that does not end with a signature');
}

function notAppended(problem: string): InputError {
  return new InputError('invalid-receipt', `the receipt to append ${problem}`);
}

/** The lines of receipts, a newline after each. */
export function toLines(written: readonly WrittenReceipt[]): Uint8Array {
  const lines = new Uint8Array(written.reduce((sum, { bytes }) => sum + bytes.length + 1, 0));
  let at = 0;
  for (const { bytes } of written) {
    lines.set(bytes, at);
    at += bytes.length + 1;
    lines[at - 1] = 0x0a;
  }
  return lines;
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
