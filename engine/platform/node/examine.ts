import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { CERTIFICATE_SUFFIX } from '../../certificate/certificate.ts';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import type { GateEnvironment } from '../../gate/types.ts';
import { assembleWat } from '../../module/wat.ts';
import { type Manifest, type ManifestReading, manifestError } from '../../project/manifest.ts';
import {
  type CertificateInput,
  type Examination,
  examineExecutor,
  examineModule,
} from '../../rules/examine.ts';
import type { Whitelist } from '../../whitelist/types.ts';
import { nodeCrypto } from './crypto.ts';
import { readPolicy, readTrustStore, readWhitelist } from './deciders.ts';
import type { Found } from './discovery.ts';
import {
  isMissingFile,
  readDocument,
  readModule,
  readTextFile,
  resolveInProject,
} from './files.ts';
import { projectFiles } from './project-files.ts';

/** What certificates and imports are judged by. */
export interface Deciders {
  /** `NAME@VERSION` or a file, in place of what projects name themselves. */
  readonly whitelist?: string;
  /** Files; without one, nobody is trusted, and the default policy holds. */
  readonly trust: string | undefined;
  readonly policy: string | undefined;
}

/** A project to examine: where it is, and its manifest as it is read now, perhaps unsaved. */
export interface FoundProject {
  /** Of the manifest. */
  readonly path: string;
  readonly folder: string;
  readonly reading: ManifestReading;
}

/** Examines what lies in files. Everything is read anew each time but the deciders, which are read once. */
export interface Examiner {
  /**
   * Examines an executor from its files.
   * @throws {InputError} for a manifest, whitelist, trust store, policy or artifact that cannot be used.
   */
  project(project: FoundProject): Promise<Examination>;
  /**
   * Examines a module by itself, in binary or, by its name, in text.
   * @throws {InputError} for a whitelist or file that cannot be read.
   */
  file(path: string): Promise<Examination>;
}

/** Makes what examines one thing after the other. */
export function createExaminer(deciders: Deciders): Examiner {
  let read: Promise<Pick<GateEnvironment, 'trust' | 'policy'>> | undefined;
  const judges = () => {
    read ??= readJudges(deciders);
    return read;
  };
  return {
    project: (project) => examineProject(project, deciders.whitelist, judges),
    file: async (path) => examineFile(path, await readWhitelist(deciders.whitelist ?? 'mashin@1')),
  };
}

/**
 * What came of one thing that was found. `unusable` is one line on what could not be read; both are
 * there for a file that is no module.
 */
export interface FoundResult {
  readonly examination?: Examination;
  readonly unusable?: string;
}

/** Findings that say that the input itself is no module, which is more than a finding. */
const UNUSABLE_CODES: ReadonlySet<string> = new Set(['invalid-module', 'component-not-module']);

/** Examines one thing that a search found. What cannot be read is answered, not thrown. */
export async function examineFound(found: Found, examiner: Examiner): Promise<FoundResult> {
  try {
    if (found.kind === 'problem') throw found.error;
    const examination =
      found.kind === 'executor' ? await examiner.project(found) : await examiner.file(found.path);
    const refused = examination.artifact.diagnostics.find(({ code }) => UNUSABLE_CODES.has(code));
    const path = displayText(examination.artifact.path, 500);
    return { examination, ...(refused && { unusable: `${path}: ${refused.message}` }) };
  } catch (error) {
    if (error instanceof InputError) return { unusable: error.message };
    throw error;
  }
}

async function readJudges({ trust, policy }: Deciders) {
  return { trust: await readTrustStore(trust), policy: (await readPolicy(policy)).gate };
}

async function examineFile(path: string, whitelist: Whitelist): Promise<Examination> {
  const contents =
    extname(path) === '.wat'
      ? await attempt(async () => assembleWat(await readTextFile(path), displayText(path, 500)))
      : await readModule(path);
  return examineModule({ path, contents }, { crypto: nodeCrypto, whitelist });
}

async function examineProject(
  { reading, folder, path }: FoundProject,
  asked: string | undefined,
  judges: () => Promise<Pick<GateEnvironment, 'trust' | 'policy'>>,
): Promise<Examination> {
  const { manifest } = reading;
  if (manifest === undefined) throw manifestError(reading, displayText(path, 500));
  const whitelist = await projectWhitelist(manifest, folder, asked);
  const artifact = join(folder, manifest.artifact);
  const contents = await attempt(async () =>
    readModule(await resolveInProject(folder, manifest.artifact)),
  );
  if (contents instanceof InputError && !isMissingFile(contents)) throw contents;
  return examineExecutor(
    {
      path: artifact,
      contents,
      manifestPath: path,
      manifest,
      reading,
      certificate: await certificateInput(artifact + CERTIFICATE_SUFFIX),
      ...(await times(folder, artifact, manifest)),
    },
    {
      crypto: nodeCrypto,
      whitelist,
      environment: { crypto: nodeCrypto, whitelist, ...(await judges()), now: Date.now },
    },
  );
}

function projectWhitelist(
  { whitelist }: Manifest,
  folder: string,
  asked: string | undefined,
): Promise<Whitelist> {
  if (asked !== undefined) return readWhitelist(asked);
  return whitelist.kind === 'named'
    ? readWhitelist(`${whitelist.name}@${whitelist.version}`)
    : readWhitelist(whitelist.path, folder);
}

async function certificateInput(path: string): Promise<CertificateInput> {
  const contents = await attempt(() => readDocument(path));
  const isMissing = contents instanceof InputError && isMissingFile(contents);
  return { path, contents: isMissing ? 'missing' : contents };
}

async function times(folder: string, artifact: string, manifest: Manifest) {
  try {
    return {
      artifactModifiedAt: (await stat(artifact)).mtimeMs,
      sources: await projectFiles(folder, manifest.source),
    };
  } catch {
    return {}; // without times nothing is said to be stale
  }
}

async function attempt<T>(action: () => Promise<T>): Promise<T | InputError> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
