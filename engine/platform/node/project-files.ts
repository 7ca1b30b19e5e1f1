import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { isPattern, matcherOf } from '../../project/pattern.ts';
import { isMissingFile, resolveInProject, unreadableError } from './files.ts';

/** A file that a manifest's `source` or `cases` covers. */
export interface ProjectFile {
  /** Relative to the project's folder, with forward slashes; begins with `../` outside of it. */
  readonly path: string;
  /** Milliseconds since the Unix epoch. */
  readonly modifiedAt: number;
}

const MAX_ENTRIES = 100_000;
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git']);

/**
 * The files that patterns of a manifest cover, sorted. Links to folders are not followed, nor links
 * that lead out of the project: only a pattern that says so itself (`../sdk`) leads out. A pattern that covers nothing gives nothing.
 * @param folder the project's folder.
 * @throws {InputError} `unreadable`; `too-large` where too many entries would have to be looked at.
 */
export async function projectFiles(
  folder: string,
  patterns: readonly string[],
): Promise<readonly ProjectFile[]> {
  const matches = matcherOf(patterns);
  const found = new Map<string, ProjectFile>();
  const search = { folder, matches, found, entriesLeft: MAX_ENTRIES };
  for (const start of new Set(patterns.map(fixedPart))) {
    try {
      if (start !== '' && !leadsOut(start)) await resolveInProject(folder, start);
      const state = await stat(join(folder, start));
      if (state.isDirectory()) await walk(search, start);
      else if (state.isFile()) add(search, start, state.mtimeMs);
    } catch (error) {
      const problem = unreadableError(join(folder, start), error);
      if (!isMissingFile(problem)) throw problem;
    }
  }
  return [...found.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Search {
  readonly folder: string;
  readonly matches: (path: string) => boolean;
  readonly found: Map<string, ProjectFile>;
  entriesLeft: number;
}

async function walk(search: Search, inside: string): Promise<void> {
  const folders: string[] = [];
  for await (const entry of await opendir(join(search.folder, inside))) {
    if (--search.entriesLeft < 0) {
      const where = displayText(search.folder, 500);
      throw new InputError('too-large', `${where}: "source" and "cases" cover too many files`);
    }
    const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
    if (entry.isDirectory()) {
      if (!SKIPPED_FOLDERS.has(entry.name)) folders.push(path);
    } else if (entry.isFile() && search.matches(path)) {
      add(search, path, (await stat(join(search.folder, path))).mtimeMs);
    }
  }
  for (const path of folders) await walk(search, path);
}

function add({ found, matches }: Search, path: string, modifiedAt: number): void {
  if (matches(path)) found.set(path, { path, modifiedAt });
}

function leadsOut(path: string): boolean {
  return path === '..' || path.startsWith('../');
}

/** The steps of a pattern before the first with a wildcard: where the search for it begins. */
function fixedPart(pattern: string): string {
  const steps = pattern.split('/');
  const first = steps.findIndex(isPattern);
  return (first < 0 ? steps : steps.slice(0, first)).join('/');
}
