import { readdir } from 'node:fs/promises';
import type { Crypto } from '../../crypto/crypto.ts';
import {
  checkChainName,
  isChainName,
  type ReceiptChain,
  type ReceiptStore,
} from '../../provenance/store.ts';
import { CHAIN_SUFFIX, fileChain, TIP_SUFFIX } from './receipt-store-chain.ts';
import { errnoOf, storeError } from './receipt-store-files.ts';

export { CHAIN_SUFFIX };

/** Where the receipts of a workspace lie (DESIGN 8), relative to its root. */
export const RECEIPTS_FOLDER = '.touchstone/receipts';

export interface FileStoreOptions {
  /** How long to wait for another process that appends, in milliseconds; 10,000 unless given. */
  readonly lockWaitMs?: number;
}

/**
 * Keeps each chain in `<folder>/<name>.jsonl`, one canonical receipt a line, with its tip in
 * `<name>.tip.json`. The folder is created by the first append; opening, listing and reading change
 * nothing, so that an auditor's copy may be read-only.
 */
export function fileReceiptStore(
  crypto: Crypto,
  folder: string,
  { lockWaitMs = 10_000 }: FileStoreOptions = {},
): ReceiptStore {
  const chains = new Map<string, ReceiptChain>();
  return {
    open: (name) => {
      checkChainName(name);
      const chain = chains.get(name) ?? fileChain(crypto, folder, name, lockWaitMs);
      chains.set(name, chain);
      return chain;
    },
    list: () => listChains(folder),
  };
}

async function listChains(folder: string): Promise<string[]> {
  let entries: string[];
  try {
    entries = await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storeError(error, 'unreadable', folder);
  }
  // A tip without its chain names one too: a chain that was deleted is not one that never was.
  const names = entries.flatMap((entry) => {
    const suffix = [CHAIN_SUFFIX, TIP_SUFFIX].find((end) => entry.endsWith(end));
    return suffix === undefined ? [] : entry.slice(0, -suffix.length);
  });
  return [...new Set(names)].filter(isChainName).sort();
}
