import { displayText } from '../encoding/display.ts';
import type { Receipt } from '../provenance/types.ts';
import type { Place } from './findings.ts';

/** What ran: one module under one certificate and whitelist, in one environment. */
export interface ExecutorEntry
  extends Pick<
    Receipt,
    | 'executor'
    | 'artifactHash'
    | 'certificateHash'
    | 'tier'
    | 'purityMethod'
    | 'whitelistHash'
    | 'signer'
  > {
  /** How many of the runs that are told are of it, and the first of them. */
  runs: number;
  first: Place | undefined;
}

/** So many are told apart: a chain has few, and a hostile one must not fill the memory. */
const MAX_EXECUTORS = 10_000;

/** The longest name that is kept as it is: that of any honest executor. */
const MAX_NAME = 200;

export interface Executors {
  /** What ran in this receipt: the same object for equal ones. */
  of(receipt: Receipt): ExecutorEntry;
  /** As {@link of}, for a receipt that stands in a chain at hand. */
  inChain(receipt: Receipt): ExecutorEntry;
  /** Whether a chain at hand has receipts of an executor, whatever its version, in an environment. */
  hasChain(executor: string, signer: string): boolean;
  /** Those that are kept, by their names. */
  entries(): readonly ExecutorEntry[];
  /** Whether there were more than are kept. */
  isFull(): boolean;
}

export function createExecutors(): Executors {
  const known = new Map<string, ExecutorEntry>();
  const chained = new Set<string>();
  let isFull = false;
  let last: ExecutorEntry | undefined;
  let lastInChain: ExecutorEntry | undefined;

  const of = (receipt: Receipt): ExecutorEntry => {
    // Receipts of one chain mostly follow others of the same executor.
    if (last !== undefined && isOf(last, receipt)) return last;
    const key = keyOf(receipt);
    const entry = known.get(key) ?? entryOf(receipt);
    if (known.size < MAX_EXECUTORS) known.set(key, entry);
    else isFull ||= !known.has(key);
    last = entry;
    return entry;
  };

  return {
    of,
    inChain: (receipt) => {
      const entry = of(receipt);
      if (entry !== lastInChain && chained.size < MAX_EXECUTORS) {
        chained.add(chainKey(entry.executor, entry.signer));
      }
      lastInChain = entry;
      return entry;
    },
    hasChain: (executor, signer) => chained.has(chainKey(executor, signer)),
    entries: () => [...known].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry),
    isFull: () => isFull,
  };
}

function chainKey(executor: string, signer: string): string {
  return `${signer} ${chainNameOf(executor)}`;
}

function isOf(entry: ExecutorEntry, receipt: Receipt): boolean {
  return (
    entry.executor === receipt.executor &&
    entry.artifactHash === receipt.artifactHash &&
    entry.certificateHash === receipt.certificateHash &&
    entry.tier === receipt.tier &&
    entry.whitelistHash === receipt.whitelistHash &&
    entry.signer === receipt.signer
  );
}

function keyOf(receipt: Receipt): string {
  const { artifactHash, certificateHash, tier, whitelistHash, signer } = receipt;
  return [nameOf(receipt), artifactHash, certificateHash, tier, whitelistHash, signer].join(' ');
}

function entryOf(receipt: Receipt): ExecutorEntry {
  const { artifactHash, certificateHash, tier, purityMethod, whitelistHash, signer } = receipt;
  return {
    executor: nameOf(receipt),
    ...{ artifactHash, certificateHash, tier, purityMethod, whitelistHash, signer },
    runs: 0,
    first: undefined,
  };
}

function nameOf({ executor }: Pick<Receipt, 'executor'>): string {
  return executor.length <= MAX_NAME ? executor : displayText(executor, MAX_NAME);
}

/** The name of an executor without its version: that of its chain. */
export function chainNameOf(executor: string): string {
  return executor.slice(0, Math.max(0, executor.lastIndexOf('@')));
}
