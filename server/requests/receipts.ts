import { join } from 'node:path';
import type { CancellationToken } from 'vscode-languageserver';
import { InputError } from '../../engine/encoding/input-error.ts';
import { type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import type { TrustStore } from '../../engine/gate/types.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { decidingFiles, readTrustStore } from '../../engine/platform/node/deciders.ts';
import { ownEnvironment, withEnvironment } from '../../engine/platform/node/own-environment.ts';
import { fileReceiptStore, RECEIPTS_FOLDER } from '../../engine/platform/node/receipt-store.ts';
import type { ChainVerdict } from '../../engine/provenance/chain.ts';
import { splitLines } from '../../engine/provenance/lines.ts';
import { MAX_RECEIPT_BYTES } from '../../engine/provenance/receipt-format.ts';
import { type ReceiptChain, verifyStoredChain } from '../../engine/provenance/store.ts';
import type { ReceiptsAnswer } from '../protocol.ts';
import { cancelled } from './failures.ts';
import type { ReceiptsQuery } from './params.ts';
import type { RequestServing } from './serving.ts';
import { requireFolder, trustedFolder } from './subjects.ts';

/** A page ends with the receipt that reaches so many bytes: 1,000 of the largest would fill the memory. */
const PAGE_BYTES = 4_194_304;

type ChainAnswer = ReceiptsAnswer['chains'][number];

/**
 * The chains of receipts in a folder, each with its verdict; of the one that is asked for, a page of
 * what it holds.
 * @throws {RequestError} `outside-workspace` or `cancelled`.
 * @throws {InputError} for a chain, key or trust store that cannot be read.
 */
export async function receiptsIn(
  serving: RequestServing,
  query: ReceiptsQuery,
  token: CancellationToken,
): Promise<ReceiptsAnswer> {
  const { folder, chain: asked } = query;
  requireFolder(serving, folder);
  const trust = await environmentsFor(serving, query);
  const store = fileReceiptStore(nodeCrypto, join(folder, RECEIPTS_FOLDER));
  const chains: ChainAnswer[] = [];
  for (const name of asked === undefined ? await store.list() : [asked]) {
    const chain = stoppable(store.open(name), token);
    const verdict = await verifyStoredChain(nodeCrypto, chain, trust);
    const { length, receipts } = await readPage(chain, asked === undefined ? NO_PAGE : query);
    chains.push({
      name,
      ...describe(verdict),
      length,
      ...(asked !== undefined && { receipts }),
    });
  }
  return { chains };
}

const NO_PAGE = Object.freeze({ from: 0, count: 0 });

/** Whose receipts count: those of the trust store that counts, of the client, and of this workspace. */
async function environmentsFor(
  serving: RequestServing,
  { folder, environment }: ReceiptsQuery,
): Promise<TrustStore> {
  const trusted = trustedFolder(serving, folder);
  const store = await readTrustStore(decidingFiles(trusted).trust);
  const own = trusted === undefined ? undefined : await ownEnvironment(folder);
  return withEnvironment(withEnvironment(store, environment), own);
}

function describe(
  found: ChainVerdict,
): Pick<ChainAnswer, 'verdict' | 'detail' | 'holds' | 'epoch'> {
  const { verdict, detail, holds } = found;
  if (found.verdict === 'epoch-gap') return { verdict, detail, holds, epoch: found.expected };
  return { verdict, detail, holds, ...('epoch' in found && { epoch: found.epoch }) };
}

/** The same chain, whose reading ends with the request. */
function stoppable(chain: ReceiptChain, token: CancellationToken): ReceiptChain {
  return {
    name: chain.name,
    append: (make) => chain.append(make),
    tip: () => chain.tip(),
    async *read() {
      for await (const piece of chain.read()) {
        if (token.isCancellationRequested) throw cancelled();
        yield piece;
      }
    },
  };
}

interface Page {
  /** How many lines the chain has. */
  readonly length: number;
  readonly receipts: readonly JsonValue[];
}

/** Reads lines as they are: what does not hold is shown too. Keeps the page, and one line, in memory. */
async function readPage(
  chain: ReceiptChain,
  { from, count }: Pick<ReceiptsQuery, 'from' | 'count'>,
): Promise<Page> {
  const receipts: JsonValue[] = [];
  let place = 0;
  let bytes = 0;
  const lines = splitLines(MAX_RECEIPT_BYTES, (line) => {
    if (place >= from && receipts.length < count && bytes < PAGE_BYTES) {
      receipts.push(receiptOf(line));
      bytes += line.length;
    }
    place++;
    // Where a line breaks off at that length, those after it are none.
    return line.length <= MAX_RECEIPT_BYTES;
  });
  for await (const piece of chain.read()) {
    if (!lines.write(piece)) break;
  }
  return { length: place, receipts };
}

function receiptOf(line: Uint8Array): JsonValue {
  try {
    return parseJson(line, 'the receipt');
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
