import { stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { InputError } from '../../engine/encoding/input-error.ts';
import { decidingFiles } from '../../engine/platform/node/deciders.ts';
import { discover } from '../../engine/platform/node/discovery.ts';
import type { Deciders } from '../../engine/platform/node/examine.ts';
import { readFileBounded } from '../../engine/platform/node/files.ts';
import { projectFiles } from '../../engine/platform/node/project-files.ts';
import { MANIFEST_NAME, MAX_MANIFEST_BYTES } from '../../engine/project/manifest-schema.ts';
import type { JobFailure, WhitelistChoice } from '../analysis/jobs.ts';
import { isFailure, type Lane } from '../analysis/lane.ts';
import type { Analysis } from '../analysis/results.ts';
import type { Settings } from '../settings.ts';
import { type AnalysisCache, NO_CACHE, openCache, signatureOf } from './cache.ts';
import { createCoalescer } from './coalesce.ts';
import { createProjects, type Project, type Projects } from './projects.ts';
import { isWithin } from './uris.ts';

export interface WorkspaceOptions {
  /** Does the examinations. */
  readonly files: Lane;
  /** Where analyses are kept from session to session; `undefined` to keep none. */
  readonly cacheFolder: string | undefined;
  readonly version: string;
  isTrusted(): boolean;
  settings(): Settings;
  /** The text of a manifest that is open in the editor. */
  openText(path: string): string | undefined;
  /** WebAssembly text that no project speaks of was found, or has changed. */
  textFound(path: string): Promise<void>;
  /** Something new is known of a project or a stray module. */
  settled(path: string): void;
  /** It is gone; what it was. */
  removed(path: string, was: Project | undefined): void;
}

/** What is told of a first look. */
export interface ScanProgress {
  readonly signal: AbortSignal;
  /** So many of those found so far are examined. */
  examined(done: number, found: number): void;
}

/** The executors and modules of the folders that an editor has open, examined and kept current. */
export interface Workspace {
  readonly projects: Projects;
  readonly folders: readonly string[];
  /** Looks through a folder, and examines what is there. */
  addFolder(folder: string, progress: ScanProgress): Promise<void>;
  removeFolder(folder: string): Promise<void>;
  /** Files or folders have come, changed or gone. */
  filesChanged(paths: readonly string[]): Promise<void>;
  /** The text of an open manifest has changed, or it was closed. */
  manifestChanged(path: string): Promise<void>;
  /** Examines everything again: what decides has changed. */
  examineAll(): Promise<void>;
  /** Resolves when a project, or everything, is known as it is now. */
  settled(path?: string): Promise<void>;
  /** What sources of a project, or of none, are judged by. */
  whitelistOf(project: Project | undefined): WhitelistChoice;
  close(): Promise<void>;
}

/** Results are written to the cache so long after the last of them, in milliseconds. */
const SAVE_AFTER = 2_000;

export function createWorkspace(options: WorkspaceOptions): Workspace {
  const projects = createProjects();
  const folders = new Map<string, AnalysisCache>();
  const examinations = createCoalescer((path) => examine(path));
  let saving: NodeJS.Timeout | undefined;

  const rootOf = (path: string): string | undefined =>
    [...folders.keys()]
      .filter((folder) => isWithin(folder, path))
      .sort((a, b) => b.length - a.length)[0];

  /** A workspace that nobody trusts decides about nothing. */
  const decidersFor = (path: string, project: Project | undefined): Deciders => {
    const root = options.isTrusted() ? rootOf(path) : undefined;
    const { reference, base } = whitelistOf(project);
    const isOwn = options.isTrusted() && project !== undefined;
    return {
      ...decidingFiles(root),
      ...(!isOwn && { whitelist: resolveReference(reference, base) }),
    };
  };

  const whitelistOf = (project: Project | undefined): WhitelistChoice => {
    const own = project?.reading.manifest?.whitelist;
    if (own?.kind === 'named') return { reference: `${own.name}@${own.version}`, base: '.' };
    if (!options.isTrusted()) return BUILT_IN;
    if (own?.kind === 'file' && project !== undefined) {
      return { reference: own.path, base: project.folder };
    }
    const [base = '.'] = folders.keys();
    return { reference: options.settings().whitelist, base };
  };

  const examine = async (path: string): Promise<void> => {
    const project = projects.get(path);
    if (project !== undefined) await examineProject(project);
    else if (projects.stray(path) !== undefined) await examineStray(path);
  };

  const examineProject = async (project: Project): Promise<void> => {
    const { path, reading, folder } = project;
    if (reading.manifest === undefined) {
      options.settled(path);
      return;
    }
    const deciders = decidersFor(path, project);
    const sources = await projectFiles(folder, reading.manifest.source).catch(() => []);
    const signature = await signatureOf(filesBehind(project, deciders), [
      reading.text,
      deciders.whitelist,
      ...sources.map((file) => `${file.path} ${file.modifiedAt}`),
    ]);
    const found = await remember(path, signature, () =>
      options.files.do({
        kind: 'project',
        manifestPath: path,
        manifestText: reading.text,
        deciders,
      }),
    );
    projects.settle(path, found);
    options.settled(path);
  };

  const examineStray = async (path: string): Promise<void> => {
    if (extname(path) === '.wat') {
      await options.textFound(path);
      return;
    }
    const deciders = decidersFor(path, undefined);
    const signature = await signatureOf([path], [deciders.whitelist]);
    const found = await remember(path, signature, () =>
      options.files.do({ kind: 'module', path, deciders }),
    );
    projects.settleStray(path, found);
    options.settled(path);
  };

  const remember = async (
    path: string,
    signature: string,
    work: () => Promise<Analysis | JobFailure>,
  ): Promise<Analysis | JobFailure> => {
    const root = rootOf(path);
    const cache = root === undefined ? undefined : folders.get(root);
    const known = cache?.find(path, signature);
    if (known !== undefined) return known;
    const found = await work();
    if (cache !== undefined && !isFailure(found)) {
      cache.keep(path, signature, found);
      saving ??= setTimeout(() => void save(), SAVE_AFTER).unref();
    }
    return found;
  };

  const save = async (): Promise<void> => {
    clearTimeout(saving);
    saving = undefined;
    for (const cache of folders.values()) await cache.save();
  };

  const read = async (path: string): Promise<void> => {
    const text = options.openText(path) ?? (await readManifestFile(path));
    if (text === undefined) {
      remove(path);
      return;
    }
    const strays = [...projects.strays()];
    projects.set(path, text);
    for (const stray of strays) {
      if (projects.stray(stray.path) === undefined) options.removed(stray.path, undefined);
    }
  };

  const remove = (path: string): void => {
    const was = projects.get(path);
    if (was === undefined && projects.stray(path) === undefined) return;
    projects.remove(path);
    options.removed(path, was);
  };

  /** Finds what is in a folder, or is a file of a kind, and tells each as it is found. */
  const find = async (
    path: string,
    found: (path: string) => void,
    { signal, isKnown }: { signal?: AbortSignal; isKnown?: (path: string) => boolean } = {},
  ): Promise<void> => {
    for await (const each of discover([path], signal && { signal })) {
      if (each.kind === 'problem') continue;
      const name = resolve(each.path);
      if (!isKnown?.(name)) {
        if (each.kind === 'executor') await read(name);
        else projects.addStray(name);
      }
      found(name);
    }
  };

  /** Examines what is in a folder while it is still being looked through, first what was there before. */
  const findAndExamine = async (
    folder: string,
    before: readonly string[],
    progress: ScanProgress,
  ): Promise<void> => {
    const asked = new Map<string, Promise<void>>();
    let done = 0;
    const ask = async (path: string): Promise<void> => {
      await examinations.ask(path);
      done += 1;
      progress.examined(done, asked.size);
    };
    for (const path of await recall(before)) asked.set(path, ask(path));
    const found = new Set<string>();
    const add = (path: string): void => {
      found.add(path);
      if (!asked.has(path)) asked.set(path, ask(path));
    };
    await find(folder, add, { signal: progress.signal, isKnown: (path) => asked.has(path) });
    for (const path of asked.keys()) {
      if (!found.has(path)) remove(path);
    }
    await Promise.all(asked.values());
  };

  /** Takes up what was there the last time, as far as it still is. */
  const recall = async (paths: readonly string[]): Promise<readonly string[]> => {
    const isManifest = (path: string) => basename(path) === MANIFEST_NAME;
    await Promise.all(paths.filter(isManifest).map(read));
    const others = paths.filter((path) => !isManifest(path));
    const states = await Promise.all(others.map((path) => stat(path).catch(() => undefined)));
    for (const [i, path] of others.entries()) {
      const isFree = projects.owning(path).length + projects.builtFrom(path).length === 0;
      if (isFree && states[i]?.isFile()) projects.addStray(path);
    }
    return paths.filter((path) => projects.get(path) ?? projects.stray(path));
  };

  const examineEach = async (paths: readonly string[]): Promise<void> => {
    await Promise.all(paths.map((path) => examinations.ask(path)));
  };

  const foundIn = async (path: string): Promise<readonly string[]> => {
    const found: string[] = [];
    await find(path, (each) => found.push(each));
    return found;
  };

  const fileChanged = async (path: string): Promise<readonly string[]> => {
    const affected = [...projects.owning(path), ...projects.builtFrom(path)].map((p) => p.path);
    const state = await stat(path).catch(() => undefined);
    if (state === undefined) {
      for (const gone of projects.within(path)) remove(gone);
      return affected;
    }
    if (state.isDirectory()) return [...affected, ...(await foundIn(path))];
    if (path.endsWith(`${MANIFEST_NAME}`) && projects.get(path) !== undefined) {
      await read(path);
      return [...affected, path];
    }
    const isKnown = affected.length > 0 || projects.stray(path) !== undefined;
    if (isKnown) return [...affected, path];
    return isOfKind(path) && rootOf(path) !== undefined ? foundIn(path) : affected;
  };

  return {
    projects,
    get folders() {
      return [...folders.keys()];
    },
    async addFolder(folder, progress) {
      // It counts as open at once: what it decides does not wait for what was found the last time.
      folders.set(folder, NO_CACHE);
      const cache = await openCache(options.cacheFolder, folder, options.version);
      if (!folders.has(folder)) return;
      folders.set(folder, cache);
      await findAndExamine(folder, cache.paths, progress);
      await save();
    },
    async removeFolder(folder) {
      await save();
      folders.delete(folder);
      for (const path of projects.within(folder)) {
        if (rootOf(path) === undefined) remove(path);
      }
    },
    async filesChanged(paths) {
      if (paths.some(isDeciding)) {
        await examineEach(everything(projects));
        return;
      }
      const affected = new Set<string>();
      for (const path of paths.filter((path) => !SKIPPED.test(path))) {
        for (const each of await fileChanged(path)) affected.add(each);
      }
      await examineEach([...affected]);
    },
    async manifestChanged(path) {
      await read(path);
      // What is wrong with the manifest itself shows at once.
      options.settled(path);
      await examinations.ask(path);
    },
    examineAll: () => examineEach(everything(projects)),
    settled: (path) => examinations.settled(path),
    whitelistOf,
    async close() {
      await save();
    },
  };
}

const BUILT_IN: WhitelistChoice = Object.freeze({ reference: 'mashin@1', base: '.' });

function everything(projects: Projects): string[] {
  return [...projects.all(), ...projects.strays()].map(({ path }) => path);
}

/** What no search looks into. */
const SKIPPED = /[\\/](?:node_modules|\.git)[\\/]/;

/** Whether a file decides about others: `.touchstone/trust.json`, a policy, a whitelist. */
function isDeciding(path: string): boolean {
  return dirname(path).endsWith('.touchstone') && path.endsWith('.json');
}

function isOfKind(path: string): boolean {
  return path.endsWith(MANIFEST_NAME) || /\.(wasm|wat)$/.test(path);
}

/** A named whitelist stays a name; a file becomes absolute. */
function resolveReference(reference: string, base: string): string {
  return /^[a-z][a-z0-9._-]*@\d+$/.test(reference) ? reference : resolve(base, reference);
}

function filesBehind(project: Project, { trust, policy, whitelist }: Deciders): string[] {
  const { manifest } = project.reading;
  const own =
    whitelist === undefined && manifest?.whitelist.kind === 'file'
      ? join(project.folder, manifest.whitelist.path)
      : undefined;
  return [project.artifact, project.certificate, trust, policy, own, whitelist].filter(
    (file) => file !== undefined,
  );
}

async function readManifestFile(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFileBounded(path, MAX_MANIFEST_BYTES, 'a manifest');
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
