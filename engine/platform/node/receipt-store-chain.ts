import { type FileHandle, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Crypto } from '../../crypto/crypto.ts';
import { type Appended, type ReceiptChain, toLine } from '../../provenance/store.ts';
import type { ChainTip, Receipt } from '../../provenance/types.ts';
import {
  ensureFolder,
  errnoOf,
  MODES,
  openFile,
  storeError,
  syncFolder,
  withFile,
  writeDurably,
} from './receipt-store-files.ts';
import { withLock } from './receipt-store-lock.ts';
import { type ChainPaths, prepareTip, readTip, recover } from './receipt-store-recovery.ts';

/** What the name of every chain file ends with. */
export const CHAIN_SUFFIX = '.jsonl';

/** What the name of every tip file ends with. */
export const TIP_SUFFIX = '.tip.json';

const READ_BYTES = 65_536;

/** The chain `name` in `folder`. Keeps nothing in memory: other processes append to it as well. */
export function fileChain(
  crypto: Crypto,
  folder: string,
  name: string,
  lockWaitMs: number,
): ReceiptChain {
  const paths: ChainPaths = {
    folder,
    chain: join(folder, `${name}${CHAIN_SUFFIX}`),
    tip: join(folder, `${name}${TIP_SUFFIX}`),
    torn: join(folder, `${name}.torn`),
    lock: join(folder, `${name}.lock`),
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    name,
    append: (make) => {
      // Appends of this process queue here, so that they do not poll for the lock.
      const appended = last.then(() => append(crypto, paths, lockWaitMs, make));
      last = appended.catch(() => {});
      return appended;
    },
    tip: async () => {
      try {
        return await readTip(paths.tip);
      } catch (error) {
        throw storeError(error, 'unreadable', paths.tip);
      }
    },
    read: () => readPieces(paths.chain),
  };
}

type Make = (tip: ChainTip | undefined) => Receipt | Promise<Receipt>;

async function append(
  crypto: Crypto,
  paths: ChainPaths,
  lockWaitMs: number,
  make: Make,
): Promise<Appended> {
  let failedMake: unknown;
  const made: Make = async (tip) => {
    try {
      return await make(tip);
    } catch (error) {
      failedMake = error;
      throw error;
    }
  };
  try {
    await ensureFolder(paths.folder);
    return await withLock(paths.lock, lockWaitMs, () =>
      withFile(paths.chain, MODES.append, (file) => appendLocked(crypto, paths, file, made)),
    );
  } catch (error) {
    throw error === failedMake ? error : storeError(error, 'unwritable', paths.chain);
  }
}

/**
 * The order makes every crash recoverable: the new tip is prepared before the line is written, so that
 * a full disk shows first; the line is durable before the tip takes effect, so that a recorded tip
 * always has its receipt; the tip is durable before the receipt is acknowledged, so that an
 * acknowledged receipt cannot vanish unnoticed.
 */
async function appendLocked(
  crypto: Crypto,
  paths: ChainPaths,
  file: FileHandle,
  make: Make,
): Promise<Appended> {
  const { tip: previous, bytes } = await recover(crypto, paths, file);
  const receipt = await make(previous);
  const { line, tip } = toLine(crypto, receipt, previous);
  const prepared = await prepareTip(paths, tip);
  try {
    await writeDurably(file, line);
    await rename(prepared, paths.tip);
  } catch (error) {
    // What is left of the line would be cut off by the next append anyway.
    await file.truncate(bytes).catch(() => {});
    throw error;
  }
  await syncFolder(paths.folder);
  return { receipt, tip };
}

async function* readPieces(path: string): AsyncGenerator<Uint8Array> {
  try {
    const file = await openFile(path, MODES.read);
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(READ_BYTES));
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw storeError(error, 'unreadable', path);
  }
}
