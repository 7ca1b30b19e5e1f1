import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

/** The files and folders of a project, relative to it, with forward slashes; folders end in a slash. */
export type Listing = readonly string[];

/** So much of a project is offered for completion; who has more can type. */
const MAX_ENTRIES = 5_000;
const MAX_DEPTH = 6;
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git', '.touchstone']);

/** Lists a project's folder, the nearest first. What cannot be read is left out. Links are not followed. */
export async function listProject(folder: string): Promise<Listing> {
  const found: string[] = [];
  let level = [''];
  for (let depth = 0; depth < MAX_DEPTH && level.length > 0; depth += 1) {
    const next: string[] = [];
    for (const inside of level) {
      for (const entry of await entriesOf(join(folder, inside))) {
        if (found.length >= MAX_ENTRIES) return found;
        const path = `${inside}${entry.name}`;
        if (entry.isFile()) found.push(path);
        if (!entry.isDirectory() || SKIPPED_FOLDERS.has(entry.name)) continue;
        found.push(`${path}/`);
        next.push(`${path}/`);
      }
    }
    level = next;
  }
  return found;
}

async function entriesOf(folder: string) {
  const entries = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entries.push(entry) >= MAX_ENTRIES) break;
    }
  } catch {
    // A folder that is gone meanwhile, or of someone else, has nothing to offer.
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}
