import type { PurityCertificate } from '../certificate/certificate.ts';
import { parseCertificate } from '../certificate/parse.ts';
import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { createGate } from '../gate/admit.ts';
import type { GateEnvironment } from '../gate/types.ts';
import { inspectModule } from '../module/report.ts';
import type { ExternKind, ModuleReport } from '../module/types.ts';
import type { TextRange } from '../project/json-document.ts';
import type { Manifest, ManifestReading } from '../project/manifest.ts';
import type { Category, ImportClass, Whitelist } from '../whitelist/types.ts';
import { judgeImports } from './judge.ts';
import { runRules, type Severities } from './rules.ts';
import type {
  ArtifactState,
  CertificateState,
  Diagnostic,
  GateAnswer,
  JudgedImport,
  ProjectState,
  RuleContext,
  SourceFile,
} from './types.ts';

/** One artifact as `check --format json` tells it (DESIGN 10). */
export interface ExaminedArtifact {
  /** As the caller named it. */
  readonly path: string;
  /** Null where there are no bytes, or none that could be read as a module. */
  readonly sha256: Sha256 | null;
  readonly whitelist: Pick<Whitelist, 'name' | 'version' | 'hash'>;
  /** In file order. Empty, with an error among the diagnostics, where they could not be read. */
  readonly imports: readonly ExaminedImport[];
  /** False also where the imports could not be read. */
  readonly allImportsPure: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

export interface ExaminedImport {
  readonly module: string;
  readonly name: string;
  readonly kind: ExternKind;
  readonly type: string;
  readonly class: ImportClass;
  readonly category?: Category;
  /** Byte offset in the file. */
  readonly offset: number;
}

/** What came of an examination. */
export interface Examination {
  readonly artifact: ExaminedArtifact;
  /** What is known of the module, where it could be read. */
  readonly report: ModuleReport | undefined;
  /** Its imports as they were judged; none where it could not be read. */
  readonly judged: readonly JudgedImport[];
  /** The project's manifest, where there is one; `locate` as in {@link ManifestReading}. */
  readonly manifest?: ExaminedManifest;
  /** Path of the certificate, where one was looked for. */
  readonly certificatePath?: string;
  /** How it stands. */
  readonly certificate?: CertificateState;
  /** Its bytes, where it could be read. */
  readonly certificateBytes?: Uint8Array;
}

export interface ExaminedManifest {
  readonly path: string;
  /** The text that offsets count in. */
  readonly text: string;
  locate(path: readonly (string | number)[]): TextRange | undefined;
}

/** What an examination decides by. */
export interface ExamineOptions {
  readonly crypto: Crypto;
  readonly whitelist: Whitelist;
  /** How the gate would decide about a certificate; without it certificates are only compared. */
  readonly environment?: GateEnvironment;
  readonly severities?: Severities;
}

/** A certificate that was looked for: its bytes, why they could not be read, or that it is missing. */
export interface CertificateInput {
  readonly path: string;
  readonly contents: Uint8Array | InputError | 'missing';
}

export interface ModuleInput {
  /** Names the artifact in the result. */
  readonly path: string;
  /** The module's bytes, assembled already if it is a text; or why there are none. */
  readonly contents: Uint8Array | InputError;
  /** Absent where nobody looked for one. */
  readonly certificate?: CertificateInput;
}

export interface ExecutorInput extends ModuleInput {
  readonly manifestPath: string;
  readonly manifest: Manifest;
  readonly reading: Pick<ManifestReading, 'text' | 'locate'>;
  /** Milliseconds since the Unix epoch; absent where files have no times. */
  readonly artifactModifiedAt?: number;
  readonly sources?: readonly SourceFile[];
}

/** Examines a module by itself. Never throws for what is wrong with it. */
export function examineModule(input: ModuleInput, options: ExamineOptions): Examination {
  return examine(input, options);
}

/** Examines an executor: its artifact, its manifest and its certificate. Never throws for them. */
export function examineExecutor(input: ExecutorInput, options: ExamineOptions): Examination {
  const { manifest, reading, artifactModifiedAt, sources = [] } = input;
  const project: ProjectState = {
    manifest,
    locate: reading.locate,
    sources,
    ...(artifactModifiedAt !== undefined && { artifactModifiedAt }),
  };
  return {
    ...examine(input, options, project),
    manifest: { path: input.manifestPath, text: reading.text, locate: reading.locate },
  };
}

function examine(input: ModuleInput, options: ExamineOptions, project?: ProjectState): Examination {
  const { whitelist } = options;
  const artifact = readArtifact(input.contents, options);
  const certificate =
    input.certificate && readCertificate(input.certificate, input.contents, options);
  const context: RuleContext = {
    whitelist,
    artifact,
    ...(project && { project }),
    ...(certificate && { certificate }),
  };
  const report = artifact.state === 'read' ? artifact.report : undefined;
  const judged = artifact.state === 'read' ? artifact.imports : [];
  return {
    artifact: {
      path: input.path,
      sha256: hashOf(input.contents, report, options.crypto),
      whitelist: { name: whitelist.name, version: whitelist.version, hash: whitelist.hash },
      imports: judged.map(toExaminedImport),
      allImportsPure: report !== undefined && judged.every(({ verdict }) => verdict === 'listed'),
      diagnostics: runRules(context, options.severities),
    },
    report,
    judged,
    ...(input.certificate && { certificatePath: input.certificate.path }),
    ...(certificate && { certificate }),
    ...(input.certificate?.contents instanceof Uint8Array && {
      certificateBytes: input.certificate.contents,
    }),
  };
}

function readArtifact(
  contents: Uint8Array | InputError,
  { crypto, whitelist }: ExamineOptions,
): ArtifactState {
  if (!(contents instanceof Uint8Array)) return stateOfError(contents);
  try {
    const report = inspectModule(crypto, contents);
    return { state: 'read', report, imports: judgeImports(report, whitelist) };
  } catch (error) {
    if (error instanceof InputError) return { state: 'refused', error };
    throw error;
  }
}

/** Text that does not assemble is an artifact that is no module; other errors mean there is none. */
function stateOfError(error: InputError): ArtifactState {
  const isContents = error.code === 'invalid-wat' || error.code === 'invalid-utf8';
  return isContents ? { state: 'refused', error } : { state: 'missing', reason: error.message };
}

function hashOf(
  contents: Uint8Array | InputError,
  report: ModuleReport | undefined,
  crypto: Crypto,
): Sha256 | null {
  if (report !== undefined) return report.sha256;
  return contents instanceof Uint8Array ? crypto.sha256(contents) : null;
}

function readCertificate(
  { path, contents }: CertificateInput,
  artifact: Uint8Array | InputError,
  { crypto, environment }: ExamineOptions,
): CertificateState {
  if (contents === 'missing') return { state: 'missing', path };
  if (contents instanceof InputError) return { state: 'unreadable', error: contents };
  let certificate: PurityCertificate;
  try {
    certificate = parseCertificate(contents, displayText(path, 300)).certificate;
  } catch (error) {
    if (error instanceof InputError) return { state: 'unreadable', error };
    throw error;
  }
  if (!(artifact instanceof Uint8Array))
    return { state: 'read', certificate, bindsArtifact: false };
  return {
    state: 'read',
    certificate,
    bindsArtifact: crypto.sha256(artifact) === certificate.artifactHash,
    ...(environment && { gate: askGate(artifact, contents, certificate, environment) }),
  };
}

function askGate(
  artifact: Uint8Array,
  file: Uint8Array,
  certificate: PurityCertificate,
  environment: GateEnvironment,
): GateAnswer {
  const failed = createGate(environment)
    .verify(artifact, file)
    .find(({ ok }) => !ok);
  if (failed === undefined) return { admits: true };
  const { certifier } = certificate.proof.metadata;
  const isUntrusted = failed.code === 'signature' && !isTrusted(certifier, environment);
  return { admits: false, failed, isUntrusted };
}

/** Whether the key counts, so that a refused signature is a wrong one. */
function isTrusted(certifier: string, { trust, now }: GateEnvironment): boolean {
  const key = trust.find(certifier, 'certifier');
  const time = now();
  return (
    key !== undefined &&
    key.revoked === undefined &&
    time >= (key.validFrom ?? Number.NEGATIVE_INFINITY) &&
    time < (key.validUntil ?? Number.POSITIVE_INFINITY)
  );
}

function toExaminedImport({ entry, classification }: JudgedImport): ExaminedImport {
  const { module, name, kind, type, offset } = entry;
  return {
    module,
    name,
    kind,
    type,
    class: classification.class,
    ...(classification.class !== 'impure' && { category: classification.function.category }),
    offset,
  };
}
