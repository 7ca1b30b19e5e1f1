import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { InputError } from '../../engine/encoding/input-error.ts';
import { discover } from '../../engine/platform/node/discovery.ts';
import { isMissingFile, readFileBounded } from '../../engine/platform/node/files.ts';
import {
  type ManifestReading,
  readManifest,
  unreadableManifest,
} from '../../engine/project/manifest.ts';
import { MANIFEST_NAME, MAX_MANIFEST_BYTES } from '../../engine/project/manifest-schema.ts';
import type { WhitelistChoice } from '../analysis/jobs.ts';
import type { Lane } from '../analysis/lane.ts';
import type { Settings } from '../settings.ts';
import { createExaminations } from './examinations.ts';
import { createFolders } from './folders.ts';
import { createJudging, ownWhitelistFile } from './judging.ts';
import { createProjects, type Project, type Projects } from './projects.ts';

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
  /** Looks at WebAssembly text that no project speaks of. */
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
  /** A file or folder could not be looked at; one line says why. */
  problem(message: string): void;
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

export function createWorkspace(options: WorkspaceOptions): Workspace {
  const { isTrusted, settings, textFound, settled } = options;
  const projects = createProjects();
  const folders = createFolders(options.cacheFolder, options.version);
  const judging = createJudging({ folders, isTrusted, settings });
  const lane = options.files;
  const examinations = createExaminations({ projects, folders, judging, lane, textFound, settled });

  /** Takes up a manifest as it is now, in the editor or on disk. */
  const read = async (path: string): Promise<void> => {
    const open = options.openText(path);
    const reading = open === undefined ? await readManifestFile(path) : readManifest(open);
    if (reading === undefined) {
      remove(path);
      return;
    }
    const before = projects.get(path)?.artifact;
    for (const claimed of projects.set(path, reading)) options.removed(claimed, undefined);
    if (before !== projects.get(path)?.artifact) setFree(before);
  };

  const remove = (path: string): void => {
    const was = projects.get(path);
    if (was === undefined && projects.stray(path) === undefined) return;
    projects.remove(path);
    options.removed(path, was);
    setFree(was?.artifact);
  };

  /** A module that no project speaks of any more is one by itself. */
  const setFree = (artifact: string | undefined): void => {
    if (artifact === undefined || folders.around(artifact) === undefined) return;
    void recall([artifact]).then(examineEach);
  };

  /** Finds what is in a folder, or is a file of a kind, and tells each as it is found. */
  const find = async (
    path: string,
    found: (path: string) => void,
    { signal, problem }: Partial<Pick<ScanProgress, 'signal' | 'problem'>> = {},
  ): Promise<void> => {
    for await (const each of discover([path], signal && { signal })) {
      const name = resolve(each.path);
      const isManifest = basename(name) === MANIFEST_NAME;
      if (each.kind === 'problem' && !isManifest) {
        problem?.(each.error.message);
        continue;
      }
      if (projects.get(name) === undefined && projects.stray(name) === undefined) {
        if (isManifest) await read(name);
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
    await find(folder, add, progress);
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

  const examineEach = async (paths: Iterable<string>): Promise<void> => {
    await Promise.all([...paths].map((path) => examinations.ask(path)));
  };

  /** What is to be examined again when a file or folder has come, changed or gone. */
  const affectedBy = async (path: string): Promise<readonly string[]> => {
    if (isDeciding(path)) return everything(projects);
    const affected = [
      ...projects.owning(path),
      ...projects.builtFrom(path),
      ...[...projects.all()].filter((project) => ownWhitelistFile(project) === path),
    ].map((project) => project.path);
    const state = await stat(path).catch(() => undefined);
    if (state === undefined) {
      for (const gone of projects.within(path)) remove(gone);
      return affected;
    }
    if (projects.get(path) !== undefined) await read(path);
    const isKnown = projects.get(path) !== undefined || projects.stray(path) !== undefined;
    if (isKnown || affected.length > 0) return [...affected, path];
    if (folders.around(path) === undefined) return [];
    return state.isDirectory() || isOfKind(path) ? foundIn(path) : [];
  };

  const foundIn = async (path: string): Promise<readonly string[]> => {
    const found: string[] = [];
    await find(path, (each) => found.push(each));
    return found;
  };

  return {
    projects,
    get folders() {
      return folders.paths;
    },
    async addFolder(folder, progress) {
      const cache = await folders.open(folder);
      if (cache === undefined) return;
      await findAndExamine(folder, cache.paths, progress);
      await folders.save();
    },
    async removeFolder(folder) {
      await folders.close(folder);
      for (const path of projects.within(folder)) {
        if (folders.around(path) === undefined) remove(path);
      }
    },
    async filesChanged(paths) {
      const affected = new Set<string>();
      for (const path of paths.filter((path) => !SKIPPED.test(path))) {
        for (const each of await affectedBy(path)) affected.add(each);
      }
      await examineEach(affected);
    },
    async manifestChanged(path) {
      await read(path);
      // What is wrong with the manifest itself shows at once.
      settled(path);
      await examinations.ask(path);
    },
    examineAll: () => examineEach(everything(projects)),
    settled: (path) => examinations.settled(path),
    whitelistOf: judging.whitelistOf,
    close: () => folders.save(),
  };
}

function everything(projects: Projects): string[] {
  return [...projects.all(), ...projects.strays()].map(({ path }) => path);
}

/** What no search looks into. */
const SKIPPED = /[\\/](?:node_modules|\.git)[\\/]/;

/** Whether a file decides about others: the trust store or the policy of a workspace. */
function isDeciding(path: string): boolean {
  return basename(dirname(path)) === '.touchstone' && path.endsWith('.json');
}

function isOfKind(path: string): boolean {
  return basename(path) === MANIFEST_NAME || /\.(wasm|wat)$/.test(path);
}

/** The manifest in a file; `undefined` where there is none. */
async function readManifestFile(path: string): Promise<ManifestReading | undefined> {
  try {
    return readManifest(await readFileBounded(path, MAX_MANIFEST_BYTES, 'a manifest'));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return isMissingFile(error) ? undefined : unreadableManifest(error.message);
  }
}
