import type { ChainTip } from '../provenance/types.ts';
import type { FindingCode } from './findings.ts';

/** What lies in an audited folder, sorted by its names. Files are read when they are asked for. */
export interface AuditedFolder {
  readonly chains: readonly AuditedChain[];
  /** `*.purity.json`. */
  readonly certificates: readonly AuditedFile[];
  /** `*.wasm`. */
  readonly modules: readonly AuditedFile[];
  /** Attestation records, and their DSSE form. */
  readonly attestations: readonly AuditedFile[];
  /** `*.receipt.json`: receipts of other organisations, kept by whoever called there. */
  readonly receipts: readonly AuditedFile[];
  /** What `receipts prove` writes. */
  readonly proofs: readonly AuditedFile[];
  readonly whitelists: readonly AuditedFile[];
  /** What the journal knows of runs that have no receipt yet. */
  readonly openRuns: readonly AuditedOpenRun[];
  /** What could not be looked at. */
  readonly problems: readonly AuditedProblem[];
}

export interface AuditedFile {
  /** From the audited folder, with forward slashes. */
  readonly file: string;
  /** In bytes, when the folder was searched. */
  readonly size: number;
  /** @throws {InputError} `unreadable` or `too-large`. */
  read(): Promise<Uint8Array>;
}

export interface AuditedChain {
  readonly file: string;
  readonly name: string;
  /** @throws {InputError} `unreadable`, or `invalid-receipt` for a tip that is none. */
  tip(): Promise<ChainTip | undefined>;
  /** The bytes from the start, in pieces; none where there is a tip alone. */
  read(): AsyncIterable<Uint8Array>;
}

export interface AuditedOpenRun extends AuditedFile {
  /** The chain that its receipt goes to: its file, whether or not that is there. */
  readonly chain: string;
}

export interface AuditedProblem {
  readonly code: Extract<FindingCode, 'unreadable-file' | 'not-searched' | 'link-not-followed'>;
  readonly file: string;
  /** What was found, in one line, safe to show. */
  readonly message: string;
}
