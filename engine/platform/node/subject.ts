import { basename, dirname, extname, join } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { inspectModule } from '../../module/report.ts';
import type { ModuleReport } from '../../module/types.ts';
import { type Manifest, parseManifest } from '../../project/manifest.ts';
import { MANIFEST_NAME } from '../../project/manifest-schema.ts';
import { nodeCrypto } from './crypto.ts';
import { isMissingFile, readDocument, resolveInProject } from './files.ts';
import { isFolder } from './paths.ts';

/** The one executor that something is asked about. */
export interface Subject {
  /** The manifest's path, or the module's where there is no manifest. */
  readonly path: string;
  readonly manifest: Manifest | undefined;
  /** The module's path. */
  readonly artifact: string;
  /** Names the chain of its receipts. */
  readonly name: string;
  /** `name@version`, as receipts have it. */
  readonly executor: string;
}

/**
 * Finds what a path is about: a `.wasm` file by itself, an `executor.json`, or the folder of one.
 * @throws {InputError} for a path, manifest or artifact that cannot be used.
 */
export async function findSubject(path: string): Promise<Subject> {
  if (await isFolder(path)) return projectSubject(await manifestOf(path));
  return extname(path) === '.json' ? projectSubject(path) : moduleSubject(path);
}

/**
 * Inspects a module for whoever needs it to be one.
 * @param path names it in the message.
 * @throws {InputError} for bytes that are no module.
 */
export function inspectNamed(path: string, bytes: Uint8Array): ModuleReport {
  try {
    return inspectModule(nodeCrypto, bytes);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(error.code, `${displayText(path, 500)}: ${error.message}`, {
      cause: error,
    });
  }
}

async function manifestOf(folder: string): Promise<string> {
  const path = join(folder, MANIFEST_NAME);
  try {
    await isFolder(path);
    return path;
  } catch (error) {
    if (!isMissingFile(error)) throw error;
    throw new InputError(
      'unreadable',
      `${displayText(folder, 500)}: it is a folder without ${MANIFEST_NAME}; name a project or a .wasm file`,
      { cause: error },
    );
  }
}

async function projectSubject(manifestPath: string): Promise<Subject> {
  const shown = displayText(manifestPath, 500);
  const manifest = parseManifest(await readDocument(manifestPath), shown);
  return {
    path: manifestPath,
    manifest,
    artifact: await findArtifact(manifestPath, manifest),
    name: manifest.name,
    executor: `${manifest.name}@${manifest.version}`,
  };
}

/** The artifact's path as it is written, once it is known to stay inside the project. */
async function findArtifact(manifestPath: string, manifest: Manifest): Promise<string> {
  await resolveInProject(dirname(manifestPath), manifest.artifact);
  return join(dirname(manifestPath), manifest.artifact);
}

function moduleSubject(path: string): Subject {
  if (extname(path) === '.wat') {
    throw new InputError(
      'usage',
      `${displayText(path, 500)}: it is text, and only bytes are certified and run; assemble it to .wasm`,
    );
  }
  const safe = basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  const name = safe === '' ? 'module' : safe;
  return { path, manifest: undefined, artifact: path, name, executor: `${name}@0` };
}
