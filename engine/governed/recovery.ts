import { placeContent } from '../provenance/build.ts';
import type { LeftRun } from '../provenance/journal.ts';
import { splitLines } from '../provenance/lines.ts';
import { MAX_RECEIPT_BYTES } from '../provenance/receipt.ts';
import { writeReceipts } from '../provenance/record.ts';
import type { ReceiptChain } from '../provenance/store.ts';
import type { ChainTip, Receipt } from '../provenance/types.ts';
import type { RunServices } from './run.ts';

type RecoveryServices = Pick<RunServices, 'crypto' | 'receipts' | 'environment' | 'journal'>;

/**
 * Records the runs of a chain whose process ended before their receipts were durable: as
 * `interrupted`, with an entry for every effect that had begun. One whose receipt did become durable is
 * recognised by it, and not recorded twice.
 * @returns the receipts that were made.
 * @throws {InputError} as `governedRun` where they cannot be made or written.
 */
export async function recordInterrupted(
  services: RecoveryServices,
  name: string,
): Promise<readonly Receipt[]> {
  const { journal, receipts } = services;
  const made: Receipt[] = [];
  await journal?.recover(name, async (left) => {
    made.push(...(await recordLeft(services, receipts.open(name), left)));
  });
  return made;
}

async function recordLeft(
  { crypto, environment }: RecoveryServices,
  chain: ReceiptChain,
  { content, commit }: LeftRun,
): Promise<readonly Receipt[]> {
  const place = (tip: ChainTip | undefined) =>
    placeContent(crypto, content, tip, environment.publicKey.keyId);
  const appended = await chain.append(async (tip) => {
    // Nobody appends while this is asked, and what a crash left of the chain's end has been mended.
    const isThere = commit !== undefined && (await hasReceipt(crypto, chain, commit));
    return isThere ? [] : writeReceipts(crypto, 'each', [place], tip, environment);
  });
  return appended.map(({ receipt }) => receipt);
}

/** Whether a chain has the receipt that `tip` names, at its place. */
async function hasReceipt(
  crypto: RecoveryServices['crypto'],
  chain: ReceiptChain,
  tip: ChainTip,
): Promise<boolean> {
  let epoch = 0;
  let isThere = false;
  const lines = splitLines(MAX_RECEIPT_BYTES, (line) => {
    if (epoch === tip.epoch) isThere = crypto.sha256(line) === tip.hash;
    return epoch++ < tip.epoch;
  });
  for await (const piece of chain.read()) {
    if (!lines.write(piece)) break;
  }
  return isThere;
}
