import type { Crypto } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import type { DecisionKind } from '../governance/types.ts';
import {
  type Attestations,
  answersCall,
  createAttestations,
  type JudgedAttestation,
} from './attestations.ts';
import { reportAttestation, reportNonces } from './attested.ts';
import { type Calls, followCalls } from './calls.ts';
import { type Certificates, createCertificates, type JudgedCertificate } from './certificates.ts';
import { chainNameOf } from './executors.ts';
import { createFindings, FINDING_CODES, type Findings, severityOf } from './findings.ts';
import { type Gathered, type GatherMeans, gatherReceipts } from './gather.ts';
import { nameKept } from './kept-receipts.ts';
import { hashModules, type Modules } from './modules.ts';
import type { ReceiptNote } from './notes.ts';
import {
  type AttestationReport,
  AUDIT_FORMAT,
  type AuditReport,
  type FileCounts,
  type OpenRunReport,
} from './report.ts';
import { reportCertificates, reportExecutors, reportHooks } from './reports.ts';
import type { AuditRequest } from './request.ts';
import type { AuditedFolder } from './sources.ts';
import { environmentName, reportCalls } from './trees.ts';
import { createWhitelists, type Whitelists } from './whitelists.ts';

/**
 * Audits what lies in a folder: what ran, under what, what was done and denied, who called whom, and
 * what of it does not hold. All is judged by the auditor's own deciders and from files alone; nothing
 * is run. What does not verify is found, and not told as if it had happened. Memory is bounded by what
 * is out of the ordinary and by the calls, not by how many receipts there are.
 */
export async function audit(
  crypto: Crypto,
  folder: AuditedFolder,
  request: AuditRequest,
): Promise<AuditReport> {
  const { executor } = request;
  const isTold = (name: string) => executor === undefined || name === executor;
  const findings = createFindings();
  for (const { code, file, message } of folder.problems) findings.add(code, { file }, message);
  const documents = await judgeDocuments(crypto, folder, request, findings);
  const { attestations } = documents;
  const gathering: GatherMeans = { crypto, attestations, findings, isTold };
  const gathered = await gatherReceipts(gathering, folder, request);
  reportFull(findings, gathered);
  reportKept(findings, gathered, attestations, isTold);
  const calls = callsOf(gathered, documents, request, isTold);
  const told = toldAttestations(attestations, calls, isTold);
  for (const each of told) reportAttestation({ ...gathered, findings }, each);
  reportNonces(findings, told);
  const openRuns = reportOpenRuns(findings, gathered, isTold);
  return makeReport(folder, request, { documents, gathered, calls, told, openRuns });
}

/** The documents of a folder, each judged by itself. */
interface Documents {
  readonly findings: Findings;
  readonly whitelists: Whitelists;
  readonly modules: Modules;
  readonly certificates: Certificates;
  readonly attestations: Attestations;
}

async function judgeDocuments(
  crypto: Crypto,
  folder: AuditedFolder,
  { deciders }: AuditRequest,
  findings: Findings,
): Promise<Documents> {
  const whitelists = createWhitelists(crypto, deciders);
  for (const file of folder.whitelists) await whitelists.take(file);
  const modules = await hashModules(crypto, folder.modules, findings);
  const judging = { crypto, deciders, whitelists, modules, findings };
  const certificates = createCertificates(judging);
  for (const file of folder.certificates) await certificates.take(file);
  const attestations = createAttestations(judging, certificates);
  for (const file of folder.attestations) await attestations.take(file);
  return { findings, whitelists, modules, certificates, attestations };
}

/** Follows the calls of the runs that are told; what they called is told with them. */
function callsOf(
  { notes }: Gathered,
  { attestations, findings }: Documents,
  { executor }: AuditRequest,
  isTold: (name: string) => boolean,
): Calls {
  const isToldRun = ({ where: { chain } }: ReceiptNote) => chain !== undefined && isTold(chain);
  const callers = [...notes.callers()];
  const starts = executor === undefined ? callers : callers.filter(isToldRun);
  const calls = followCalls({ notes, attestations, findings }, starts);
  for (const called of calls.called) {
    if (called.isKept || isToldRun(called)) continue;
    called.entry.runs++;
    called.entry.first ??= called.where;
  }
  return calls;
}

/** All that was found out. */
interface Audited {
  readonly documents: Documents;
  readonly gathered: Gathered;
  readonly calls: Calls;
  readonly told: readonly JudgedAttestation[];
  readonly openRuns: readonly OpenRunReport[];
}

function makeReport(
  folder: AuditedFolder,
  { deciders, executor, all = false }: AuditRequest,
  { documents, gathered, calls, told, openRuns }: Audited,
): AuditReport {
  const { whitelists, certificates, findings } = documents;
  const { survey, chains } = gathered;
  const means = { deciders, ...documents };
  const entries = gathered.executors.entries().filter(({ runs }) => runs > 0);
  const used = new Set(entries.map(({ certificateHash }) => certificateHash));
  const isTold = ({ hash }: JudgedCertificate) => executor === undefined || used.has(hash);
  const report = {
    files: fileCounts(folder),
    whitelists: whitelists.reports(),
    chains,
    executors: reportExecutors(means, entries),
    certificates: reportCertificates(means, entries, isTold),
    effects: survey.effects(),
    hooks: reportHooks(means, survey.hooks()),
    denied: survey.denied(),
    calls: reportCalls({ trust: deciders.trust, certificates }, calls, all),
    attestations: told.map((each) => attestationReport(each, gathered, deciders.trust)),
    openRuns,
  };
  // Last: what was told above has found what does not hold.
  const totals = totalsOf(findings);
  return {
    format: AUDIT_FORMAT,
    trust: deciders.trustSource,
    policy: deciders.policy?.source ?? null,
    compatibility: deciders.compatibility?.source ?? null,
    executor: executor ?? null,
    holds: totals.errors === 0,
    totals,
    ...report,
    findings: findings.list(),
  };
}

/** The attestations of the executors that are told, and those that answered their calls. */
function toldAttestations(
  attestations: Attestations,
  calls: Calls,
  isTold: (name: string) => boolean,
): readonly JudgedAttestation[] {
  return [...attestations.all()].filter(
    (each) => isTold(chainNameOf(each.executor)) || calls.attestations.has(each),
  );
}

/** Finds receipts outside of chains that nothing shows to belong where they are said to. */
function reportKept(
  findings: Findings,
  { receipts, proofs, notes, executors }: Gathered,
  attestations: Attestations,
  isTold: (name: string) => boolean,
): void {
  const naming = new Set([...attestations.all()].flatMap(({ receipts: named }) => named));
  for (const kept of receipts) {
    if (naming.has(kept.hash) || !isTold(chainNameOf(kept.executor))) continue;
    const message = `no attestation at hand names ${nameKept(kept)}`;
    findings.add('receipt-mismatch', { file: kept.file, epoch: kept.epoch }, message);
  }
  for (const kept of proofs) {
    const isInChain = notes.find(kept.hash)?.isKept === false;
    if (isInChain || !isTold(chainNameOf(kept.executor))) continue;
    if (!executors.hasChain(kept.executor, kept.signer)) continue;
    const message = `${nameKept(kept)} is proven, and is not in the chain of its environment`;
    findings.add('proof-not-in-chain', { file: kept.file, epoch: kept.epoch }, message);
  }
}

/** Finds bounds that were reached: what lies beyond them was not audited. */
function reportFull(findings: Findings, { executors, survey, notes }: Gathered): void {
  const where = { file: '.' };
  if (executors.isFull())
    findings.add('not-searched', where, 'there are too many executors to tell');
  if (survey.isFull()) findings.add('not-searched', where, 'there are too many hooks to tell');
  if (notes.isFull()) findings.add('not-searched', where, 'there are too many calls to follow');
}

/** Tells the runs that have no receipt. One whose receipt did become durable has only left its entry. */
function reportOpenRuns(
  findings: Findings,
  { openRuns, notes }: Gathered,
  isTold: (name: string) => boolean,
): readonly OpenRunReport[] {
  return openRuns.flatMap(({ file, content, commit }) => {
    const { executor, directives } = content;
    const isRecorded = commit !== undefined && notes.find(commit.hash)?.isKept === false;
    if (isRecorded || !isTold(chainNameOf(executor))) return [];
    const decisions = new Map<DecisionKind, number>();
    for (const { decision } of directives) {
      decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
    }
    const name = displayText(executor, 200);
    const message = `a run of ${name} has begun effects, and has no receipt: it is under way, or its process is gone`;
    findings.add('run-open', { file }, message);
    return { file, executor: name, decisions: Object.fromEntries(decisions) };
  });
}

function attestationReport(
  attestation: JudgedAttestation,
  { notes }: Gathered,
  trust: AuditRequest['deciders']['trust'],
): AttestationReport {
  const { file, hash, executor, signer, holds, steps, receipts } = attestation;
  const found = receipts.filter((receipt) => notes.find(receipt) !== undefined).length;
  return {
    ...{ file, hash: hash ?? null, executor },
    environment: environmentName(trust, signer),
    ...{ holds, steps },
    receipts: { named: receipts.length, found },
    call: answersCall(attestation),
  };
}

function fileCounts(folder: AuditedFolder): FileCounts {
  return {
    chains: folder.chains.length,
    certificates: folder.certificates.length,
    modules: folder.modules.length,
    attestations: folder.attestations.length,
    receipts: folder.receipts.length,
    proofs: folder.proofs.length,
    whitelists: folder.whitelists.length,
    openRuns: folder.openRuns.length,
  };
}

function totalsOf(findings: Findings): AuditReport['totals'] {
  const counts = findings.counts();
  const sum = (severity: 'error' | 'warning') =>
    FINDING_CODES.filter((code) => severityOf(code) === severity)
      .map((code) => counts.get(code) ?? 0)
      .reduce((a, b) => a + b, 0);
  return {
    errors: sum('error'),
    warnings: sum('warning'),
    byCode: Object.fromEntries(counts),
  };
}
