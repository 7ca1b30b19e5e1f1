import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';

/** Where a system keeps its own programs. The `PATH` of the parent, which others set, is not asked. */
const FOLDERS = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'];

/** The path of a program of the system, if it has it. */
export async function findTool(name: string): Promise<string | undefined> {
  for (const folder of FOLDERS) {
    const path = join(folder, name);
    try {
      await access(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** The longest that a tool of the system may take, in milliseconds. */
const PATIENCE = 10_000;

/**
 * Runs a program to its end, without input or environment.
 * @returns what it printed, or nothing if it could not be started or did not exit with 0.
 */
export function succeeds(
  [program = '', ...args]: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(
      program,
      args,
      { env, cwd: '/', timeout: PATIENCE, killSignal: 'SIGKILL', windowsHide: true },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
}
