import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Sha256 } from '../../engine/crypto/crypto.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { MAX_HELD } from '../../engine/governed/batch.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { storeError, syncFolder } from '../../engine/platform/node/receipt-store-files.ts';
import { splitLines } from '../../engine/provenance/lines.ts';
import { MAX_RECEIPT_BYTES } from '../../engine/provenance/receipt-format.ts';
import type { ReceiptChain } from '../../engine/provenance/store.ts';
import type { ChainTip } from '../../engine/provenance/types.ts';
import { parseResult, type WrittenResult } from './result.ts';

/** Longer than any result is: an input, an output, its logs and directives, and their decisions. */
const MAX_RESULT_BYTES = 268_435_456;

const READ_BYTES = 262_144;

/** The file that results go to. Each is durable before its receipt is, so none is ever missing. */
export interface ResultsFile {
  /** Appends lines, each with its newline, and makes them durable. */
  append(lines: string): Promise<void>;
  close(): Promise<void>;
}

const NO_FOLLOW = constants.O_NOFOLLOW ?? 0;

/**
 * Creates the file. An empty one is taken as it is: a crash may have left it.
 * @throws {InputError} `unwritable`; `usage` where it holds something.
 */
export async function createResults(path: string): Promise<ResultsFile> {
  return guarded(path, async () => {
    const file = await open(path, constants.O_RDWR | constants.O_CREAT | NO_FOLLOW, 0o644);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > 0) {
        throw new InputError(
          'usage',
          `${displayText(path, 500)} is there already, and no batch goes on in it; choose another --out`,
        );
      }
      await syncFolder(dirname(path));
      return resultsFile(path, file, 0);
    } catch (error) {
      await file.close();
      throw error;
    }
  });
}

/**
 * Opens the file of a batch that was interrupted: keeps the results whose receipts are in the chain,
 * which is what counts, and cuts off those after them, whose receipts did not become durable.
 * @param onResult is given each result that is kept.
 * @throws {InputError} `unwritable` where it cannot be opened; `usage` where its results are not those
 * of this chain.
 */
export async function resumeResults(
  path: string,
  chain: ReceiptChain,
  onResult: (result: WrittenResult) => void,
): Promise<ResultsFile> {
  return guarded(path, async () => {
    const file = await open(path, constants.O_RDWR | NO_FOLLOW);
    try {
      const kept = await keepRecorded(path, file, chain, onResult);
      await file.truncate(kept);
      await file.sync();
      return resultsFile(path, file, kept);
    } catch (error) {
      await file.close();
      throw error;
    }
  });
}

function resultsFile(path: string, file: FileHandle, size: number): ResultsFile {
  let end = size;
  return {
    append: (lines) =>
      guarded(path, async () => {
        const bytes = Buffer.from(lines);
        let written = 0;
        while (written < bytes.length) {
          const { bytesWritten } = await file.write(
            bytes,
            written,
            bytes.length - written,
            end + written,
          );
          written += bytesWritten;
        }
        end += written;
        await file.datasync();
      }),
    close: () => file.close(),
  };
}

/** The bytes of the results, from the start, that have their receipts in the chain. */
async function keepRecorded(
  path: string,
  file: FileHandle,
  chain: ReceiptChain,
  onResult: (result: WrittenResult) => void,
): Promise<number> {
  const receipts = receiptsOf(chain);
  let kept = 0;
  let end = 0;
  let beyond = 0;
  try {
    for await (const line of linesOf(readPieces(file), MAX_RESULT_BYTES)) {
      end += line.length + 1;
      const result = parseResult(line);
      if (result === undefined) throw notItsResults(path, 'it holds something else');
      if (beyond === 0 && (await isRecorded(result, receipts))) {
        onResult(result);
        kept = end;
      } else if (++beyond > MAX_HELD) {
        throw notItsResults(path, `the receipt of line ${result.line} is not in it`);
      }
    }
  } finally {
    await receipts.return(undefined);
  }
  return kept;
}

/** Whether the chain holds the receipt of a result; the chain is read on as far as its epoch. */
async function isRecorded(
  { receipt }: WrittenResult,
  receipts: AsyncGenerator<ChainTip>,
): Promise<boolean> {
  if (receipt === null) return true; // nothing ran
  for (;;) {
    const { value, done } = await receipts.next();
    if (done || value.epoch > receipt.epoch) return false;
    if (value.epoch === receipt.epoch) return value.hash === receipt.hash;
  }
}

/** The place and hash of each receipt of a chain, as it stands in the file. */
async function* receiptsOf(chain: ReceiptChain): AsyncGenerator<ChainTip> {
  let epoch = 0;
  for await (const line of linesOf(chain.read(), MAX_RECEIPT_BYTES)) {
    const hash: Sha256 = nodeCrypto.sha256(line);
    yield { epoch: epoch++, hash };
  }
}

/** The complete lines of bytes that come in pieces. */
async function* linesOf(
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let lines: Uint8Array[] = [];
  const splitter = splitLines(maxBytes, (line) => {
    lines.push(line);
    return true;
  });
  for await (const piece of pieces) {
    splitter.write(piece);
    yield* lines;
    lines = [];
  }
}

async function* readPieces(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (let position = 0; ; ) {
    const { bytesRead, buffer } = await file.read(
      new Uint8Array(READ_BYTES),
      0,
      READ_BYTES,
      position,
    );
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

function notItsResults(path: string, problem: string): InputError {
  return new InputError(
    'usage',
    `${displayText(path, 500)} does not hold the results of this batch and its chain: ${problem}; choose another --out`,
  );
}

async function guarded<T>(path: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    throw storeError(error, 'unwritable', path, '--out');
  }
}
