import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, rename, unlink } from 'node:fs/promises';
import { errnoOf } from '../../receipt-store-files.ts';
import type { Folder } from './folder.ts';
import { FileProblem } from './problem.ts';

/** Says by throwing that an operation has to end; asked before every step. */
export type Check = () => void;

/** How large a file may be that is read or written, and the code of the failure where it is larger. */
export interface SizeLimit {
  readonly bytes: number;
  readonly code: string;
}

/** Without O_NONBLOCK, opening a pipe waits until somebody opens its other end. */
const GUARDS = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

/** Bytes that are read or written at once. */
const STEP_BYTES = 1_048_576;

/**
 * The bytes of a regular file. A file with a second name is not read: nothing tells whether that name
 * lies outside of the root.
 * @throws {FileProblem} the limit's before anything is read, `hard-link`, `not-a-file`, `moved`; or the
 * system's error.
 */
export async function readEntry(
  folder: Folder,
  name: string,
  limit: SizeLimit,
  check: Check,
): Promise<Uint8Array> {
  const file = await openRegular(folder, name, constants.O_RDONLY);
  try {
    const { nlink, size } = await file.stat();
    if (nlink > 1) {
      throw new FileProblem('hard-link', 'it has a second name, which may lie outside of the root');
    }
    return await readToEnd(file, size, limit, check);
  } finally {
    await file.close();
  }
}

/**
 * Writes a file whole: a reader, and whoever looks after a crash, finds the old contents or the new.
 * The name is given to a new file, so that other names of the old one keep the old contents; its
 * permissions stay. A crash may leave the unfinished file beside it, `.touchstone-….tmp`.
 * @throws {FileProblem} the limit's, `not-a-file`, `moved`; or the system's error.
 */
export async function writeEntry(
  folder: Folder,
  name: string,
  bytes: Uint8Array,
  limit: SizeLimit,
  check: Check,
): Promise<void> {
  if (bytes.length > limit.bytes) throw tooLarge(bytes.length, limit);
  const mode = await permissionsOf(folder, name);
  const temporary = `.touchstone-${randomBytes(12).toString('hex')}.tmp`;
  check();
  const file = await open(
    folder.at(temporary),
    constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | GUARDS,
    mode ?? 0o666,
  );
  try {
    try {
      await folder.confirm(temporary, await file.stat({ bigint: true }));
      // The process's umask may have taken permissions that the old file has.
      if (mode !== undefined) await file.chmod(mode);
      await writeAll(file, bytes, check);
      check();
      await file.sync();
    } finally {
      await file.close();
    }
    check();
    await rename(folder.at(temporary), folder.at(name));
  } catch (error) {
    await unlink(folder.at(temporary)).catch(() => undefined);
    throw error;
  }
  await folder.sync();
}

/**
 * Deletes a regular file.
 * @returns false where there is none.
 * @throws {FileProblem} `not-a-file`, `moved`; or the system's error.
 */
export async function deleteEntry(folder: Folder, name: string, check: Check): Promise<boolean> {
  const stats = await lstat(folder.at(name), { bigint: true }).catch(missing);
  if (stats === undefined) return false;
  if (stats.isSymbolicLink()) {
    throw new FileProblem('link-refused', 'it is a symbolic link, which is not touched');
  }
  if (!stats.isFile()) throw notAFile();
  await folder.confirm(name, stats);
  check();
  try {
    await unlink(folder.at(name));
  } catch (error) {
    return missing(error) ?? false;
  }
  await folder.sync();
  return true;
}

/**
 * Makes a folder, if there is nothing of that name.
 * @throws the system's error.
 */
export async function makeFolder(folder: Folder, name: string): Promise<void> {
  try {
    await mkdir(folder.at(name));
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return;
    throw error;
  }
  await folder.sync();
}

/** @param size what the file says of its size. */
async function readToEnd(
  file: FileHandle,
  size: number,
  limit: SizeLimit,
  check: Check,
): Promise<Uint8Array> {
  if (size > limit.bytes) throw tooLarge(size, limit);
  // One byte more than is expected, so that the end of the file shows without another buffer.
  let buffer = new Uint8Array(size + 1);
  let length = 0;
  for (;;) {
    check();
    const step = Math.min(buffer.length - length, STEP_BYTES);
    const { bytesRead } = await file.read(buffer, length, step, length);
    if (bytesRead === 0) return buffer.subarray(0, length);
    length += bytesRead;
    if (length > limit.bytes) throw tooLarge(length, limit);
    if (length === buffer.length) {
      const longer = new Uint8Array(Math.min(buffer.length * 2 + 4_096, limit.bytes + 1));
      longer.set(buffer);
      buffer = longer;
    }
  }
}

async function openRegular(folder: Folder, name: string, mode: number): Promise<FileHandle> {
  const file = await open(folder.at(name), mode | GUARDS);
  try {
    const stats = await file.stat({ bigint: true });
    if (!stats.isFile()) throw notAFile();
    await folder.confirm(name, stats);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The permissions of a file that is to be replaced; `undefined` where there is none. It is opened for
 * writing, because replacing it must need the same permission as writing to it.
 */
async function permissionsOf(folder: Folder, name: string): Promise<number | undefined> {
  const file = await openRegular(folder, name, constants.O_WRONLY).catch(missing);
  if (file === undefined) return undefined;
  try {
    return (await file.stat()).mode & 0o777;
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, check: Check): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    check();
    const step = Math.min(bytes.length - written, STEP_BYTES);
    written += (await file.write(bytes, written, step)).bytesWritten;
  }
}

/** `undefined` for the error that there is no such file. */
function missing(error: unknown): undefined {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

function notAFile(): FileProblem {
  return new FileProblem('not-a-file', 'it is not a regular file');
}

function tooLarge(size: number, { bytes, code }: SizeLimit): FileProblem {
  return new FileProblem(
    code,
    `it has ${size.toLocaleString('en')} bytes or more; at most ${bytes.toLocaleString('en')} may be read or written`,
  );
}
