import fs from 'node:fs';
import { dirname } from 'node:path';

/** How SQLite knows its one file, wherever it lies. */
export const DATABASE = '/database';

const JOURNAL = `${DATABASE}-journal`;
const LOCK = `${DATABASE}.lock`;
const FOLDER = '/';

const { O_RDONLY, O_CREAT, O_WRONLY, O_RDWR, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants;
// A symbolic link or a pipe in place of a file must neither be followed nor waited for.
const GUARDS = O_NOFOLLOW | O_NONBLOCK;

/**
 * The file system as SQLite's library sees it, in place of `node:fs`: one database with its rollback
 * journal, and nothing else, whatever a statement says. The functions are those that the library
 * calls, and take what Node's take.
 *
 * The library locks a database by a folder beside it, which outlives a process that is killed, and by
 * which it takes its own lock for that of another writer: what a crash left half written would never
 * be rolled back. So the lock is held outside, by whoever asked for the job (`thread.ts`), and the
 * library's own is always free.
 */
export class ConfinedFiles {
  readonly constants = fs.constants;
  #file = '';
  #isReadOnly = true;
  readonly #open = new Set<number>();
  /** Journals whose entry in the folder is not durable yet. */
  readonly #fresh = new Set<number>();

  /** Makes `file`, a real path, the database. What was open before is closed. */
  point(file: string, access: 'read' | 'write'): void {
    for (const fd of [...this.#open]) this.closeSync(fd);
    this.#file = file;
    this.#isReadOnly = access === 'read';
  }

  /** The first bytes of the database, at most `length`; none where there is no file. */
  head(length: number): Uint8Array {
    const head = new Uint8Array(length);
    let fd: number;
    try {
      fd = this.openSync(DATABASE, O_RDONLY);
    } catch {
      return head.subarray(0, 0);
    }
    try {
      return head.subarray(0, fs.readSync(fd, head, 0, length, 0));
    } finally {
      this.closeSync(fd);
    }
  }

  accessSync = (path: string, mode?: number): void => {
    fs.accessSync(this.#pathOf(path), mode);
  };

  openSync = (path: string, flags: number | 'r', mode?: number): number => {
    const real = this.#pathOf(path);
    const isFolder = path === FOLDER;
    const wanted = typeof flags === 'number' ? flags : O_RDONLY;
    if ((this.#isReadOnly || isFolder) && (wanted & (O_WRONLY | O_RDWR | O_CREAT)) !== 0) {
      throw denied('EROFS', path);
    }
    const fd = fs.openSync(real, wanted | GUARDS, mode);
    if (!isFolder && !fs.fstatSync(fd).isFile()) {
      fs.closeSync(fd);
      throw denied('ENXIO', path);
    }
    this.#open.add(fd);
    if (path === JOURNAL) this.#fresh.add(fd);
    return fd;
  };

  closeSync = (fd: number): void => {
    if (!this.#open.delete(fd)) throw denied('EBADF', DATABASE);
    this.#fresh.delete(fd);
    fs.closeSync(fd);
  };

  readSync = (fd: number, to: Uint8Array, offset: number, length: number, at: bigint): number =>
    fs.readSync(this.#checked(fd), to, offset, length, at);

  writeSync = (fd: number, from: Uint8Array, offset: number, length: number, at: number): number =>
    fs.writeSync(this.#checked(fd), from, offset, length, at);

  ftruncateSync = (fd: number, length: number): void => {
    fs.ftruncateSync(this.#checked(fd), length);
  };

  fstatSync = (fd: number): fs.Stats => fs.fstatSync(this.#checked(fd));

  fsyncSync = (fd: number): void => {
    fs.fsyncSync(this.#checked(fd));
    // A journal that a power cut takes from its folder would leave the database half written.
    if (this.#fresh.delete(fd)) this.#syncFolder();
  };

  unlinkSync = (path: string): void => {
    if (this.#isReadOnly || path !== JOURNAL) throw denied('EROFS', path);
    fs.unlinkSync(this.#pathOf(path));
  };

  mkdirSync = (path: string): void => {
    if (path !== LOCK) throw denied('EACCES', path);
  };

  rmdirSync = (path: string): void => {
    if (path !== LOCK) throw denied('EACCES', path);
  };

  /** Where the library's name leads; its lock and every other name lead nowhere. */
  #pathOf(path: string): string {
    if (path === DATABASE) return this.#file;
    if (path === JOURNAL) return `${this.#file}-journal`;
    if (path === FOLDER) return dirname(this.#file);
    throw denied('ENOENT', path);
  }

  #checked(fd: number): number {
    if (!this.#open.has(fd)) throw denied('EBADF', DATABASE);
    return fd;
  }

  #syncFolder(): void {
    if (process.platform === 'win32') return; // folders cannot be opened there
    const fd = fs.openSync(dirname(this.#file), O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  }
}

function denied(code: string, path: string): Error {
  return Object.assign(new Error(code), { code, path });
}
