import type { FileHandle } from 'node:fs/promises';
import type { Crypto } from '../../crypto/crypto.ts';
import { InputError } from '../../encoding/input-error.ts';
import { misplaced, type OpenBatch, openAfter } from '../../provenance/batch.ts';
import { MAX_COMMIT_BYTES } from '../../provenance/commit-queue.ts';
import { parseReceipt } from '../../provenance/receipt.ts';
import { MAX_RECEIPT_BYTES, NO_PREVIOUS } from '../../provenance/receipt-format.ts';
import type { ChainTip, Receipt } from '../../provenance/types.ts';

const NEWLINE = 0x0a;

/** A complete line at the end of a chain file. */
export interface TailLine {
  readonly receipt: Receipt;
  readonly tip: ChainTip;
  /** Where the line ends in the file, its newline included. */
  readonly end: number;
}

/** Bytes at the end of a file, split at its lines. */
export interface Tail {
  /** Without their newlines, in order, each with where it ends; the first may have begun before. */
  readonly lines: readonly { readonly bytes: Uint8Array; readonly end: number }[];
  /** What follows the last newline: a line that was cut short. */
  readonly torn: Uint8Array;
}

/**
 * The last `count` complete lines of a file, or all if there are fewer, and what follows them.
 * @returns `undefined` when they would be longer than a commit and a torn line can be.
 */
export async function readTail(
  file: FileHandle,
  size: number,
  count: number,
): Promise<Tail | undefined> {
  const most = MAX_COMMIT_BYTES + 2 * (MAX_RECEIPT_BYTES + 1);
  for (let length = 65_536; ; length *= 2) {
    const from = Math.max(0, size - Math.min(length, most));
    const bytes = await readAt(file, from, size - from);
    const { lines, torn } = split(bytes, from);
    // Where it does not begin with the file, what stands before the first newline is no whole line.
    const whole = from === 0 ? lines : lines.slice(1);
    if (whole.length >= count || from === 0) return { lines: whole.slice(-count), torn };
    if (length >= most) return undefined;
  }
}

function split(bytes: Uint8Array, from: number): Tail {
  const lines: { readonly bytes: Uint8Array; readonly end: number }[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push({ bytes: bytes.slice(start, end), end: from + end + 1 });
    start = end + 1;
  }
  return { lines, torn: bytes.slice(start) };
}

/** Reads `length` bytes of a file, or those that there are. */
export async function readAt(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * The lines that a commit left beyond the recorded tip, as far as they can be counted: receipts that
 * follow it and each other, up to the last one that does not leave a batch open.
 * @returns `undefined` when the lines are not such receipts at all.
 */
export function countable(
  crypto: Crypto,
  lines: Tail['lines'],
  recorded: ChainTip | undefined,
): readonly TailLine[] | undefined {
  const counted: TailLine[] = [];
  let tip = recorded;
  let open: OpenBatch | undefined;
  let held = 0;
  for (const { bytes, end } of lines) {
    const receipt = tryParse(bytes);
    if (receipt === undefined || receipt.prevHash !== (tip?.hash ?? NO_PREVIOUS)) return undefined;
    if (receipt.epoch !== (tip === undefined ? 0 : tip.epoch + 1)) return undefined;
    if (misplaced(receipt, open) !== undefined) return undefined;
    open = openAfter(receipt, open);
    tip = { epoch: receipt.epoch, hash: crypto.sha256(bytes) };
    counted.push({ receipt, tip, end });
    if (open === undefined) held = counted.length;
  }
  return counted.slice(0, held);
}

function tryParse(bytes: Uint8Array): Receipt | undefined {
  try {
    return parseReceipt(bytes, 'a line');
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
