import { constants } from 'node:fs';
import { access, open, stat } from 'node:fs/promises';
import { displayText } from '../../../../encoding/display.ts';
import { errnoOf } from '../../receipt-store-files.ts';

/** Why a program was not run, in words that name no place on this machine. */
export type ProgramProblem = readonly [code: string, message: string];

const NOT_EXECUTABLE: ProgramProblem = [
  'command-not-executable',
  'it is no program that may be run',
];

/**
 * What is wrong with a program as it is now; `undefined` where it is a regular file that may be run. A
 * text without `#!` is none: the system's library would hand it to a shell.
 */
export async function describeProgram(path: string): Promise<ProgramProblem | undefined> {
  try {
    if (!(await stat(path)).isFile()) return NOT_EXECUTABLE;
    await access(path, constants.X_OK);
    return process.platform === 'win32' || (await beginsAsProgram(path))
      ? undefined
      : ['command-not-executable', 'it is neither in the format of programs nor begins with "#!"'];
  } catch (error) {
    return startProblem(errnoOf(error) ?? '');
  }
}

/** The problem that an error of the system stands for. */
export function startProblem(errno: string): ProgramProblem {
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ['command-missing', 'there is no such program, or not the one that is to run it'];
    case 'EACCES':
    case 'ENOEXEC':
    case 'EPERM':
      return NOT_EXECUTABLE;
    case 'E2BIG':
      return ['args-too-large', 'the system passes on no arguments as long as these'];
    default:
      return ['start-failed', `the system did not start it (${displayText(errno)})`];
  }
}

/** How ELF and Mach-O files and scripts begin, in hex. */
const BEGINNINGS = /^(?:7f454c46|feedfac[ef]|c[ef]faedfe|cafebab[ef]|2321)/;

async function beginsAsProgram(path: string): Promise<boolean> {
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((error) => {
    // One that may be run and not read is no script, which a shell would have to read.
    if (errnoOf(error) !== 'EACCES') throw error;
  });
  if (file === undefined) return true;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return BEGINNINGS.test(buffer.toString('hex', 0, bytesRead));
  } finally {
    await file.close();
  }
}
