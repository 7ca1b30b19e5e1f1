import { type Failed, failed } from '../../../../governance/effect.ts';
import { errnoOf } from '../../receipt-store-files.ts';

/** Why a file could not be used, in words that name no place on this machine. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const PROBLEMS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  EACCES: ['permission-denied', 'permission denied'],
  EDQUOT: ['disk-full', 'the disk quota is used up'],
  EEXIST: ['moved', 'another file came in its place meanwhile'],
  EFBIG: ['disk-full', 'the file system allows no file of this size'],
  EISDIR: ['not-a-file', 'it is a folder, not a file'],
  ELOOP: ['link-refused', 'it is a symbolic link, which is not followed'],
  EMFILE: ['busy', 'too many files are open'],
  ENAMETOOLONG: ['path-refused', 'a part of the path is too long'],
  ENFILE: ['busy', 'too many files are open'],
  ENODEV: ['not-a-file', 'it is not a regular file'],
  ENOENT: ['not-found', 'no such file'],
  ENOSPC: ['disk-full', 'the disk is full'],
  ENOTDIR: [
    'not-a-folder',
    'a part of the path is a file, or a symbolic link, which is not followed',
  ],
  ENXIO: ['not-a-file', 'it is not a regular file'],
  EPERM: ['permission-denied', 'permission denied'],
  EROFS: ['permission-denied', 'the file system is read-only'],
  ETXTBSY: ['busy', 'the program is running'],
};

/**
 * A failed file operation as data.
 * @param where the path as the directive has it, made safe to show.
 */
export function failedFile(where: string, error: unknown): Failed {
  const [code, message] =
    error instanceof FileProblem
      ? [error.code, error.message]
      : (PROBLEMS[errnoOf(error) ?? ''] ?? ['io-error', 'the system reports an error']);
  return failed(code, `${where}: ${message}`);
}
