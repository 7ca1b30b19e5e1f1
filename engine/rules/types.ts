import type { PurityCertificate } from '../certificate/certificate.ts';
import type { InputError } from '../encoding/input-error.ts';
import type { CheckResult } from '../gate/types.ts';
import type { CallPath, ImportEntry, ModuleReport } from '../module/types.ts';
import type { JsonPath, TextRange } from '../project/json-document.ts';
import type { Manifest } from '../project/manifest.ts';
import type { Classification, Whitelist } from '../whitelist/types.ts';

export type Severity = 'error' | 'warning' | 'info';

/** A place in one of the files that an executor consists of. */
export interface Location {
  readonly file: 'artifact' | 'manifest' | 'certificate';
  /** Bytes in the artifact; UTF-16 units in the manifest. */
  readonly offset?: number;
  /** In the units of `offset`. */
  readonly length?: number;
  /** The field of a JSON file. */
  readonly path?: JsonPath;
}

/** Another place that explains a finding. */
export interface Related {
  readonly message: string;
  readonly location: Location;
}

/** What a rule found, before its severity is decided. */
export interface Finding {
  /** One line for a person: what was found, where, what was expected. */
  readonly message: string;
  /**
   * What it is about, the same from build to build: `env.now`, `memory 0`. It tells one finding of
   * a rule from the next when two results are compared.
   */
  readonly subject: string;
  readonly location?: Location;
  readonly related?: readonly Related[];
  /** What to do about it, in one sentence or two. */
  readonly help?: string;
  /** The import it is about, if it is about one: an index into those of the report. */
  readonly importIndex?: number;
  /** Why an import is in the module. */
  readonly callPath?: CallPath;
  /** Where this finding weighs otherwise than its rule does by default. */
  readonly severity?: Severity;
}

/** A finding with its rule's code and its severity (DESIGN 11). */
export interface Diagnostic extends Finding {
  readonly code: string;
  readonly severity: Severity;
}

/** One rule: one code, one file, one page under `docs/rules/`. */
export interface Rule {
  /** Kebab-case, stable. */
  readonly code: string;
  /** Unless configured otherwise. Errors are what keeps an executor from being certified or run. */
  readonly severity: Severity;
  /** One sentence for lists of rules. */
  readonly summary: string;
  check(context: RuleContext): Iterable<Finding>;
}

/** Everything a rule may look at, computed once for all of them. */
export interface RuleContext {
  /** The whitelist that decides. */
  readonly whitelist: Whitelist;
  readonly artifact: ArtifactState;
  /** The project, where there is one. */
  readonly project?: ProjectState;
  /** Absent where nobody looked for a certificate. */
  readonly certificate?: CertificateState;
}

export type ArtifactState =
  | {
      readonly state: 'read';
      readonly report: ModuleReport;
      readonly imports: readonly JudgedImport[];
    }
  /** The bytes are there, and are no module that can be read. */
  | { readonly state: 'refused'; readonly error: InputError }
  /** There are no bytes. */
  | { readonly state: 'missing'; readonly reason: string };

/**
 * How an import stands against the whitelist, decided once so that each import has exactly one
 * primary finding: `listed` none, and every other one that of its rule.
 */
export type Verdict =
  | 'listed'
  | 'type-mismatch'
  | 'unknown-host-function'
  | 'unreachable'
  | 'impure';

export interface JudgedImport {
  readonly entry: ImportEntry;
  /** Its place among the imports. */
  readonly index: number;
  readonly classification: Classification;
  readonly verdict: Verdict;
  /** The shortest call path to it; looked for where the import is not `listed`. */
  readonly callPath: CallPath | undefined;
}

export interface ProjectState {
  readonly manifest: Manifest;
  /** Where the value at a path of the manifest stands. */
  locate(path: JsonPath): TextRange | undefined;
  /** Milliseconds since the Unix epoch; absent where files have no times. */
  readonly artifactModifiedAt?: number;
  readonly sources: readonly SourceFile[];
}

export interface SourceFile {
  /** Relative to the project's folder. */
  readonly path: string;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

export type CertificateState =
  | { readonly state: 'missing'; readonly path: string }
  | { readonly state: 'unreadable'; readonly error: InputError }
  | {
      readonly state: 'read';
      readonly certificate: PurityCertificate;
      /** Whether it is about the artifact's bytes; false also where there is no artifact. */
      readonly bindsArtifact: boolean;
      /** Absent where the gate was not asked. */
      readonly gate?: GateAnswer;
    };

/** What the gate says of a certificate. */
export type GateAnswer =
  | { readonly admits: true }
  | {
      readonly admits: false;
      readonly failed: CheckResult;
      /** The certifier is unknown here, revoked, or not trusted at this time. */
      readonly isUntrusted: boolean;
    };
