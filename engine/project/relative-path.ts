// Paths as a manifest writes them: relative, with forward slashes, meaning the same everywhere.

/** Where a path of a manifest may lead. */
export type PathReach = 'inside the project' | 'anywhere';

const DRIVE = /^[A-Za-z]:/;
const CONTROL = /\p{Cc}/u;

/**
 * What is wrong with a relative path, or `undefined`. Refused are absolute paths, drive letters,
 * backslashes, control characters (NUL among them), empty steps, and `..` where the path has to stay
 * inside the project. Symbolic links are not seen here: a platform checks them when it opens.
 */
export function relativePathProblem(path: string, reach: PathReach): string | undefined {
  if (path === '') return 'the path is empty';
  if (path.length > 1024) return 'the path is longer than 1024 characters';
  if (CONTROL.test(path)) return 'the path holds a control character';
  if (path.includes('\\')) return 'the path holds a backslash: write "/" between its steps';
  if (path.startsWith('/') || DRIVE.test(path)) return 'the path is absolute: write a relative one';
  const steps = path.split('/');
  if (steps.includes('')) return 'the path has an empty step';
  if (reach === 'inside the project' && steps.includes('..')) {
    return 'the path may not hold "..": it has to stay inside the project';
  }
  const last = steps.at(-1);
  return last === '.' || last === '..' ? 'the path names a folder, not a file' : undefined;
}

/** A path without its `.` steps. */
export function normalizeRelativePath(path: string): string {
  return path
    .split('/')
    .filter((step) => step !== '.')
    .join('/');
}
