import type { Dirent } from 'node:fs';
import { lstat, opendir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { type IgnoreRules, noIgnoreRules } from '../../project/ignore-rules.ts';
import { type ManifestReading, readManifest } from '../../project/manifest.ts';
import { MANIFEST_NAME, MAX_MANIFEST_BYTES } from '../../project/manifest-schema.ts';
import { matcherOf } from '../../project/pattern.ts';
import { readFileBounded, unreadableError } from './files.ts';

/** What a search finds. Paths begin as the searched path was given. */
export type Found =
  /** A project: `path` is its `executor.json`, `folder` where that is. */
  | {
      readonly kind: 'executor';
      readonly path: string;
      readonly folder: string;
      readonly reading: ManifestReading;
    }
  /** A `.wasm` or `.wat` that no manifest found speaks of, or any file named outright. */
  | { readonly kind: 'module'; readonly path: string }
  /** What could not be looked at. */
  | { readonly kind: 'problem'; readonly path: string; readonly error: InputError };

export interface DiscoveryOptions {
  /** Folders deeper than this below a searched one are not looked at. */
  readonly maxDepth?: number;
  /** After so many files and folders the search ends, with a problem. */
  readonly maxEntries?: number;
  readonly signal?: AbortSignal;
}

const MAX_DEPTH = 64;
const MAX_ENTRIES = 200_000;
const MAX_GITIGNORE_BYTES = 262_144;
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git']);
const MODULE_NAME = /\.(wasm|wat)$/;

/**
 * Finds executors and stray modules, each once, in sorted order whatever the order of `paths`: in a
 * folder first its own manifest, then its modules, then its folders. Skipped are `node_modules`, `.git` and what git ignores, unless
 * named outright; links to folders are not followed. Folders and manifests come before modules that
 * are named outright, so that an artifact is told under its manifest.
 * @throws the signal's reason, when aborted. Everything else that goes wrong is found as a problem.
 */
export async function* discover(
  paths: readonly string[],
  options: DiscoveryOptions = {},
): AsyncGenerator<Found> {
  const search: Search = {
    maxDepth: options.maxDepth ?? MAX_DEPTH,
    entriesLeft: options.maxEntries ?? MAX_ENTRIES,
    signal: options.signal,
    seen: new Set(),
    claims: new Map(),
  };
  const modules: string[] = [];
  for (const path of inTreeOrder(paths)) {
    search.signal?.throwIfAborted();
    try {
      if ((await stat(path)).isDirectory()) {
        yield* walk(search, { path, depth: 0, ...(await ignoreRulesFor(path)) });
      } else if (basename(path) === MANIFEST_NAME) {
        yield* findExecutor(search, dirname(path), path);
      } else {
        modules.push(path);
      }
    } catch (error) {
      yield problem(search, path, error);
    }
  }
  for (const path of modules) yield* findModule(search, path);
}

/** Sorted so that a folder comes before what is in it. */
function inTreeOrder(paths: readonly string[]): string[] {
  const steps = (path: string) => resolve(path).split(sep).join('\0');
  return [...paths].sort((a, b) => (steps(a) < steps(b) ? -1 : 1));
}

/** The state of one search. */
interface Search {
  readonly maxDepth: number;
  entriesLeft: number;
  readonly signal: AbortSignal | undefined;
  /** Real paths of what was found. */
  readonly seen: Set<string>;
  /** What the manifests found speak of in their own folders, by the real path of the folder. */
  readonly claims: Map<string, Claim>;
}

/** Whether a manifest speaks of a file, as its artifact or a source, by its path from the folder. */
type Claim = (relativePath: string) => boolean;

interface Folder {
  readonly path: string;
  readonly depth: number;
  /** Relative to the root of the ignore rules, with forward slashes. */
  readonly inRoot: string;
  readonly rules: IgnoreRules;
}

async function* walk(search: Search, folder: Folder): AsyncGenerator<Found> {
  search.signal?.throwIfAborted();
  if (search.entriesLeft < 0) return;
  let entries: Dirent[];
  try {
    entries = await readFolder(search, folder.path);
  } catch (error) {
    yield problem(search, folder.path, error);
    return;
  }
  const rules = await rulesInside(folder, entries);
  const inRoot = (name: string) => (rules.inRoot === '' ? name : `${rules.inRoot}/${name}`);
  const kept = entries.filter(
    (entry) => !rules.rules.ignores(inRoot(entry.name), entry.isDirectory()),
  );
  const manifest = kept.find((entry) => entry.name === MANIFEST_NAME && !entry.isDirectory());
  if (manifest !== undefined) {
    yield* findExecutor(search, folder.path, join(folder.path, MANIFEST_NAME));
  }
  for (const { name } of kept.filter(
    (entry) => !entry.isDirectory() && MODULE_NAME.test(entry.name),
  )) {
    yield* findModule(search, join(folder.path, name), 'regular files only');
  }
  for (const { name } of kept.filter(
    (entry) => entry.isDirectory() && !SKIPPED_FOLDERS.has(entry.name),
  )) {
    const path = join(folder.path, name);
    if (folder.depth >= search.maxDepth) {
      yield problem(search, path, tooMuch(path, `folders deeper than ${search.maxDepth}`));
    } else {
      yield* walk(search, {
        path,
        depth: folder.depth + 1,
        inRoot: inRoot(name),
        rules: rules.rules,
      });
    }
  }
}

/** The entries that matter, sorted. Ends the whole search when there are too many of any kind. */
async function readFolder(search: Search, path: string): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  for await (const entry of await opendir(path)) {
    if (--search.entriesLeft < 0) {
      throw tooMuch(path, 'more files and folders than one search looks at');
    }
    const matters =
      entry.isDirectory() ||
      entry.name === MANIFEST_NAME ||
      entry.name === '.gitignore' ||
      entry.name === '.git' ||
      MODULE_NAME.test(entry.name);
    if (matters) entries.push(entry);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function* findExecutor(search: Search, folder: string, path: string): AsyncGenerator<Found> {
  try {
    if (await isSeen(search, path)) return;
    const reading = readManifest(await readFileBounded(path, MAX_MANIFEST_BYTES, 'a manifest'));
    const isSource = matcherOf(reading.manifest?.source ?? []);
    search.claims.set(
      await realpath(folder),
      (inside) => inside === reading.artifact || isSource(inside),
    );
    yield { kind: 'executor', path, folder, reading };
  } catch (error) {
    yield problem(search, path, error);
  }
}

async function* findModule(
  search: Search,
  path: string,
  only?: 'regular files only',
): AsyncGenerator<Found> {
  try {
    if (only !== undefined && !(await stat(path)).isFile()) return;
    if (isClaimed(search, await realPathOfFile(path)) || (await isSeen(search, path))) return;
    yield { kind: 'module', path };
  } catch (error) {
    yield problem(search, path, error);
  }
}

/** Asks the manifests of the folders around a file: there may be thousands elsewhere. */
function isClaimed({ claims }: Search, real: string): boolean {
  for (let folder = dirname(real); ; folder = dirname(folder)) {
    const covers = claims.get(folder);
    if (covers?.(slashed(relative(folder, real)))) return true;
    if (folder === dirname(folder)) return false;
  }
}

async function isSeen({ seen }: Search, path: string): Promise<boolean> {
  const real = await realPathOfFile(path);
  if (seen.has(real)) return true;
  seen.add(real);
  return false;
}

/** The folder's links are resolved, the file's own name is kept: a claim names it so. */
async function realPathOfFile(path: string): Promise<string> {
  return join(await realpath(dirname(path)), basename(path));
}

/** The rules that hold in a folder: a repository of its own begins anew, a `.gitignore` adds. */
async function rulesInside(
  folder: Folder,
  entries: readonly Dirent[],
): Promise<{ readonly inRoot: string; readonly rules: IgnoreRules }> {
  const isRepository = folder.depth > 0 && entries.some((entry) => entry.name === '.git');
  let inRoot = folder.inRoot;
  let rules = folder.rules;
  if (isRepository) {
    inRoot = '';
    rules = await excludesOf(folder.path);
  }
  if (entries.some((entry) => entry.name === '.gitignore')) {
    rules = await withGitignore(rules, inRoot, folder.path);
  }
  return { inRoot, rules };
}

/** The rules that hold for a searched folder from above: up to the root of its repository. */
async function ignoreRulesFor(
  path: string,
): Promise<{ readonly inRoot: string; readonly rules: IgnoreRules }> {
  const real = await realpath(path);
  const root = await repositoryRoot(real);
  if (root === undefined) return { inRoot: '', rules: noRules() };
  const inRoot = slashed(relative(root, real));
  let rules = await excludesOf(root);
  let above = '';
  for (const step of inRoot === '' ? [] : inRoot.split('/')) {
    rules = await withGitignore(rules, above, join(root, above));
    above = above === '' ? step : `${above}/${step}`;
  }
  return { inRoot, rules };
}

async function repositoryRoot(folder: string): Promise<string | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    if ((await lstat(join(at, '.git')).catch(() => undefined)) !== undefined) return at;
    if (dirname(at) === at) return undefined;
  }
}

async function excludesOf(repository: string): Promise<IgnoreRules> {
  const text = await readRules(join(repository, '.git', 'info', 'exclude'));
  return text === '' ? noRules() : noRules().extend('', text);
}

async function withGitignore(
  rules: IgnoreRules,
  inRoot: string,
  folder: string,
): Promise<IgnoreRules> {
  const text = await readRules(join(folder, '.gitignore'));
  return text === '' ? rules : rules.extend(inRoot, text);
}

/** The text of a file of ignore rules; empty where there is none, or none that can be read. */
async function readRules(path: string): Promise<string> {
  try {
    const bytes = await readFileBounded(path, MAX_GITIGNORE_BYTES, 'a list of ignored files');
    return new TextDecoder().decode(bytes);
  } catch {
    return '';
  }
}

/** Git ignores case where the file system does. */
function noRules(): IgnoreRules {
  return noIgnoreRules(process.platform === 'win32' || process.platform === 'darwin');
}

function problem(search: Search, path: string, error: unknown): Found {
  search.signal?.throwIfAborted();
  return { kind: 'problem', path, error: unreadableError(path, error) };
}

function tooMuch(path: string, what: string): InputError {
  return new InputError('too-large', `${displayText(path, 500)}: not searched further: ${what}`);
}

function slashed(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/');
}
