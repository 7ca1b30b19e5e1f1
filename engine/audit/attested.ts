import type { Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import type { JudgedAttestation } from './attestations.ts';
import type { Executors } from './executors.ts';
import type { Findings } from './findings.ts';
import type { Notes, ReceiptNote } from './notes.ts';

/** What attestations are compared with. */
export interface AttestedMeans {
  readonly notes: Notes;
  readonly executors: Executors;
  readonly findings: Findings;
}

/** Finds what does not hold about an attestation: its own steps, and the receipts that it names. */
export function reportAttestation(
  { notes, executors, findings }: AttestedMeans,
  attestation: JudgedAttestation,
): void {
  const { file, steps, receipts, executor, signer } = attestation;
  const name = `the attestation of ${displayText(executor, 200)}`;
  const failed = steps.find(({ ok }) => !ok);
  if (failed !== undefined) {
    const message = `${name} fails at ${failed.code}: ${failed.detail ?? 'it does not hold'}`;
    findings.add('attestation-invalid', { file }, message);
    return;
  }
  const missing = receipts.find((hash) => notes.find(hash) === undefined);
  if (missing !== undefined) {
    const isHere = executors.hasChain(executor, signer);
    findings.add(
      isHere ? 'attested-receipt-missing' : 'receipt-not-at-hand',
      { file },
      isHere
        ? `receipt ${shortHash(missing)}…, which ${name} names, is not in the chain of its environment`
        : `receipt ${shortHash(missing)}…, which ${name} names, is not at hand`,
    );
    return;
  }
  const found = receipts.flatMap((hash) => notes.find(hash) ?? []);
  const problem = contradictionOf(attestation, found);
  if (problem !== undefined) {
    findings.add('attestation-contradiction', { file }, `${name}: ${problem}`);
  }
}

/** What receipts and the attestation that names them tell differently. */
function contradictionOf(
  { executor, artifactHash, certificateHash, whitelistHash, signer, call }: JudgedAttestation,
  receipts: readonly ReceiptNote[],
): string | undefined {
  for (const { where, entry } of receipts) {
    const receipt = `receipt ${where.epoch}`;
    if (entry.executor !== executor) {
      return `${receipt} is of ${displayText(entry.executor, 200)}`;
    }
    if (entry.artifactHash !== artifactHash) return `${receipt} is of another module`;
    if (entry.certificateHash !== certificateHash) return `${receipt} is under another certificate`;
    if (entry.whitelistHash !== whitelistHash) return `${receipt} is under another whitelist`;
    if (entry.signer !== signer) return `${receipt} is signed by another environment`;
  }
  const isInOrder = receipts.every(
    ({ where }, i) => i === 0 || (receipts[i - 1]?.where.epoch ?? -1) < (where.epoch ?? -1),
  );
  if (!isInOrder) return 'its receipts are not in the order of their chain';
  if (call === undefined) return undefined;
  const [first, last] = [receipts[0], receipts.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  if (first.inputHash !== call.inputHash) return 'its receipt is of another input than the call';
  if (last.outputHash !== call.outputHash) return 'its receipt is of another output than the call';
  return last.status === call.status
    ? undefined
    : `its receipt ended ${last.status}, the call ${displayText(call.status, 60)}`;
}

/** Finds nonces that stand in two answers: each is chosen for one call. */
export function reportNonces(findings: Findings, attestations: Iterable<JudgedAttestation>): void {
  const seen = new Map<string, JudgedAttestation>();
  for (const attestation of attestations) {
    const { call, identity, file } = attestation;
    if (call === undefined) continue;
    const first = seen.get(call.nonce);
    seen.set(call.nonce, first ?? attestation);
    if (first !== undefined && first.identity !== identity) {
      const message = `its nonce ${call.nonce} is that of another answer, too: ${displayText(first.file, 300)}`;
      findings.add('nonce-reused', { file }, message);
    }
  }
}

/** The hashes of all receipts that attestations name. */
export function attestedReceipts(attestations: Iterable<JudgedAttestation>): readonly Sha256[] {
  return [...attestations].flatMap(({ receipts }) => receipts);
}
