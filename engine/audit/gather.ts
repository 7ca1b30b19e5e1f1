import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import type { Attestations } from './attestations.ts';
import { attestedReceipts } from './attested.ts';
import { createChainTeller } from './chain-report.ts';
import { type ChainReading, findReceipts, readChain } from './chains.ts';
import { reportContradictions } from './contradictions.ts';
import { createExecutors, type Executors } from './executors.ts';
import { type Findings, placeIn } from './findings.ts';
import {
  type KeptReading,
  type KeptReceipt,
  readKeptReceipt,
  readProvenReceipt,
} from './kept-receipts.ts';
import { createNotes, type Notes } from './notes.ts';
import { type OpenRunEntry, readOpenRun } from './open-runs.ts';
import type { ChainReport } from './report.ts';
import type { AuditRequest } from './request.ts';
import type { AuditedFolder } from './sources.ts';
import { createSurvey, type Survey } from './survey.ts';

/** What was read of the receipts in a folder. */
export interface Gathered {
  readonly chains: readonly ChainReport[];
  readonly executors: Executors;
  readonly survey: Survey;
  readonly notes: Notes;
  readonly receipts: readonly KeptReceipt[];
  readonly proofs: readonly KeptReceipt[];
  readonly openRuns: readonly OpenRunEntry[];
}

/** What receipts are read with. */
export interface GatherMeans {
  readonly crypto: Crypto;
  readonly attestations: Attestations;
  readonly findings: Findings;
  /** Whether a chain of this name is told; the others are read for what was called. */
  readonly isTold: (name: string) => boolean;
}

/**
 * Reads all receipts: each chain once to verify and survey it, and once more for those receipts of it
 * that others name.
 */
export async function gatherReceipts(
  means: GatherMeans,
  folder: AuditedFolder,
  request: AuditRequest,
): Promise<Gathered> {
  const { crypto, attestations, findings } = means;
  const executors = createExecutors();
  const notes = createNotes(executors);
  const survey = createSurvey({ all: request.all ?? false });
  const kept = await readKept(means, folder, request, notes);
  const openRuns: OpenRunEntry[] = [];
  for (const file of folder.openRuns) {
    const entry = await readOpenRun(file, findings);
    if (entry !== undefined) openRuns.push(entry);
  }

  const chains: ChainReport[] = [];
  const readings: ChainReading[] = [];
  for (const source of folder.chains) {
    const { deciders } = request;
    const teller = means.isTold(source.name)
      ? createChainTeller(crypto, source, deciders, findings)
      : undefined;
    const reading = await readChain(crypto, source, deciders.trust, (receipt) => {
      const where = { file: source.file, chain: source.name, epoch: receipt.epoch };
      const entry = executors.inChain(receipt);
      notes.take(receipt, where);
      if (teller === undefined) return;
      entry.runs++;
      entry.first ??= where;
      teller.take(receipt, where);
      survey.take(receipt, where);
    });
    readings.push(reading);
    if (teller !== undefined) chains.push(teller.end(reading));
  }

  const wanted = new Set<Sha256>([
    ...attestedReceipts(attestations.all()),
    ...kept.proofs.map(({ hash }) => hash),
    ...openRuns.flatMap(({ commit }) => commit?.hash ?? []),
  ]);
  for (const { links } of notes.callers()) {
    for (const { link } of links) if (link.receipt !== undefined) wanted.add(link.receipt);
  }
  for (const reading of readings) await findIn(means, reading, wanted, notes);
  return { chains, executors, survey, notes, openRuns, ...kept };
}

async function findIn(
  { crypto, findings }: GatherMeans,
  reading: ChainReading,
  wanted: ReadonlySet<Sha256>,
  notes: Notes,
): Promise<void> {
  const { file, name } = reading.source;
  try {
    await findReceipts(crypto, reading, wanted, ({ hash, receipt }) => {
      notes.found(hash, receipt, { file, chain: name, epoch: receipt.epoch });
    });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    findings.add('unreadable-file', { file, chain: name }, error.message);
  }
}

/** Reads the receipts outside of chains; those that can be believed are noted. */
async function readKept(
  { crypto, attestations, findings }: GatherMeans,
  folder: AuditedFolder,
  { deciders: { trust } }: AuditRequest,
  notes: Notes,
): Promise<Pick<Gathered, 'receipts' | 'proofs'>> {
  const attested = new Set<Sha256>();
  for (const { holds, receipts } of attestations.all()) {
    if (holds) for (const hash of receipts) attested.add(hash);
  }
  const keep = ({ about, receipt }: KeptReading) => {
    const where = { file: about.file, epoch: about.epoch };
    notes.keep(about.hash, receipt, where);
    reportContradictions(crypto, receipt, (problem, directive) => {
      findings.add('receipt-contradiction', placeIn(where, directive), problem);
    });
  };
  const proofs: KeptReceipt[] = [];
  for (const file of folder.proofs) {
    const read = await readProvenReceipt(crypto, file, trust, findings);
    if (read === undefined) continue;
    proofs.push(read.about);
    keep(read);
  }
  const receipts: KeptReceipt[] = [];
  for (const file of folder.receipts) {
    const read = await readKeptReceipt(crypto, file, trust, findings);
    if (read === undefined) continue;
    receipts.push(read.about);
    if (read.isProven || attested.has(read.about.hash)) keep(read);
  }
  return { receipts, proofs };
}
