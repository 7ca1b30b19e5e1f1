import { type FileHandle, rename } from 'node:fs/promises';
import { concatBytes } from '@noble/hashes/utils.js';
import { type Crypto, isSha256 } from '../../crypto/crypto.ts';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { canonicalJson, isJsonObject, type JsonValue, parseJson } from '../../encoding/json.ts';
import { encodeUtf8 } from '../../encoding/utf8.ts';
import { MAX_RECEIPT_BYTES, parseReceipt } from '../../provenance/receipt.ts';
import type { ChainTip, Receipt } from '../../provenance/types.ts';
import { errnoOf, MODES, syncFolder, withFile, writeDurably } from './receipt-store-files.ts';

/** The files of one chain. */
export interface ChainPaths {
  readonly folder: string;
  readonly chain: string;
  /** The tip that was acknowledged last. */
  readonly tip: string;
  /** Lines that a crash cut short, before they were acknowledged: kept, and never read. */
  readonly torn: string;
  readonly lock: string;
}

/** What the next receipt follows, and how many bytes of the file stand before it. */
export interface ChainEnd {
  readonly tip: ChainTip | undefined;
  readonly bytes: number;
}

const NEWLINE = 0x0a;
const TIP_BYTES = 4_096;

/** The bytes of a tip file: RFC 8785, UTF-8, and a newline. */
export function tipBytes({ epoch, hash }: ChainTip): Uint8Array {
  return encodeUtf8(`${canonicalJson({ epoch, hash })}\n`);
}

/**
 * Reads a tip file; `undefined` when there is none.
 * @throws {InputError} `invalid-receipt` when it holds something else; the system's errors as they
 * are.
 */
export async function readTip(path: string): Promise<ChainTip | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await withFile(path, MODES.read, (file) => readAt(file, 0, TIP_BYTES));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  const tip = parseTip(bytes);
  if (tip !== undefined) return tip;
  throw new InputError(
    'invalid-receipt',
    `${displayText(path, 300)} is not the tip of a chain: expected "epoch" and "hash"; restore it from a copy`,
  );
}

function parseTip(bytes: Uint8Array): ChainTip | undefined {
  let value: JsonValue;
  try {
    value = parseJson(bytes, 'the tip');
  } catch {
    return undefined;
  }
  if (!isJsonObject(value) || Object.keys(value).length !== 2) return undefined;
  const { epoch, hash } = value;
  const isEpoch = typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch >= 0;
  return isEpoch && isSha256(hash) ? { epoch, hash } : undefined;
}

/**
 * Brings a chain to the state that its last append meant, after a crash at any byte. Reads its end
 * only. A last line without newline was never acknowledged and is moved to the torn file; a complete
 * one that the tip does not count yet is counted. Nothing changes unless the end is consistent with
 * the tip: an acknowledged receipt is never cut off, and one that is missing is an error.
 * @throws {InputError} `invalid-receipt` saying what does not hold; the system's errors as they are.
 */
export async function recover(
  crypto: Crypto,
  paths: ChainPaths,
  file: FileHandle,
): Promise<ChainEnd> {
  const { size } = await file.stat();
  const { line, torn } = await readEnd(file, size, paths);
  const recorded = await readTip(paths.tip);
  const last = line === undefined ? undefined : readLast(crypto, line, paths);
  checkAgainstTip(last, recorded, paths);
  const bytes = size - torn.length;
  if (torn.length > 0) {
    await keepTorn(paths, torn);
    await file.truncate(bytes);
    await file.sync();
  }
  if (last !== undefined && last.tip.epoch !== recorded?.epoch) await writeTip(paths, last.tip);
  return { tip: last?.tip, bytes };
}

interface Last {
  readonly receipt: Receipt;
  readonly tip: ChainTip;
}

function readLast(crypto: Crypto, line: Uint8Array, paths: ChainPaths): Last {
  try {
    const receipt = parseReceipt(line, 'its last line');
    return { receipt, tip: { epoch: receipt.epoch, hash: crypto.sha256(line) } };
  } catch (error) {
    throw error instanceof InputError ? damaged(paths, `damaged: ${error.message}`) : error;
  }
}

/** The chain ends with the recorded tip, or with the one receipt after it. */
function checkAgainstTip(
  last: Last | undefined,
  recorded: ChainTip | undefined,
  paths: ChainPaths,
): void {
  const ends = last?.tip.epoch ?? -1;
  const reached = recorded?.epoch ?? -1;
  if (ends < reached) {
    throw damaged(
      paths,
      `truncated: epoch ${reached} is recorded, the file ends with ${ends < 0 ? 'none' : `epoch ${ends}`}`,
    );
  }
  if (ends > reached + 1) {
    const recordedWords =
      recorded === undefined ? 'no tip is recorded' : `epoch ${reached} is recorded`;
    throw damaged(
      paths,
      `not the chain of its tip: ${recordedWords}, the file ends with epoch ${ends}`,
    );
  }
  const follows = ends === reached ? last?.tip.hash : last?.receipt.prevHash;
  if (recorded !== undefined && follows !== recorded.hash) {
    throw damaged(
      paths,
      `not the chain of its tip: receipt ${reached} is another than the recorded one`,
    );
  }
}

function damaged(paths: ChainPaths, problem: string): InputError {
  return new InputError(
    'invalid-receipt',
    `${displayText(paths.chain, 300)} is ${problem}. Nothing is appended: restore it and ${displayText(paths.tip, 300)} from a copy, or move both away to begin a new chain`,
  );
}

/** The last complete line, without its newline, and the bytes after it. */
async function readEnd(
  file: FileHandle,
  size: number,
  paths: ChainPaths,
): Promise<{ readonly line: Uint8Array | undefined; readonly torn: Uint8Array }> {
  // Room for one line and one torn line of the greatest size, each with the newline before it.
  const most = 2 * (MAX_RECEIPT_BYTES + 1);
  for (let length = 65_536; ; length *= 2) {
    const from = Math.max(0, size - Math.min(length, most));
    const bytes = await readAt(file, from, size - from);
    const end = bytes.lastIndexOf(NEWLINE);
    const before = end <= 0 ? -1 : bytes.lastIndexOf(NEWLINE, end - 1);
    if (from === 0 || before !== -1) {
      return {
        line: end === -1 ? undefined : bytes.slice(before + 1, end),
        torn: bytes.slice(end + 1),
      };
    }
    if (length >= most)
      throw damaged(paths, 'damaged: its last lines are longer than a receipt can be');
  }
}

async function readAt(file: FileHandle, from: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, from + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

async function keepTorn(paths: ChainPaths, torn: Uint8Array): Promise<void> {
  const line = concatBytes(torn, Uint8Array.of(NEWLINE));
  await withFile(paths.torn, MODES.append, (file) => writeDurably(file, line));
}

/** Replaces the tip at once: a reader sees the old one or the new one, also after a crash. */
export async function writeTip(paths: ChainPaths, tip: ChainTip): Promise<void> {
  const prepared = await prepareTip(paths, tip);
  await rename(prepared, paths.tip);
  await syncFolder(paths.folder);
}

/** Writes a tip durably beside the one in force, and answers the path to rename. */
export async function prepareTip(paths: ChainPaths, tip: ChainTip): Promise<string> {
  const prepared = `${paths.tip}.new`;
  await withFile(prepared, MODES.replace, (file) => writeDurably(file, tipBytes(tip)));
  return prepared;
}
