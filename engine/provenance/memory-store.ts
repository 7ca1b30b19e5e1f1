import type { Crypto } from '../crypto/crypto.ts';
import { checkChainName, type ReceiptChain, type ReceiptStore, toLine } from './store.ts';
import type { ChainTip } from './types.ts';

/** A store that lasts as long as the process: for tests, and for a place without files. */
export function memoryReceiptStore(crypto: Crypto): ReceiptStore {
  const chains = new Map<string, ReceiptChain>();
  return {
    open: (name) => {
      checkChainName(name);
      const chain = chains.get(name) ?? memoryChain(crypto, name);
      chains.set(name, chain);
      return chain;
    },
    list: async () => {
      const tips = await Promise.all([...chains.values()].map((chain) => chain.tip()));
      return [...chains.keys()].filter((_, i) => tips[i] !== undefined).sort();
    },
  };
}

function memoryChain(crypto: Crypto, name: string): ReceiptChain {
  const lines: Uint8Array[] = [];
  let tip: ChainTip | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return {
    name,
    append: (make) => {
      const appended = last.then(async () => {
        const receipt = await make(tip);
        const next = toLine(crypto, receipt, tip);
        lines.push(next.line);
        tip = next.tip;
        return { receipt, tip };
      });
      last = appended.catch(() => {});
      return appended;
    },
    tip: async () => tip,
    read: async function* () {
      yield* lines;
    },
  };
}
