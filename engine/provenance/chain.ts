import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { TrustStore } from '../gate/types.ts';
import { misplaced } from './batch.ts';
import { type BatchReading, nameBatch, readBatched } from './chain-batch.ts';
import { signatureProblem } from './environment.ts';
import { splitLines } from './lines.ts';
import { parseReceipt } from './receipt.ts';
import { BATCHED_FORMAT, MAX_RECEIPT_BYTES, NO_PREVIOUS } from './receipt-format.ts';
import { receiptMessage } from './sign.ts';
import type { ChainTip, Receipt } from './types.ts';

/**
 * The one answer about a chain of receipts (DESIGN 8). The chain is read from its start, one receipt
 * a line, and the first thing that does not hold is the verdict; nothing after it is looked at.
 * `epoch` is a place in the chain, counted from 0.
 *
 * - `valid`: every line is a receipt signed by a trusted environment, the epochs are 0, 1, 2, …, each
 *   `prevHash` is the SHA-256 of the receipt before, and the recorded tip, if known, is among them.
 * - `empty`: there is no receipt, and no tip says that there should be one.
 * - `invalid-signature`: what stands at `epoch` is not what a trusted environment signed: not a
 *   canonical receipt, an unknown or revoked signer, or a signature that does not verify. Of a batch,
 *   which has one signature, nothing holds then, and `epoch` is that of its first receipt unless it is
 *   known which one is wrong.
 * - `epoch-gap`: the receipt where `expected` should be is signed, and is that of epoch `got`:
 *   receipts are missing, repeated or out of order.
 * - `broken-chain`: the receipt of `epoch` is signed, but follows another receipt than the one
 *   before it; or it is not the one that the tip records.
 * - `truncated`: receipts are cut off: at the head, where the first one is not of epoch 0 or follows
 *   another (`epoch` is its own); in the last line, which has no newline; or at the end, where a batch
 *   lacks its signature or the recorded tip is of a later epoch (`epoch` is the first one missing).
 *
 * Receipts cut off the end show only against a tip. A receipt carries no time, so the validity period
 * of the environment's key does not count; its revocation does.
 */
export type ChainVerdict = {
  /** One line for a person. */
  readonly detail: string;
  /** How many receipts from the start hold. */
  readonly holds: number;
} & (
  | {
      readonly verdict: 'valid';
      readonly length: number;
      readonly firstEpoch: number;
      readonly lastEpoch: number;
      readonly tip: ChainTip;
    }
  | { readonly verdict: 'empty' }
  | { readonly verdict: 'invalid-signature'; readonly epoch: number }
  | {
      readonly verdict: 'broken-chain';
      readonly epoch: number;
      readonly expectedHash: Sha256;
      readonly actualHash: Sha256;
    }
  | { readonly verdict: 'epoch-gap'; readonly expected: number; readonly got: number }
  | { readonly verdict: 'truncated'; readonly epoch: number }
);

export interface ChainOptions {
  /** A receipt that the chain is known to have reached; it may have grown since. */
  readonly expectedTip?: ChainTip | undefined;
  /** Is given each receipt that holds, in order, as the chain is read. */
  readonly onReceipt?: (receipt: Receipt) => void;
}

/** Verifies a chain that arrives in pieces, in one pass, keeping one line or one batch in memory. */
export interface ChainVerifier {
  /** Takes the next bytes of the chain, cut anywhere. Answers false once the verdict is settled. */
  write(bytes: Uint8Array): boolean;
  /** The verdict. */
  end(): ChainVerdict;
}

/**
 * Verifies the bytes of a chain file: canonical receipts, each followed by a newline. Never throws
 * for what the bytes hold. The linear pass costs one signature verification a receipt or batch.
 * @param trust holds the environments' keys, in the role `environment`.
 */
export function verifyChain(
  crypto: Crypto,
  bytes: Uint8Array,
  trust: TrustStore,
  options: ChainOptions = {},
): ChainVerdict {
  const verifier = createChainVerifier(crypto, trust, options);
  verifier.write(bytes);
  return verifier.end();
}

/** Begins to verify a chain; see {@link verifyChain}. */
export function createChainVerifier(
  crypto: Crypto,
  trust: TrustStore,
  { expectedTip, onReceipt }: ChainOptions = {},
): ChainVerifier {
  let settled: ChainVerdict | undefined;
  /** How many lines were read, how many of them hold, and the receipts that the last signature covers. */
  let place = 0;
  let holds = 0;
  let last: ChainTip | undefined;
  let reading: BatchReading | undefined;
  let unsigned: Receipt[] = [];
  /** The first thing wrong with the places in a batch, told once its signature has verified. */
  let displaced: ChainVerdict | undefined;

  const refuse = (epoch: number, detail: string) => {
    settled = { verdict: 'invalid-signature', epoch, holds, detail };
    return false;
  };
  const hold = () => {
    for (const receipt of unsigned) onReceipt?.(receipt);
    settled = displaced;
    [unsigned, reading, holds] = [[], undefined, place];
    return settled === undefined;
  };

  const lines = splitLines(MAX_RECEIPT_BYTES, (line) => {
    const receipt = readLine(line, `receipt ${place}`);
    if (typeof receipt === 'string') return refuse(place, receipt);
    if (receipt.format === BATCHED_FORMAT) {
      const step = readBatched(crypto, trust, receipt, { reading, place, length: line.length });
      if (step.kind === 'refused') return refuse(reading?.place ?? place, step.detail);
      reading = step.kind === 'open' ? step.reading : undefined;
    } else {
      const broken = misplaced(receipt, reading?.open);
      if (broken !== undefined) return refuse(reading?.place ?? place, broken);
      const problem = signatureProblem(crypto, trust, receipt, receiptMessage(receipt));
      if (problem !== undefined) return refuse(place, `receipt ${place}: ${problem}`);
    }
    const tip = { epoch: receipt.epoch, hash: crypto.sha256(line) };
    displaced ??= checkPlace(receipt, last) ?? checkTip(tip, expectedTip);
    if (displaced === undefined && onReceipt !== undefined) unsigned.push(receipt);
    place++;
    last = tip;
    return reading === undefined ? hold() : true;
  });

  return {
    write: (bytes) => lines.write(bytes),
    end: () => {
      if (settled !== undefined) return settled;
      if (!lines.end()) settled = tornLine(place, holds);
      else if (reading !== undefined) settled = tornBatch(reading, place, holds);
      else settled = conclude(last, expectedTip);
      return settled;
    },
  };
}

/** The receipt of a line, or why it is none, for a person. */
function readLine(line: Uint8Array, what: string): Receipt | string {
  try {
    return parseReceipt(line, what);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
}

/** Whether a signed receipt belongs where it stands, after `tip`. */
function checkPlace(receipt: Receipt, tip: ChainTip | undefined): ChainVerdict | undefined {
  const { epoch, prevHash } = receipt;
  if (tip === undefined) {
    if (epoch === 0 && prevHash === NO_PREVIOUS) return undefined;
    const detail = `the head is cut off: the first receipt is of epoch ${epoch} and follows receipt ${shortHash(prevHash)}…`;
    return { verdict: 'truncated', epoch, holds: 0, detail };
  }
  const expected = tip.epoch + 1;
  if (epoch !== expected) {
    const detail = `receipt ${expected} is expected after receipt ${tip.epoch}, found is receipt ${epoch}`;
    return { verdict: 'epoch-gap', expected, got: epoch, holds: expected, detail };
  }
  if (prevHash !== tip.hash) {
    return {
      verdict: 'broken-chain',
      epoch,
      expectedHash: tip.hash,
      actualHash: prevHash,
      holds: epoch,
      detail: `receipt ${epoch} follows another receipt ${tip.epoch} (${shortHash(prevHash)}…) than the one here (${shortHash(tip.hash)}…)`,
    };
  }
  return undefined;
}

/** Whether the receipt of the recorded tip's epoch is the recorded one. */
function checkTip(
  { epoch, hash }: ChainTip,
  expectedTip: ChainTip | undefined,
): ChainVerdict | undefined {
  if (expectedTip?.epoch !== epoch || expectedTip.hash === hash) return undefined;
  return {
    verdict: 'broken-chain',
    epoch,
    expectedHash: expectedTip.hash,
    actualHash: hash,
    holds: epoch,
    detail: `receipt ${epoch} (${shortHash(hash)}…) is another than the one recorded as the tip (${shortHash(expectedTip.hash)}…)`,
  };
}

function tornLine(epoch: number, holds: number): ChainVerdict {
  const detail = `receipt ${epoch} is cut off: its line does not end`;
  return { verdict: 'truncated', epoch, holds, detail };
}

function tornBatch({ open }: BatchReading, epoch: number, holds: number): ChainVerdict {
  const { first, count } = open;
  const detail = `${nameBatch(first.epoch, first.epoch + count - 1)} is cut off before its signature`;
  return { verdict: 'truncated', epoch, holds, detail };
}

function conclude(tip: ChainTip | undefined, expectedTip: ChainTip | undefined): ChainVerdict {
  const holds = tip === undefined ? 0 : tip.epoch + 1;
  if (expectedTip !== undefined && expectedTip.epoch >= holds) {
    const detail = `receipts ${holds} to ${expectedTip.epoch} are cut off: epoch ${expectedTip.epoch} is recorded as the tip`;
    return { verdict: 'truncated', epoch: holds, holds, detail };
  }
  if (tip === undefined) return { verdict: 'empty', holds, detail: 'there are no receipts' };
  return {
    verdict: 'valid',
    length: holds,
    firstEpoch: 0,
    lastEpoch: tip.epoch,
    tip,
    holds,
    detail: holds === 1 ? 'receipt 0 holds' : `receipts 0 to ${tip.epoch} hold`,
  };
}
