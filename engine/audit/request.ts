import type { Compatibility } from '../attestation/compatibility.ts';
import type { GatePolicy, TrustStore } from '../gate/types.ts';
import type { Whitelist } from '../whitelist/types.ts';
import type { TrustSource } from './report.ts';

/** What an audit decides by. */
export interface AuditDeciders {
  readonly trust: TrustStore;
  readonly trustSource: TrustSource;
  /** The auditor's policy, with its file; without one nothing is demanded beyond the certificates. */
  readonly policy?: Named<GatePolicy>;
  /** What the environments of attestations must be. */
  readonly compatibility?: Named<Compatibility>;
  readonly builtIn: Whitelist;
  /** The whitelists that the auditor accepts beside the built-in one. */
  readonly whitelists: readonly Whitelist[];
  /** Milliseconds since the Unix epoch. */
  readonly now: () => number;
}

/** A document, and the file that it was read from. */
interface Named<Document> {
  readonly document: Document;
  readonly source: string;
}

/** What is asked. */
export interface AuditRequest {
  readonly deciders: AuditDeciders;
  /** The name of an executor: only its chain is told, and what it called. */
  readonly executor?: string | undefined;
  /** Tells every directive and every call, not their counts alone. */
  readonly all?: boolean | undefined;
}
