import type { Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { type Attestations, answersCall, type JudgedAttestation } from './attestations.ts';
import type { FindingCode, Findings } from './findings.ts';
import type { LinkNote, Notes, ReceiptNote } from './notes.ts';

/** Where a link leads. */
export interface Followed {
  readonly callees: readonly ReceiptNote[];
  readonly attestation?: JudgedAttestation;
  /** Why it leads nowhere, or not to what was called. */
  readonly problem?: FindingCode;
}

/** All links that were followed. */
export interface Calls {
  of(link: LinkNote): Followed | undefined;
  /** The receipts that call, in order. */
  readonly callers: readonly ReceiptNote[];
  /** The attestations that calls link. */
  readonly attestations: ReadonlySet<JudgedAttestation>;
  /** The receipts that were called. */
  readonly called: ReadonlySet<ReceiptNote>;
}

/** What links are looked up in. */
export interface CallMeans {
  readonly notes: Notes;
  readonly attestations: Attestations;
  readonly findings: Findings;
}

/**
 * Follows the links of receipts, of what they called, and so on. What does not hold about them is found.
 * @param starts the receipts to begin with.
 */
export function followCalls(means: CallMeans, starts: Iterable<ReceiptNote>): Calls {
  const followed = new Map<LinkNote, Followed>();
  const callers = new Set(starts);
  const attestations = new Set<JudgedAttestation>();
  const called = new Set<ReceiptNote>();
  const users = new Map<Sha256, string>();
  // A set that grows while it is walked: each receipt is visited once, so that nothing goes in circles.
  for (const caller of callers) {
    for (const link of caller.links) {
      const found = follow(means, caller, link);
      reportReuse(means.findings, users, caller, link);
      followed.set(link, found);
      if (found.attestation !== undefined) attestations.add(found.attestation);
      for (const callee of found.callees) {
        called.add(callee);
        if (callee.links.length > 0) callers.add(callee);
      }
    }
  }
  return { of: (link) => followed.get(link), callers: [...callers], attestations, called };
}

function follow(means: CallMeans, caller: ReceiptNote, link: LinkNote): Followed {
  if (link.link.attestation !== undefined) {
    return followAttestation(means, caller, link, link.link.attestation);
  }
  if (link.link.receipt !== undefined) {
    return followReceipt(means, caller, link, link.link.receipt);
  }
  const report = reporter(means, caller, link);
  return { callees: [], problem: report('link-mismatch', 'its link names nothing') };
}

/** A call of a machine in the same environment: its receipt stands in a chain beside the caller's. */
function followReceipt(
  means: CallMeans,
  caller: ReceiptNote,
  link: LinkNote,
  hash: Sha256,
): Followed {
  const report = reporter(means, caller, link);
  const callee = means.notes.find(hash);
  if (callee === undefined) {
    const problem = report(
      caller.isKept ? 'call-not-followed' : 'linked-receipt-missing',
      `receipt ${shortHash(hash)}… of what was called is not at hand`,
    );
    return { callees: [], problem };
  }
  if (callee.entry.signer !== caller.entry.signer) {
    const problem = report(
      'link-mismatch',
      `receipt ${shortHash(hash)}… of what was called is of another environment, and no attestation is linked`,
    );
    return { callees: [callee], problem };
  }
  const problem = tellsOtherwise(link, callee.status);
  return { callees: [callee], ...(problem && { problem: report('link-mismatch', problem) }) };
}

/** A call of a machine elsewhere: an attestation answers it, and names its receipts. */
function followAttestation(
  { notes, attestations, findings }: CallMeans,
  caller: ReceiptNote,
  link: LinkNote,
  hash: Sha256,
): Followed {
  const report = reporter({ findings }, caller, link);
  const attestation = attestations.find(hash);
  if (attestation === undefined) {
    const problem = report(
      caller.isKept ? 'call-not-followed' : 'linked-attestation-missing',
      `attestation ${shortHash(hash)}… of what was called is not at hand`,
    );
    return { callees: [], problem };
  }
  const callees = attestation.receipts.flatMap((receipt) => notes.find(receipt) ?? []);
  const found = { callees, attestation };
  // What does not hold is found where the attestation is.
  if (!attestation.holds) return { ...found, problem: 'attestation-invalid' };
  const { receipt } = link.link;
  const problem =
    attestation.call === undefined || !answersCall(attestation)
      ? `attestation ${shortHash(hash)}… answers no call`
      : receipt !== undefined && attestation.receipts.at(-1) !== receipt
        ? `receipt ${shortHash(receipt)}… is not the last one that attestation ${shortHash(hash)}… names`
        : tellsOtherwise(link, attestation.call.status);
  return { ...found, ...(problem && { problem: report('link-mismatch', problem) }) };
}

/** A call counts as performed without a failure only if what was called ended well. */
function tellsOtherwise({ decision, reason }: LinkNote, status: string): string | undefined {
  return decision === 'performed' && reason === undefined && status !== 'ok'
    ? `it tells of no failure, and what was called ended ${displayText(status, 60)}`
    : undefined;
}

/** One run, and one answer from elsewhere, stands for one call. */
function reportReuse(
  findings: Findings,
  users: Map<Sha256, string>,
  caller: ReceiptNote,
  link: LinkNote,
): void {
  // A copy of the caller's chain is no second call.
  const user = `${caller.entry.signer} ${caller.run} ${link.directive}`;
  const { attestation, receipt } = link.link;
  for (const target of [attestation, receipt]) {
    if (target === undefined) continue;
    const first = users.get(target);
    users.set(target, first ?? user);
    if (first !== undefined && first !== user) {
      const message = `what it links (${shortHash(target)}…) is linked for another call, too`;
      reporter({ findings }, caller, link)('link-reused', message);
    }
  }
}

function reporter(
  { findings }: Pick<CallMeans, 'findings'>,
  { where, entry }: ReceiptNote,
  { directive, type }: LinkNote,
) {
  return (code: FindingCode, problem: string): FindingCode => {
    const who = `${displayText(entry.executor, 200)}: ${displayText(type, 60)}`;
    findings.add(code, { ...where, directive }, `${who}: ${problem}`);
    return code;
  };
}
