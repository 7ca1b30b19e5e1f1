import { stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import type { GateEnvironment } from '../engine/gate/types.ts';
import { assembleWat } from '../engine/module/wat.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import type { Found } from '../engine/platform/node/discovery.ts';
import {
  isMissingFile,
  readDocument,
  readModule,
  readTextFile,
  resolveInProject,
} from '../engine/platform/node/files.ts';
import { projectFiles } from '../engine/platform/node/project-files.ts';
import { type Manifest, manifestError } from '../engine/project/manifest.ts';
import {
  type CertificateInput,
  type Examination,
  examineExecutor,
  examineModule,
} from '../engine/rules/examine.ts';
import type { Whitelist } from '../engine/whitelist/types.ts';
import { CERTIFICATE_SUFFIX } from './certificates.ts';
import { loadPolicy, loadTrustStore, loadWhitelist } from './workspace.ts';

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

/** What certificates are judged by here, read when the first executor asks and then kept. */
type Deciders = () => Promise<Pick<GateEnvironment, 'trust' | 'policy'>>;

/**
 * Makes what examines one thing after the other that a search found.
 * @param whitelist the one asked for; else a project's own, else the built-in.
 */
export function createExaminer(
  whitelist: string | undefined,
): (found: Found) => Promise<FoundResult> {
  let read: ReturnType<Deciders> | undefined;
  const deciders: Deciders = () => {
    read ??= readDeciders();
    return read;
  };
  return (found) => examineFound(found, whitelist, deciders);
}

async function readDeciders() {
  return { trust: await loadTrustStore(undefined), policy: await loadPolicy(undefined) };
}

async function examineFound(
  found: Found,
  whitelist: string | undefined,
  deciders: Deciders,
): Promise<FoundResult> {
  try {
    if (found.kind === 'problem') throw found.error;
    const examination =
      found.kind === 'executor'
        ? await examineProject(found, whitelist, deciders)
        : await examineFile(found.path, await loadWhitelist(whitelist ?? 'mashin@1'));
    const refused = examination.artifact.diagnostics.find(({ code }) => UNUSABLE_CODES.has(code));
    const path = displayText(examination.artifact.path, 500);
    return { examination, ...(refused && { unusable: `${path}: ${refused.message}` }) };
  } catch (error) {
    if (error instanceof InputError) return { unusable: error.message };
    throw error;
  }
}

async function examineFile(path: string, whitelist: Whitelist): Promise<Examination> {
  const contents =
    extname(path) === '.wat'
      ? await attempt(async () => assembleWat(await readTextFile(path), displayText(path, 500)))
      : await readModule(path);
  return examineModule({ path, contents }, { crypto: nodeCrypto, whitelist });
}

async function examineProject(
  found: Found & { readonly kind: 'executor' },
  asked: string | undefined,
  deciders: Deciders,
): Promise<Examination> {
  const { reading, folder, path } = found;
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
      environment: { crypto: nodeCrypto, whitelist, ...(await deciders()), now: Date.now },
    },
  );
}

function projectWhitelist(
  { whitelist }: Manifest,
  folder: string,
  asked: string | undefined,
): Promise<Whitelist> {
  if (asked !== undefined) return loadWhitelist(asked);
  return whitelist.kind === 'named'
    ? loadWhitelist(`${whitelist.name}@${whitelist.version}`)
    : loadWhitelist(whitelist.path, folder);
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
