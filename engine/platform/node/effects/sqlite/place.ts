import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { errnoOf } from '../../receipt-store-files.ts';
import type { Failure } from './job.ts';

/** A file of SQLite; `exists` is false where it would have to be made. */
export interface Place {
  readonly file: string;
  readonly exists: boolean;
}

/** The real path of a database. Links are followed; they must lead to a regular file, or to none yet. */
export async function placeOf(path: string): Promise<Place | Failure> {
  try {
    const file = await realpath(path);
    if ((await stat(file)).isFile()) return { file, exists: true };
    return { failed: 'file-failed', message: 'it is not a regular file' };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') return unusable(error);
  }
  try {
    return { file: join(await realpath(dirname(path)), basename(path)), exists: false };
  } catch (error) {
    return unusable(error);
  }
}

function unusable(error: unknown): Failure {
  const errno = errnoOf(error);
  if (errno === undefined) throw error;
  const reason = errno === 'ENOENT' ? 'there is no such folder' : `it cannot be used (${errno})`;
  return { failed: 'file-failed', message: reason };
}
