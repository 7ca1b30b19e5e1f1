import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, realpath, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { decodeUtf8 } from '../../encoding/utf8.ts';

/** The largest module that is read, in bytes. */
export const MAX_MODULE_BYTES = 268_435_456;

/** The largest JSON document (certificate, whitelist, trust store, policy, case) that is read, in bytes. */
export const MAX_DOCUMENT_BYTES = 4_194_304;

/**
 * Reads a regular file of at most `maxBytes` bytes. The file is opened once and judged by what was
 * opened; pipes, devices, sockets and folders are refused without waiting for them.
 * @param what names the kind of file in the message, with its article: `a module`.
 * @throws {InputError} `too-large` before anything is read, or `unreadable`.
 */
export async function readFileBounded(
  path: string,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  try {
    // Without O_NONBLOCK, opening a pipe waits until somebody writes to it.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw unreadable(path, 'it is a folder, not a file');
      if (!found.isFile()) throw unreadable(path, 'it is not a regular file');
      if (found.size > maxBytes) throw tooLarge(path, found.size, maxBytes, what);
      return await readToEnd(file, found.size, maxBytes, () =>
        tooLarge(path, undefined, maxBytes, what),
      );
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw unreadableError(path, cause);
  }
}

/** The bytes of a module file, at most {@link MAX_MODULE_BYTES}. Errors as {@link readFileBounded}. */
export function readModule(path: string): Promise<Uint8Array> {
  return readFileBounded(path, MAX_MODULE_BYTES, 'a module');
}

/** The bytes of a document, at most {@link MAX_DOCUMENT_BYTES}. Errors as {@link readFileBounded}. */
export function readDocument(path: string): Promise<Uint8Array> {
  return readFileBounded(path, MAX_DOCUMENT_BYTES, 'a document');
}

/**
 * The text of a UTF-8 file of at most {@link MAX_DOCUMENT_BYTES}.
 * @throws {InputError} as {@link readFileBounded}, and `invalid-utf8`.
 */
export async function readTextFile(path: string): Promise<string> {
  return decodeUtf8(await readDocument(path), displayPath(path));
}

/** As {@link readTextFile}, with `undefined` for a file that does not exist. */
export async function readTextFileIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readTextFile(path);
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
}

/** Whether an error of this file says that there is no such file. */
export function isMissingFile(error: unknown): boolean {
  return error instanceof InputError && codeOf(error.cause) === 'ENOENT';
}

/**
 * An error of the file system as an `unreadable` {@link InputError}; one that is one already, as it is.
 * @throws `cause` itself, where it is neither.
 */
export function unreadableError(path: string, cause: unknown): InputError {
  if (cause instanceof InputError) return cause;
  if (!(cause instanceof Error && 'code' in cause)) throw cause;
  return unreadable(path, reasonOf(cause), cause);
}

/**
 * The real path of a file that a project names, which symbolic links may not lead out of the project.
 * @param root the project's folder.
 * @param path relative to it, with forward slashes.
 * @throws {InputError} `unreadable`, also where a link leads out of the project.
 */
export async function resolveInProject(root: string, path: string): Promise<string> {
  const named = join(root, path);
  try {
    const [realRoot, real] = await Promise.all([realpath(root), realpath(named)]);
    const inside = relative(realRoot, real);
    if (inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside)) {
      return real;
    }
    throw unreadable(
      named,
      `a symbolic link leads out of the project, to ${displayPath(real)}; copy the file into the project`,
    );
  } catch (cause) {
    throw unreadableError(named, cause);
  }
}

/**
 * Writes a file so that a reader, or a crash, finds either the old contents or all of the new: to a
 * temporary file beside it, flushed, then renamed over it. Makes the folder if only that is missing.
 * A symbolic link at `path` is replaced, not followed.
 * @param mode permissions; if left out, those of the file that is replaced, else the system's.
 * @throws {InputError} `unwritable`.
 */
export async function writeFileAtomic(
  path: string,
  data: Uint8Array | string,
  mode?: number,
): Promise<void> {
  const temporary = join(
    dirname(path),
    `.${basename(path).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`,
  );
  try {
    const kept = mode ?? (await permissionsOf(path));
    await makeFolder(dirname(path));
    await writeNew(temporary, data, kept ?? 0o666, kept);
    try {
      await rename(temporary, path);
    } catch (cause) {
      await unlink(temporary).catch(() => undefined);
      throw cause;
    }
    await flushFolder(dirname(path));
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/**
 * Gives a file another name, in place of what has it, so that it has it after a power cut too.
 * @throws {InputError} `unwritable`.
 */
export async function renameDurably(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
    await flushFolder(dirname(to));
  } catch (cause) {
    throw unwritable(to, cause);
  }
}

/**
 * Writes a file that must not exist yet.
 * @param mode permissions, from the first byte on.
 * @throws {InputError} `unwritable`, also where the file exists.
 */
export async function createFile(
  path: string,
  data: Uint8Array | string,
  mode: number,
): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await writeNew(path, data, mode, mode);
    await flushFolder(dirname(path));
  } catch (cause) {
    throw unwritable(path, cause);
  }
}

/** Reads to the end; files such as those of /proc say nothing true about their size. */
async function readToEnd(
  file: FileHandle,
  size: number,
  maxBytes: number,
  tooLargeNow: () => InputError,
): Promise<Uint8Array> {
  // One byte more than is expected, so that the end of the file shows without another buffer.
  let buffer = new Uint8Array(size + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > maxBytes) throw tooLargeNow();
    if (length === buffer.length) {
      const longer = new Uint8Array(Math.min(buffer.length * 2 + 4096, maxBytes + 1));
      longer.set(buffer);
      buffer = longer;
    }
  }
}

async function writeNew(
  path: string,
  data: Uint8Array | string,
  createMode: number,
  exactMode: number | undefined,
): Promise<void> {
  const file = await open(path, 'wx', createMode);
  try {
    // The process's umask may have taken permissions that the caller asked for.
    if (exactMode !== undefined) await file.chmod(exactMode);
    await file.writeFile(data);
    await file.sync();
  } catch (cause) {
    await unlink(path).catch(() => undefined);
    throw cause;
  } finally {
    await file.close();
  }
}

async function permissionsOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).mode & 0o777;
  } catch {
    return undefined;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    // What else is wrong shows when the file itself is opened.
    if (codeOf(error) === 'ENOENT') throw error;
  }
}

/** Makes a rename survive a power cut. Not every system can, and none loses data by its failure. */
async function flushFolder(path: string): Promise<void> {
  try {
    const folder = await open(path, 'r');
    await folder.sync().finally(() => folder.close());
  } catch {
    // Windows cannot open folders.
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EDQUOT: 'the disk quota is used up',
  EEXIST: 'it exists already',
  EFBIG: 'the file system allows no file of this size',
  EIO: 'the device failed',
  EISDIR: 'it is a folder, not a file',
  ELOOP: 'its symbolic links lead in a circle',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENFILE: 'too many files are open',
  ENODEV: 'it is not a regular file',
  ENOENT: 'no such file',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  ENOTEMPTY: 'it is a folder, not a file',
  ENXIO: 'it is not a regular file',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  ERR_INVALID_ARG_VALUE: 'a path cannot hold a NUL character',
};

function reasonOf(error: unknown): string {
  const code = codeOf(error);
  return REASONS[code] ?? `it cannot be used (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}

function unreadable(path: string, reason: string, cause?: unknown): InputError {
  return new InputError('unreadable', `${displayPath(path)}: ${reason}`, { cause });
}

/**
 * An error of the file system as an `unwritable` {@link InputError}.
 * @throws `cause` itself, where it is none.
 */
export function unwritable(path: string, cause: unknown): InputError {
  if (!(cause instanceof Error && 'code' in cause)) throw cause;
  const reason = codeOf(cause) === 'ENOENT' ? 'no such folder' : reasonOf(cause);
  return new InputError('unwritable', `${displayPath(path)}: not written: ${reason}`, { cause });
}

/** `size` is `undefined` for a file that turned out longer than it said. */
function tooLarge(
  path: string,
  size: number | undefined,
  maxBytes: number,
  what: string,
): InputError {
  const found = size === undefined ? 'it goes on and on' : `${grouped(size)} bytes`;
  return new InputError(
    'too-large',
    `${displayPath(path)}: too large for ${what}: ${found}; at most ${grouped(maxBytes)} bytes are read`,
  );
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}

function displayPath(path: string): string {
  return displayText(path, 500);
}
