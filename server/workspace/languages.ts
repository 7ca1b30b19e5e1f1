import { extname } from 'node:path';
import type { SourceLanguage } from '../../engine/source/types.ts';

const BY_EXTENSION: ReadonlyMap<string, SourceLanguage> = new Map<string, SourceLanguage>([
  ['.wat', 'wat'],
  ['.rs', 'rust'],
  ['.c', 'c'],
  ['.h', 'c'],
  ['.cc', 'cpp'],
  ['.cpp', 'cpp'],
  ['.cxx', 'cpp'],
  ['.hh', 'cpp'],
  ['.hpp', 'cpp'],
  ['.hxx', 'cpp'],
  ['.zig', 'zig'],
  ['.go', 'go'],
]);

/** What editors call the languages that are not told by the file's name. */
const BY_ID: ReadonlyMap<string, SourceLanguage> = new Map<string, SourceLanguage>([
  ['wat', 'wat'],
  ['wast', 'wat'],
  ['webassembly', 'wat'],
  ['rust', 'rust'],
  ['c', 'c'],
  ['cpp', 'cpp'],
  ['zig', 'zig'],
  ['go', 'go'],
  ['assemblyscript', 'assemblyscript'],
]);

/** File names that a watcher is asked for. */
export const SOURCE_EXTENSIONS: readonly string[] = [...BY_EXTENSION.keys(), '.ts'];

/**
 * The language of a source, by its name, else by what the editor calls it.
 * @param inProject whether a project says that it is built from it: a `.ts` file is AssemblyScript
 *   there, and nobody else's business.
 */
export function languageOf(
  path: string,
  languageId: string | undefined,
  inProject: boolean,
): SourceLanguage | undefined {
  const extension = extname(path).toLowerCase();
  if (extension === '.ts')
    return inProject || languageId === 'assemblyscript' ? 'assemblyscript' : undefined;
  // A header belongs to whichever language its editor says; by itself it is C.
  if (extension === '.h' && languageId === 'cpp') return 'cpp';
  return (
    BY_EXTENSION.get(extension) ?? (languageId === undefined ? undefined : BY_ID.get(languageId))
  );
}
