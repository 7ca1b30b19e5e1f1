import type { Sha256 } from '../crypto/crypto.ts';
import type { Link } from '../governance/effect.ts';
import type { Receipt, ReceiptDirective } from '../provenance/types.ts';
import type { ExecutorEntry, Executors } from './executors.ts';
import type { Place } from './findings.ts';

/** What is kept of a receipt that calls, or is looked for: of all others nothing is. */
export interface ReceiptNote extends Pick<Receipt, 'run' | 'status' | 'inputHash' | 'outputHash'> {
  readonly where: Place;
  /** Whether it lies outside of its chain, kept by whoever called. */
  readonly isKept: boolean;
  readonly entry: ExecutorEntry;
  readonly links: readonly LinkNote[];
}

/** The entry of a directive that links what was recorded for it elsewhere. */
export interface LinkNote extends Pick<ReceiptDirective, 'type' | 'decision' | 'reason'> {
  /** Its place in the receipt, counted from 1. */
  readonly directive: number;
  readonly link: Link;
}

/** So many links are followed. */
const MAX_LINKS = 250_000;

export interface Notes {
  /** Takes a receipt of a chain that holds: it is kept where it calls. */
  take(receipt: Receipt, where: Place): void;
  /** Keeps a receipt of a chain that was looked for. */
  found(hash: Sha256, receipt: Receipt, where: Place): void;
  /** Keeps a receipt that lies outside of its chain; the same one in a chain comes before it. */
  keep(hash: Sha256, receipt: Receipt, where: Place): void;
  find(hash: Sha256): ReceiptNote | undefined;
  /** Those that call: of chains in the order in which they came, then those outside of chains. */
  callers(): Iterable<ReceiptNote>;
  /** Whether there were more links than are followed. */
  isFull(): boolean;
}

export function createNotes(executors: Executors): Notes {
  /** By file and epoch, so that a receipt that calls and is called has one note. */
  const callers = new Map<string, ReceiptNote>();
  const byHash = new Map<Sha256, ReceiptNote>();
  let linksLeft = MAX_LINKS;
  let isFull = false;

  const makeNote = (receipt: Receipt, where: Place, isKept: boolean): ReceiptNote => {
    const { run, status, inputHash, outputHash } = receipt;
    const links = linksOf(receipt);
    const hasRoom = links.length <= linksLeft;
    if (hasRoom) linksLeft -= links.length;
    else isFull = true;
    return {
      ...{ where, isKept, run, status, inputHash, outputHash },
      entry: executors.of(receipt),
      links: hasRoom ? links : [],
    };
  };

  return {
    take: (receipt, where) => {
      const calls = receipt.directives.some(({ link }) => link !== undefined);
      if (calls) callers.set(keyOf(where), makeNote(receipt, where, false));
    },
    found: (hash, receipt, where) => {
      if (byHash.get(hash)?.isKept === false) return;
      byHash.set(hash, callers.get(keyOf(where)) ?? makeNote(receipt, where, false));
    },
    keep: (hash, receipt, where) => {
      if (!byHash.has(hash)) byHash.set(hash, makeNote(receipt, where, true));
    },
    find: (hash) => byHash.get(hash),
    callers: () => [
      ...callers.values(),
      ...[...byHash.values()].filter(({ isKept, links }) => isKept && links.length > 0),
    ],
    isFull: () => isFull,
  };
}

function keyOf({ file, epoch }: Place): string {
  return `${epoch} ${file}`;
}

function linksOf({ directives }: Receipt): readonly LinkNote[] {
  return directives.flatMap(({ type, decision, reason, link }, index) =>
    link === undefined
      ? []
      : [{ directive: index + 1, type, decision, link, ...(reason !== undefined && { reason }) }],
  );
}
