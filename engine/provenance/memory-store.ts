import { createCommitQueue } from './commit-queue.ts';
import { checkChainName, type ReceiptChain, type ReceiptStore, toLines } from './store.ts';
import type { ChainTip } from './types.ts';

/** A store that lasts as long as the process: for tests, and for a place without files. */
export function memoryReceiptStore(): ReceiptStore {
  const chains = new Map<string, ReceiptChain>();
  return {
    open: (name) => {
      checkChainName(name);
      const chain = chains.get(name) ?? memoryChain(name);
      chains.set(name, chain);
      return chain;
    },
    list: async () => {
      const tips = await Promise.all([...chains.values()].map((chain) => chain.tip()));
      return [...chains.keys()].filter((_, i) => tips[i] !== undefined).sort();
    },
  };
}

function memoryChain(name: string): ReceiptChain {
  const pieces: Uint8Array[] = [];
  let tip: ChainTip | undefined;
  const append = createCommitQueue(async (collect) => {
    const written = await collect(tip);
    pieces.push(toLines(written));
    tip = written.at(-1)?.tip ?? tip;
  });
  return {
    name,
    append,
    tip: async () => tip,
    read: async function* () {
      yield* pieces;
    },
  };
}
