import { InputError } from '../encoding/input-error.ts';
import { tryDecodeUtf8 } from '../encoding/utf8.ts';
import type { Tier } from '../gate/types.ts';
import type { TrustLevel } from '../governance/types.ts';
import type { PhaseBudget } from '../runtime/budget.ts';
import { type MemoryProfile, PROFILE_PAGES } from '../runtime/profiles.ts';
import { DEFAULT_LIMITS, type RunLimits } from '../runtime/types.ts';
import { type Capability, LLM_SPELLING } from '../whitelist/directives.ts';
import {
  type DocumentProblem,
  type JsonDocument,
  type JsonPath,
  lineAndColumn,
  pathText,
  readJsonDocument,
  type TextRange,
} from './json-document.ts';
import {
  MAX_MANIFEST_BYTES,
  type ManifestDocument,
  manifestFields,
  manifestSchema,
  WHITELIST_NAME,
} from './manifest-schema.ts';
import { normalizeRelativePath } from './relative-path.ts';
import { problemsOf } from './schema-problems.ts';

/** Which whitelist a project names: one by name and version, or a document in a file. */
export type WhitelistReference =
  | { readonly kind: 'named'; readonly name: string; readonly version: number }
  /** Relative to the manifest's folder; may lead out of it. */
  | { readonly kind: 'file'; readonly path: string };

/** An executor's project, as `executor.json` describes it (DESIGN 9), with every default filled in. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Relative to the manifest's folder, with forward slashes, inside it. */
  readonly artifact: string;
  /** Files, folders and patterns, relative to the manifest's folder; may lead out of it. */
  readonly source: readonly string[];
  readonly build: string | undefined;
  readonly whitelist: WhitelistReference;
  /** The export that runs. */
  readonly entry: string;
  readonly tier: Tier;
  readonly trust: TrustLevel;
  /** As declared, each once, spelled as REFERENCE 2 spells it. */
  readonly capabilities: readonly Capability[];
  readonly limits: RunLimits;
  /** Fixes the memory, at the pages that `limits.memoryPages` then says. */
  readonly memoryProfile: MemoryProfile | undefined;
  /** Shares of wall clock for the phases of a run. */
  readonly budget: PhaseBudget;
  /** Files and patterns of cases, relative to the manifest's folder, inside it. */
  readonly cases: readonly string[];
}

/** A manifest read tolerantly, for an editor. */
export interface ManifestReading {
  /** Present exactly when there is no problem. */
  readonly manifest: Manifest | undefined;
  /** `artifact`, if that field alone is good: what the manifest claims even where it is broken. */
  readonly artifact: string | undefined;
  readonly problems: readonly DocumentProblem[];
  /** The text that offsets count in: the source without a byte order mark. */
  readonly text: string;
  /** Where the value at `path` stands; `undefined` if it is not written. */
  locate(path: JsonPath): TextRange | undefined;
}

/**
 * Reads a manifest and tells everything that is wrong with it, each with its place. Never throws.
 */
export function readManifest(source: string | Uint8Array): ManifestReading {
  if (source.length > MAX_MANIFEST_BYTES) {
    return unreadableManifest(
      `the file has ${source.length} bytes; at most ${MAX_MANIFEST_BYTES} are read`,
    );
  }
  const decoded = typeof source === 'string' ? source : tryDecodeUtf8(source);
  if (decoded === undefined) return unreadableManifest('the file is not valid UTF-8');
  const text = decoded.replace(/^\uFEFF/, '');
  const document = readJsonDocument(text);
  const parsed =
    document.value === undefined ? undefined : manifestSchema.safeParse(document.value);
  const problems = [
    ...document.problems,
    ...(parsed?.error === undefined ? [] : problemsOf(parsed.error, document, manifestFields)),
  ].sort((a, b) => a.offset - b.offset);
  return {
    manifest: problems.length === 0 && parsed?.success ? toManifest(parsed.data) : undefined,
    artifact: artifactOf(document),
    problems,
    text,
    locate: document.locate,
  };
}

/**
 * Parses a manifest.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-manifest`: `FILE:line:col: field: problem`, the first there is.
 */
export function parseManifest(source: string | Uint8Array, what: string): Manifest {
  const reading = readManifest(source);
  if (reading.manifest !== undefined) return reading.manifest;
  throw manifestError(reading, what);
}

/** The first problem of a reading as an error. For a reading without a manifest. */
export function manifestError(reading: ManifestReading, what: string): InputError {
  const [first, ...others] = reading.problems;
  if (first === undefined) return new InputError('invalid-manifest', `${what}: it is empty`);
  const { line, column } = lineAndColumn(reading.text, first.offset);
  const field = first.path.length === 0 ? '' : `${pathText(first.path)}: `;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  return new InputError(
    'invalid-manifest',
    `${what}:${line}:${column}: ${field}${first.message}${more}`,
    { offset: first.offset },
  );
}

/** The reading of a manifest of which nothing can be read, and why. */
export function unreadableManifest(message: string): ManifestReading {
  return {
    manifest: undefined,
    artifact: undefined,
    problems: [{ path: [], message, offset: 0, length: 0 }],
    text: '',
    locate: () => undefined,
  };
}

function artifactOf({ value }: JsonDocument): string | undefined {
  if (typeof value !== 'object' || value === null || !('artifact' in value)) return undefined;
  const { data } = manifestSchema.shape.artifact.safeParse(value.artifact);
  return data && normalizeRelativePath(data);
}

function toManifest(document: ManifestDocument): Manifest {
  const capabilities = document.capabilities.map((name) =>
    name === LLM_SPELLING ? 'compute.llm.reason' : name,
  );
  const { memoryProfile, phaseMs = {}, ...limits } = document.limits;
  return {
    name: document.name,
    version: document.version,
    artifact: normalizeRelativePath(document.artifact),
    source: document.source.map(normalizeRelativePath),
    build: document.build,
    whitelist: toWhitelistReference(document.whitelist),
    entry: document.entry,
    tier: document.tier,
    trust: document.trust,
    capabilities: [...new Set(capabilities)],
    limits: {
      ...DEFAULT_LIMITS,
      ...limits,
      ...(memoryProfile !== undefined && { memoryPages: PROFILE_PAGES[memoryProfile] }),
    },
    memoryProfile,
    budget: phaseMs,
    cases: document.cases.map(normalizeRelativePath),
  };
}

function toWhitelistReference(text: string): WhitelistReference {
  const [, name, version] = WHITELIST_NAME.exec(text) ?? [];
  return name === undefined
    ? { kind: 'file', path: normalizeRelativePath(text) }
    : { kind: 'named', name, version: Number(version) };
}
