// Folders below a granted root, entered one by one. No symbolic link is followed below the root, also
// when somebody swaps a folder for one meanwhile.

import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { syncFolder } from '../../receipt-store-files.ts';
import { FileProblem } from './problem.ts';

/** A folder whose entries are reached by name. */
export interface Folder {
  /** The path by which the system reaches an entry of exactly this folder. */
  at(name: string): string;
  /**
   * A folder in this one, which stays open.
   * @throws the system's error; `ENOTDIR` for a symbolic link.
   */
  enter(name: string): Promise<Folder>;
  /**
   * Makes sure that a file, of which `stats` tells, is the entry `name` of this folder.
   * @throws {FileProblem} `moved` where it is not.
   */
  confirm(name: string, stats: BigIntStats): Promise<void>;
  /** Makes entries that were made, renamed or deleted durable. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** Opens a root. Links that lead to the root itself are the operator's, and are followed. */
export type OpenRoot = (path: string) => Promise<Folder>;

/** Opens a root in the best way that this system has. */
export const openRoot: OpenRoot = (path) =>
  process.platform === 'linux' ? holdRoot(path) : nameRoot(path);

/**
 * Opens a root as a descriptor, through which `/proc` leads to its entries: each folder is opened in
 * the one that is held open, so that nothing that happens to a path leads elsewhere. Linux only.
 * @throws the system's error; {@link FileProblem} `unsupported` where `/proc` is not mounted.
 */
export async function holdRoot(path: string): Promise<Folder> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const [held, found] = await Promise.all([
      folder.stat({ bigint: true }),
      stat(pathOf(folder), { bigint: true }).catch(() => undefined),
    ]);
    if (found === undefined || !isSame(held, found)) {
      throw new FileProblem('unsupported', 'files are reached through /proc, which is not mounted');
    }
    return hold(folder);
  } catch (error) {
    await folder.close();
    throw error;
  }
}

function pathOf({ fd }: FileHandle): string {
  return `/proc/self/fd/${fd}`;
}

function hold(folder: FileHandle): Folder {
  const at = (name: string) => `${pathOf(folder)}/${name}`;
  return {
    at,
    enter: async (name) =>
      hold(await open(at(name), constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)),
    confirm: async () => {},
    sync: () => folder.sync(),
    close: () => folder.close(),
  };
}

/**
 * Opens a root by its path, for systems that open nothing relative to a descriptor. Every folder on
 * the way is looked at when it is entered, and once more, with the file, after the file was opened:
 * a link that is there is never followed, and one that is swapped in for a moment only by somebody who
 * hits the moments between single calls. What is written goes only to a file that was looked at so.
 */
export async function nameRoot(path: string): Promise<Folder> {
  const real = await realpath(path);
  return name([await lookAt(real)]);
}

interface Seen {
  readonly path: string;
  readonly stats: BigIntStats;
}

async function lookAt(path: string): Promise<Seen> {
  const stats = await lstat(path, { bigint: true });
  if (!stats.isDirectory()) throw Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' });
  return { path, stats };
}

/** @param way the folders from the root to this one, as they were seen. */
function name(way: readonly [...Seen[], Seen]): Folder {
  const path = way[way.length - 1]?.path ?? '';
  const at = (entry: string) => join(path, entry);
  return {
    at,
    enter: async (entry) => name([...way, await lookAt(at(entry))]),
    confirm: async (entry, stats) => {
      for (const seen of way) await expectSame(seen.path, seen.stats);
      await expectSame(at(entry), stats);
    },
    sync: () => syncFolder(path),
    close: async () => {},
  };
}

async function expectSame(path: string, expected: BigIntStats): Promise<void> {
  const found = await lstat(path, { bigint: true });
  if (!isSame(found, expected)) {
    throw new FileProblem('moved', 'it was moved while it was being opened');
  }
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return a.dev === b.dev && a.ino === b.ino;
}
