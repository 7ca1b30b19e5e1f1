import ignore, { type Ignore } from 'ignore';
import { isQuickPattern } from './pattern.ts';

const MAX_PATTERNS = 5_000;

/** The rules of one `.gitignore`: those deeper in the tree decide first (gitignore(5)). */
interface Layer {
  /** The folder the rules belong to, relative to the root, with a final slash; empty for the root. */
  readonly base: string;
  readonly rules: Ignore;
}

/** What git ignores below some root. A value: a deeper `.gitignore` makes another one. */
export interface IgnoreRules {
  /**
   * Whether an entry is ignored, in a folder that is being looked at: that the folder itself may be
   * ignored counts for nothing.
   * @param path relative to the root, with forward slashes.
   */
  ignores(path: string, isFolder: boolean): boolean;
  /** These rules and those of a `.gitignore` in `folder` (relative to the root; empty for the root). */
  extend(folder: string, text: string): IgnoreRules;
}

/**
 * No rules yet.
 * @param ignoreCase whether names that differ in case only are the same, as on Windows and macOS.
 */
export function noIgnoreRules(ignoreCase = false): IgnoreRules {
  return make([], ignoreCase);
}

function make(layers: readonly Layer[], ignoreCase: boolean): IgnoreRules {
  return {
    ignores: (path, isFolder) => isIgnored(layers, path, isFolder),
    extend: (folder, text) => {
      const rules = ignore({ ignorecase: ignoreCase }).add(quickPatterns(text));
      return make([{ base: folder === '' ? '' : `${folder}/`, rules }, ...layers], ignoreCase);
    },
  };
}

function isIgnored(layers: readonly Layer[], path: string, isFolder: boolean): boolean {
  for (const { base, rules } of layers) {
    if (!path.startsWith(base)) continue;
    const own = path.slice(base.length);
    const { ignored, unignored } = rules.test(isFolder ? `${own}/` : own);
    if (unignored) return false;
    if (ignored && !isFolderIgnored(rules, own)) return true;
  }
  return false;
}

/** Whether these rules ignore the folder that an entry is in, and so say nothing of the entry. */
function isFolderIgnored(rules: Ignore, path: string): boolean {
  const slash = path.lastIndexOf('/');
  return slash > 0 && rules.ignores(`${path.slice(0, slash)}/`);
}

/** Leaves out what could take long to match: then more is looked at, never less. */
function quickPatterns(text: string): string[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/, MAX_PATTERNS)
    .filter(isQuickPattern);
}
