import { type FileHandle, rename } from 'node:fs/promises';
import { concatBytes } from '@noble/hashes/utils.js';
import { type Crypto, isSha256 } from '../../crypto/crypto.ts';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { canonicalJson, isJsonObject, type JsonValue, parseJson } from '../../encoding/json.ts';
import { encodeUtf8 } from '../../encoding/utf8.ts';
import { isUnsigned } from '../../provenance/batch.ts';
import { parseReceipt } from '../../provenance/receipt.ts';
import type { ChainTip, Receipt } from '../../provenance/types.ts';
import { errnoOf, MODES, syncFolder, withFile, writeDurably } from './receipt-store-files.ts';
import { countable, readAt, readTail } from './receipt-store-tail.ts';

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
function tipBytes({ epoch, hash }: ChainTip): Uint8Array {
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
 * Brings a chain to the state that its last commit meant, after a crash at any byte. Reads its end
 * only. A last line without newline, and lines of a batch whose signature is missing, were never
 * acknowledged and are moved to the torn file; complete ones that the tip does not count yet are
 * counted. Nothing changes unless the end is consistent with the tip: an acknowledged receipt is never
 * cut off, and one that is missing is an error.
 * @throws {InputError} `invalid-receipt` saying what does not hold; the system's errors as they are.
 */
export async function recover(
  crypto: Crypto,
  paths: ChainPaths,
  file: FileHandle,
): Promise<ChainEnd> {
  const { size } = await file.stat();
  const tail = await readTail(file, size, 1);
  if (tail === undefined) throw tooLong(paths);
  const [line] = tail.lines;
  const recorded = await readTip(paths.tip);
  const last = line === undefined ? undefined : readLast(crypto, line.bytes, paths);
  const end = size - tail.torn.length;
  if (last?.tip.epoch === recorded?.epoch) {
    if (last?.tip.hash !== recorded?.hash) throw notItsTip(paths, recorded?.epoch ?? 0);
    if (last !== undefined && isUnsigned(last.receipt)) {
      throw damaged(paths, 'damaged: its last receipt is of a batch without a signature');
    }
    await cutOff(paths, file, { end, size });
    return { tip: recorded, bytes: end };
  }
  const reached = recorded?.epoch ?? -1;
  const ends = last?.tip.epoch ?? -1;
  if (ends < reached) {
    const found = ends < 0 ? 'none' : `epoch ${ends}`;
    throw damaged(paths, `truncated: epoch ${reached} is recorded, the file ends with ${found}`);
  }
  const mostEpoch = Math.max(reached + 1, (await readPrepared(paths))?.epoch ?? 0);
  if (ends > mostEpoch) {
    const recordedWords =
      recorded === undefined ? 'no tip is recorded' : `epoch ${reached} is recorded`;
    throw damaged(
      paths,
      `not the chain of its tip: ${recordedWords}, the file ends with epoch ${ends}`,
    );
  }
  return countBeyond(crypto, paths, file, { size, recorded, count: ends - reached });
}

/** Counts the lines beyond the recorded tip, which a crash left, and cuts off what cannot be. */
async function countBeyond(
  crypto: Crypto,
  paths: ChainPaths,
  file: FileHandle,
  found: { readonly size: number; readonly recorded: ChainTip | undefined; readonly count: number },
): Promise<ChainEnd> {
  const { size, recorded, count } = found;
  const tail = await readTail(file, size, count);
  if (tail === undefined) throw tooLong(paths);
  const counted = tail.lines.length === count ? countable(crypto, tail.lines, recorded) : undefined;
  if (counted === undefined) throw notItsTip(paths, recorded?.epoch ?? 0);
  const last = counted.at(-1);
  const uncounted = tail.lines[counted.length];
  const unfinished = uncounted && uncounted.end - uncounted.bytes.length - 1;
  const end = last?.end ?? unfinished ?? size - tail.torn.length;
  await cutOff(paths, file, { end, size });
  if (last !== undefined) await writeTip(paths, last.tip);
  return { tip: last?.tip ?? recorded, bytes: end };
}

/** Moves what stands after `end`, which nobody was promised, out of the chain. */
async function cutOff(
  paths: ChainPaths,
  file: FileHandle,
  { end, size }: { readonly end: number; readonly size: number },
): Promise<void> {
  if (end === size) return;
  await keepTorn(paths, await readAt(file, end, size - end));
  await file.truncate(end);
  await file.sync();
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

/** The tip that the last commit meant to reach, if it came so far as to say so. */
async function readPrepared(paths: ChainPaths): Promise<ChainTip | undefined> {
  try {
    return await readTip(preparedPath(paths));
  } catch (error) {
    // It was cut short itself, so no line of that commit was begun.
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function notItsTip(paths: ChainPaths, epoch: number): InputError {
  return damaged(
    paths,
    `not the chain of its tip: receipt ${epoch} is another than the recorded one`,
  );
}

function tooLong(paths: ChainPaths): InputError {
  return damaged(paths, 'damaged: its last lines are longer than receipts can be');
}

function damaged(paths: ChainPaths, problem: string): InputError {
  return new InputError(
    'invalid-receipt',
    `${displayText(paths.chain, 300)} is ${problem}. Nothing is appended: restore it and ${displayText(paths.tip, 300)} from a copy, or move both away to begin a new chain`,
  );
}

async function keepTorn(paths: ChainPaths, torn: Uint8Array): Promise<void> {
  const line = concatBytes(torn, Uint8Array.of(NEWLINE));
  await withFile(paths.torn, MODES.append, (file) => writeDurably(file, line));
}

/** Replaces the tip at once: a reader sees the old one or the new one, also after a crash. */
async function writeTip(paths: ChainPaths, tip: ChainTip): Promise<void> {
  const prepared = await prepareTip(paths, tip);
  await rename(prepared, paths.tip);
  await syncFolder(paths.folder);
}

/** Writes a tip durably beside the one in force, and answers the path to rename. */
export async function prepareTip(paths: ChainPaths, tip: ChainTip): Promise<string> {
  const prepared = preparedPath(paths);
  await withFile(prepared, MODES.replace, (file) => writeDurably(file, tipBytes(tip)));
  return prepared;
}

function preparedPath(paths: ChainPaths): string {
  return `${paths.tip}.new`;
}
