import { stat } from 'node:fs/promises';
import { unreadableError } from './files.ts';

/**
 * Whether a path is a folder.
 * @throws {InputError} `unreadable` where it is missing or cannot be looked at.
 */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw unreadableError(path, cause);
  }
}
