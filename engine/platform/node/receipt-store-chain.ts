import { type FileHandle, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Crypto } from '../../crypto/crypto.ts';
import { type Collect, createCommitQueue } from '../../provenance/commit-queue.ts';
import { type ReceiptChain, toLines } from '../../provenance/store.ts';
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
  const append = createCommitQueue(async (collect) => {
    // Whoever makes a receipt tells of its own failure; what is caught here is that of the files.
    try {
      await ensureFolder(paths.folder);
      await withLock(paths.lock, lockWaitMs, () =>
        withFile(paths.chain, MODES.append, (file) => commitLocked(crypto, paths, file, collect)),
      );
    } catch (error) {
      throw storeError(error, 'unwritable', paths.chain);
    }
  });
  return {
    name,
    append,
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

/**
 * The order makes every crash recoverable: the new tip is prepared before the lines are written, so
 * that a full disk shows first, and that lines beyond the recorded tip are known to be ours; the lines
 * are durable before the tip takes effect, so that a recorded tip always has its receipt; the tip is
 * durable before a receipt is acknowledged, so that an acknowledged one cannot vanish unnoticed.
 */
async function commitLocked(
  crypto: Crypto,
  paths: ChainPaths,
  file: FileHandle,
  collect: Collect,
): Promise<void> {
  const { tip: previous, bytes } = await recover(crypto, paths, file);
  const written = await collect(previous);
  const tip = written.at(-1)?.tip;
  if (tip === undefined) return;
  const prepared = await prepareTip(paths, tip);
  // One line more than recorded is no riddle after a power cut; several need the prepared tip.
  if (written.length > 1) await syncFolder(paths.folder);
  try {
    await writeDurably(file, toLines(written));
    await rename(prepared, paths.tip);
  } catch (error) {
    // What is left of the lines would be cut off by the next append, or counted by it.
    await file.truncate(bytes).catch(() => {});
    throw error;
  }
  await syncFolder(paths.folder);
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
