import type { AttestationStep } from '../attestation/verify.ts';
import type { KeyId, Sha256 } from '../crypto/crypto.ts';
import type { CheckResult, PurityMethod, Tier } from '../gate/types.ts';
import type { Link } from '../governance/effect.ts';
import type { HookOpinion, HookVerdict } from '../governance/hook.ts';
import type { DecisionKind } from '../governance/types.ts';
import type { ChainVerdict } from '../provenance/chain.ts';
import type { ReceiptStatus } from '../provenance/types.ts';
import type { Finding, FindingCode, Place } from './findings.ts';

export const AUDIT_FORMAT = 'audit/1';

/** All that an audit says: the document of `audit --format json`. No clock value is among it. */
export interface AuditReport {
  readonly format: typeof AUDIT_FORMAT;
  readonly trust: TrustSource;
  /** The files that decided beside the trust store; null where none was named. */
  readonly policy: string | null;
  readonly compatibility: string | null;
  /** The executor that the audit was narrowed to. */
  readonly executor: string | null;
  /** Whether there is no finding of severity `error`. */
  readonly holds: boolean;
  readonly totals: {
    readonly errors: number;
    readonly warnings: number;
    /** How many there are of each code, also of those that are not listed. */
    readonly byCode: Readonly<Partial<Record<FindingCode, number>>>;
  };
  readonly files: FileCounts;
  readonly whitelists: readonly WhitelistReport[];
  readonly chains: readonly ChainReport[];
  readonly executors: readonly ExecutorReport[];
  readonly certificates: readonly CertificateReport[];
  readonly effects: EffectsReport;
  readonly hooks: readonly HookReport[];
  readonly denied: readonly DenialReport[];
  readonly calls: CallsReport;
  readonly attestations: readonly AttestationReport[];
  readonly openRuns: readonly OpenRunReport[];
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/** Whose word it is that keys are trusted. */
export interface TrustSource {
  /** The file; null where there is none, and nobody is trusted. */
  readonly source: string | null;
  /** Whether it is the audited party's own: it lies in the audited folder, and nobody named another. */
  readonly own: boolean;
}

/** How many files of each kind there are. */
export interface FileCounts {
  readonly chains: number;
  readonly certificates: number;
  readonly modules: number;
  readonly attestations: number;
  readonly receipts: number;
  readonly proofs: number;
  readonly whitelists: number;
  readonly openRuns: number;
}

export interface WhitelistReport {
  readonly name: string;
  readonly version: number;
  readonly hash: Sha256;
  /** `built-in`, `named` by whoever audits, or `folder`: the audited party's own document. */
  readonly source: 'built-in' | 'named' | 'folder';
}

export interface ChainReport {
  readonly file: string;
  readonly name: string;
  readonly verdict: ChainVerdict['verdict'] | 'unreadable';
  /** The place where it stops to hold; absent where it holds. */
  readonly epoch?: number;
  readonly detail: string;
  /** How many receipts from the start hold: the others are not believed, and not told. */
  readonly holds: number;
  readonly firstEpoch: number | null;
  readonly lastEpoch: number | null;
  /** Whether a tip is recorded, against which receipts cut off the end show. */
  readonly tip: boolean;
  readonly environments: readonly (EnvironmentName & { readonly receipts: number })[];
  readonly runs: RunCounts;
}

/** An environment: an organisation's, if the trust store's label says so. */
export interface EnvironmentName {
  readonly keyId: KeyId;
  readonly label?: string;
}

export interface RunCounts {
  readonly total: number;
  readonly byStatus: Readonly<Partial<Record<ReceiptStatus, number>>>;
  readonly byTier: Readonly<Partial<Record<Tier, number>>>;
}

/** What ran: one module under one certificate and whitelist, in one environment. */
export interface ExecutorReport {
  /** `name@version`. */
  readonly executor: string;
  readonly artifactHash: Sha256;
  readonly tier: Tier;
  readonly purityMethod: PurityMethod;
  readonly certificateHash: Sha256 | null;
  /** The file of the certificate; null where it is not at hand. */
  readonly certificate: string | null;
  /** The file of the module; null where it is not at hand. */
  readonly module: string | null;
  readonly whitelistHash: Sha256;
  /** `name@version`; null for one that is not known. */
  readonly whitelist: string | null;
  readonly environment: EnvironmentName;
  readonly runs: number;
  /** Its first receipt. */
  readonly first: Place;
}

export interface CertificateReport {
  readonly file: string;
  readonly hash: Sha256;
  readonly artifactHash: Sha256;
  readonly certifier: EnvironmentName;
  /** RFC 3339, as its certifier tells it. */
  readonly issuedAt: string;
  readonly holds: boolean;
  /** The file of the module that checks 2 and 4 looked at; null where they were not made. */
  readonly module: string | null;
  /** The gate's checks, as far as they were made. */
  readonly checks: readonly CheckResult[];
  /** How many of the runs told here stand on it. */
  readonly runs: number;
}

export interface EffectsReport {
  readonly byTag: Readonly<Record<string, TagCounts>>;
  /** Every directive, where everything was asked for. */
  readonly list?: readonly EffectReport[];
  /** How many directives more there are than are listed; absent where all are. */
  readonly more?: number;
}

/** How many directives of a tag came to what. */
export interface TagCounts extends Readonly<Record<DecisionKind, number>> {
  /** How many of those performed came to nothing, as their reason says. */
  readonly failed: number;
}

export interface EffectReport {
  readonly file: string;
  readonly epoch: number;
  readonly directive: number;
  readonly executor: string;
  readonly type: string;
  readonly decision: DecisionKind;
  readonly hash: Sha256;
  readonly resultHash?: Sha256;
  readonly reason?: string;
  readonly hooks?: readonly HookOpinion[];
  readonly link?: Link;
}

/** A hook or guardrail that was asked. */
export interface HookReport {
  /** Null where there was no module to ask. */
  readonly artifactHash: Sha256 | null;
  /** The file of a certificate of that module that holds; null where none is at hand. */
  readonly certificate: string | null;
  readonly verdicts: Readonly<Partial<Record<HookVerdict, number>>>;
}

/** What was denied or withheld for one kind of reason. */
export interface DenialReport {
  /** The code of the reason: `CapabilityDenied`, `GrantRefused`, …. */
  readonly code: string;
  readonly count: number;
  readonly byTag: Readonly<Record<string, number>>;
  /** The reasons in full, the most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
  readonly first: Place;
}

export interface CallsReport {
  /** Entries of receipts that link what was called. */
  readonly links: number;
  /** How many of them lead to what was called. */
  readonly followed: number;
  /** Runs that called; those that only differ in their hashes and places are told once, and counted. */
  readonly trees: readonly { readonly runs: number; readonly root: RunNode }[];
  /** How many runs more there are than are told; absent where all are. */
  readonly more?: number;
}

/** A run that called, or was called. */
export interface RunNode {
  readonly executor: string;
  readonly environment: EnvironmentName;
  readonly status: string;
  readonly tier: Tier;
  readonly certificateHash: Sha256 | null;
  /** Whether its certificate holds; null where it is not at hand. */
  readonly certified: boolean | null;
  /** Its receipt; null where that is not at hand, and the attestation speaks for it. */
  readonly where: Place | null;
  readonly calls: readonly CallNode[];
  /** Calls that are not told, for there are too many or they lie too deep; absent where all are. */
  readonly more?: number;
}

/** One call: the entry of a directive, and where it leads. */
export interface CallNode {
  readonly directive: number;
  readonly type: string;
  readonly decision: DecisionKind;
  readonly reason?: string;
  /** What was recorded for it elsewhere. */
  readonly link: Link;
  /** The attestation's file, and whether all its steps hold; absent for a call without one. */
  readonly attestation?: { readonly file: string; readonly holds: boolean };
  /** Why it leads nowhere, or not to what was called. */
  readonly problem?: FindingCode;
  /** What was called: several where a run had several steps. */
  readonly callees: readonly RunNode[];
  /** How many more were called than are told; absent where all are. */
  readonly more?: number;
}

export interface AttestationReport {
  readonly file: string;
  /** SHA-256 of the record; null for the DSSE form, which nothing links. */
  readonly hash: Sha256 | null;
  readonly executor: string;
  readonly environment: EnvironmentName;
  readonly holds: boolean;
  readonly steps: readonly AttestationStep[];
  /** How many receipts it names, and how many of them are at hand. */
  readonly receipts: { readonly named: number; readonly found: number };
  /** Whether it answers a call. */
  readonly call: boolean;
}

/** A run with effects and without a receipt. */
export interface OpenRunReport {
  readonly file: string;
  readonly executor: string;
  /** Directives by what came of them, as far as the journal tells. */
  readonly decisions: Readonly<Partial<Record<DecisionKind, number>>>;
}
