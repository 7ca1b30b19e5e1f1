import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';
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

/**
 * Where a file of the user's own configuration lies, whether or not it is there. Never relative to where
 * a process happens to run, which may be a stranger's folder.
 */
export function userFile(name: string): string {
  const [base, fallback] =
    process.platform === 'win32'
      ? [process.env.APPDATA, homedir()]
      : [process.env.XDG_CONFIG_HOME, join(homedir(), '.config')];
  const folder = base !== undefined && isAbsolute(base) ? base : fallback;
  return join(folder, 'touchstone', name);
}
