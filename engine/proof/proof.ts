import type { KeyId, Sha256 } from '../crypto/crypto.ts';
import type { ExternKind, ImportEntry } from '../module/types.ts';
import type { ImportClass, Whitelist } from '../whitelist/types.ts';

export const PROOF_FORMAT = 'purity-proof/1';

/** One import with its class. The byte offset is left out: it is no part of what is proved. */
export interface ProofImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
  readonly class: ImportClass;
}

/** Who issued the proof, when, and against which whitelist. Inside the proof, so that it is signed. */
export interface ProofMetadata {
  readonly format: typeof PROOF_FORMAT;
  /** Key id of the certifier. */
  readonly certifier: KeyId;
  /** RFC 3339, UTC, whole seconds: `2026-11-20T09:30:00Z`. */
  readonly issuedAt: string;
  readonly whitelist: {
    readonly name: string;
    readonly version: number;
    readonly hash: Sha256;
  };
}

/** The purity proof (DESIGN 5): every import in file order, classified against one whitelist. */
export interface PurityProof {
  readonly imports: readonly ProofImport[];
  readonly allImportsPure: boolean;
  readonly metadata: ProofMetadata;
}

/**
 * Builds the proof of a module's imports. A proof may say that not all imports are pure; a
 * certificate is never made of such a one.
 * @param issuedAt milliseconds since the Unix epoch.
 */
export function prove(
  imports: readonly ImportEntry[],
  whitelist: Whitelist,
  certifier: KeyId,
  issuedAt: number,
): PurityProof {
  const classified = imports.map((entry) => ({
    module: entry.module,
    name: entry.name,
    kind: entry.kind,
    type: entry.type,
    class: whitelist.classify(entry).class,
  }));
  return {
    imports: classified,
    allImportsPure: classified.every((entry) => entry.class !== 'impure'),
    metadata: {
      format: PROOF_FORMAT,
      certifier,
      issuedAt: rfc3339(issuedAt),
      whitelist: { name: whitelist.name, version: whitelist.version, hash: whitelist.hash },
    },
  };
}

function rfc3339(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
