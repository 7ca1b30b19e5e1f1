import type { Crypto, KeyId } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import type { Receipt, ReceiptStatus } from '../provenance/types.ts';
import type { ChainReading } from './chains.ts';
import { reportContradictions } from './contradictions.ts';
import { chainNameOf } from './executors.ts';
import { type FindingCode, type Findings, type Place, placeIn } from './findings.ts';
import type { ChainReport, RunCounts } from './report.ts';
import type { AuditDeciders } from './request.ts';
import type { AuditedChain } from './sources.ts';
import { environmentName } from './trees.ts';

/** What is told of one chain, gathered while it is read. */
export interface ChainTeller {
  take(receipt: Receipt, where: Place): void;
  /** Tells what came of it, and finds what does not hold. */
  end(reading: ChainReading): ChainReport;
}

export function createChainTeller(
  crypto: Crypto,
  { file, name }: AuditedChain,
  deciders: AuditDeciders,
  findings: Findings,
): ChainTeller {
  const byStatus = new Map<ReceiptStatus, number>();
  const byTier = new Map<number, number>();
  const signers = new Map<KeyId, number>();
  let total = 0;
  let stranger: Place | undefined;

  return {
    take: (receipt, where) => {
      total++;
      count(byStatus, receipt.status);
      count(byTier, receipt.tier);
      count(signers, receipt.signer);
      if (chainNameOf(receipt.executor) !== name && stranger === undefined) {
        stranger = where;
        const message = `the chain ${displayText(name)} holds receipts of ${displayText(receipt.executor, 200)}`;
        findings.add('chain-of-another', where, message);
      }
      reportContradictions(crypto, receipt, (problem, directive) => {
        findings.add('receipt-contradiction', placeIn(where, directive), problem);
      });
      reportEffects(findings, receipt, where);
    },
    end: (reading) => {
      reportVerdict(findings, reading, deciders);
      for (const signer of signers.keys()) {
        if (!deciders.policy?.document.revokedKeys.has(signer)) continue;
        const message = `the policy revokes environment ${shortHash(signer)}…, which signed receipts here`;
        findings.add('environment-revoked', { file, chain: name }, message);
      }
      const environments = [...signers].map(([signer, receipts]) => ({
        ...environmentName(deciders.trust, signer),
        receipts,
      }));
      const runs: RunCounts = {
        total,
        byStatus: Object.fromEntries(byStatus),
        byTier: Object.fromEntries(byTier),
      };
      return { file, name, ...toldVerdict(reading), environments, runs };
    },
  };
}

/** Finds effects that nobody knows the end of, and those that nothing shows to be a pure module's. */
function reportEffects(findings: Findings, receipt: Receipt, where: Place): void {
  const { status, tier, directives, executor } = receipt;
  if (status === 'interrupted') {
    const message = `a run of ${displayText(executor, 200)} was interrupted: its process was gone before its receipt was written`;
    findings.add('run-interrupted', where, message);
  }
  for (const [index, { type, decision }] of directives.entries()) {
    const place = placeIn(where, index + 1);
    const what = displayText(type, 60);
    if (decision === 'attempted') {
      findings.add('effect-attempted', place, `${what} was begun, and nobody knows how it ended`);
    }
    if (tier === 3 && HAPPENED.has(decision)) {
      findings.add('performed-unchecked', place, `${what} is ${decision} for an unchecked module`);
    }
  }
}

const HAPPENED: ReadonlySet<string> = new Set(['performed', 'withheld', 'attempted']);

/** The finding for a chain that does not hold to its end. */
const VERDICT_CODES = {
  'invalid-signature': 'chain-invalid-signature',
  'broken-chain': 'chain-broken',
  'epoch-gap': 'chain-epoch-gap',
  truncated: 'chain-truncated',
} as const;

function reportVerdict(findings: Findings, reading: ChainReading, { trust }: AuditDeciders): void {
  const { source, verdict, unreadable, unreadableTip, hasTip, signer } = reading;
  const where = { file: source.file, chain: source.name };
  const problem = unreadable ?? unreadableTip;
  if (problem !== undefined) findings.add('unreadable-file', where, problem.message);
  if (verdict === undefined || verdict.verdict === 'empty') return;
  if (!hasTip) {
    const message = `the chain ${displayText(source.name)} has no tip (${displayText(source.name)}.tip.json)`;
    findings.add('tip-missing', where, message);
  }
  if (verdict.verdict === 'valid') return;
  const trusted = signer && trust.find(signer, 'environment');
  const code: FindingCode =
    signer === undefined || (trusted !== undefined && trusted.revoked === undefined)
      ? VERDICT_CODES[verdict.verdict]
      : trusted === undefined
        ? 'environment-unknown'
        : 'environment-revoked';
  const epoch = 'epoch' in verdict ? verdict.epoch : verdict.expected;
  findings.add(code, { ...where, epoch }, verdict.detail);
}

function toldVerdict({ verdict, unreadable, hasTip: tip }: ChainReading) {
  if (verdict === undefined) {
    const nothing = { holds: 0, firstEpoch: null, lastEpoch: null, tip };
    return { verdict: 'unreadable' as const, detail: unreadable?.message ?? '', ...nothing };
  }
  const { detail, holds } = verdict;
  const epoch =
    'epoch' in verdict ? verdict.epoch : 'expected' in verdict ? verdict.expected : undefined;
  return {
    verdict: verdict.verdict,
    ...(epoch !== undefined && { epoch }),
    ...{ detail, holds, tip },
    firstEpoch: holds > 0 ? 0 : null,
    lastEpoch: holds > 0 ? holds - 1 : null,
  };
}

function count<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
