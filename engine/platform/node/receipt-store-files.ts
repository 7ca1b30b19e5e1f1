import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';

// A symbolic link or a pipe in place of a file must neither be followed nor waited for.
const GUARDS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** How a file of the store is opened. */
export const MODES = Object.freeze({
  read: constants.O_RDONLY | GUARDS,
  append: constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | GUARDS,
  replace: constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | GUARDS,
  createNew: constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | GUARDS,
});

/** The code of a failed system call, e.g. `ENOENT`. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/**
 * Opens a regular file.
 * @throws the system's error as it is; `ELOOP` for a symbolic link, `ENXIO` for a pipe or a device.
 */
export async function openFile(path: string, mode: number): Promise<FileHandle> {
  if (constants.O_NOFOLLOW === undefined) await refuseLink(path);
  const file = await open(path, mode, 0o644);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw systemError('ENXIO', path);
}

/** Opens a file as {@link openFile} does, for as long as `use` runs. */
export async function withFile<T>(
  path: string,
  mode: number,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  const file = await openFile(path, mode);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** For platforms whose `open` cannot refuse a link itself. */
async function refuseLink(path: string): Promise<void> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isSymbolicLink()) throw systemError('ELOOP', path);
}

function systemError(code: string, path: string): Error {
  return Object.assign(new Error(code), { code, path });
}

/** Writes `bytes` in one call and makes them durable; a short write is an error (`ENOSPC`). */
export async function writeDurably(file: FileHandle, bytes: Uint8Array): Promise<void> {
  const { bytesWritten } = await file.write(bytes);
  if (bytesWritten !== bytes.length) {
    throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
  }
  await file.sync();
}

/** Makes created and renamed entries of a folder durable. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a folder and those above it that are missing, durably. */
export async function ensureFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const top = dirname(first);
  for (let path = folder; path !== top; path = dirname(path)) await syncFolder(dirname(path));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space and run again',
  EDQUOT: 'the disk quota is used up; free some space and run again',
  EFBIG: 'the file reached the size limit of this process; raise it (ulimit -f) and run again',
  EROFS: 'the file system is read-only; choose another place (OPTION)',
  EACCES: 'permission denied; make it writable or choose another place (OPTION)',
  EPERM: 'permission denied; make it writable or choose another place (OPTION)',
  ENOENT: 'there is no such folder; make it or choose another place (OPTION)',
  ELOOP: 'it is a symbolic link, which is not followed; move it away',
  EISDIR: 'it is a folder; move it away',
  ENXIO: 'it is not a regular file; move it away',
  ENOTDIR: 'a part of its path is a file; choose another place (OPTION)',
  EEXIST: 'a file is in its place; choose another place (OPTION)',
  EMFILE: 'this process has too many open files',
  EIO: 'the disk reports an error',
};

/**
 * A failed write or read as an {@link InputError} of one line; other errors pass as they are.
 * @param option what names another place on the command line.
 */
export function storeError(
  error: unknown,
  code: 'unwritable' | 'unreadable',
  path: string,
  option = '--receipts',
): unknown {
  const errno = errnoOf(error);
  if (!(error instanceof Error) || error instanceof InputError || errno === undefined) return error;
  const action = code === 'unwritable' ? 'write to' : 'read';
  const reason = (REASONS[errno] ?? errno).replace('OPTION', option);
  const where = 'path' in error && typeof error.path === 'string' ? error.path : path;
  return new InputError(code, `cannot ${action} ${displayText(where, 300)}: ${reason}`, {
    cause: error,
  });
}
