import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import { readDocument, resolveInProject } from '../engine/platform/node/files.ts';
import { type Manifest, parseManifest } from '../engine/project/manifest.ts';
import { MANIFEST_NAME } from '../engine/project/manifest-schema.ts';

/** The one executor a command is about. */
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
  const manifestPath = (await isFolder(path)) ? join(path, MANIFEST_NAME) : path;
  if (extname(manifestPath) !== '.json') return moduleSubject(path);
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
  const name = basename(path, extname(path))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[^a-z0-9]+/, '')
    .slice(0, 64);
  return {
    path,
    manifest: undefined,
    artifact: path,
    name: name === '' ? 'module' : name,
    executor: `${name === '' ? 'module' : name}@0`,
  };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'no such file or folder',
      EACCES: 'permission denied',
      ELOOP: 'too many symbolic links in a row',
      ENAMETOOLONG: 'the name is too long',
      ENOTDIR: 'a part of the path is not a folder',
    };
    const reason = reasons[String(code)] ?? 'it cannot be read';
    throw new InputError('unreadable', `${displayText(path, 500)}: ${reason}`, { cause });
  }
}
