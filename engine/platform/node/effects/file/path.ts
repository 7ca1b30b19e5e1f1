// What a path of a `file_op` may look like. One rule for every system, Windows's included, so that a
// directive is judged alike wherever it is run.

import { displayText } from '../../../../encoding/display.ts';
import type { Refusal } from '../../../../governance/effect.ts';
import type { FsRoot } from '../../../../governance/grants/fs.ts';

/** A file inside a granted root. */
export interface GrantedPath {
  readonly root: FsRoot;
  /** The folders below the root that lead to the file. */
  readonly folders: readonly string[];
  /** The name of the file in the last of them. */
  readonly name: string;
}

const MAX_LENGTH = 4_096;
const MAX_SEGMENTS = 100;

/** Names under which Windows reaches a device in every folder, whatever their ending. */
const DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|$)/i;

/**
 * The file that a path of a directive means: relative, with forward slashes, beginning with the name
 * of its root if that has one. The text is taken literally: nothing in it is decoded or resolved.
 * @returns the refusal `path-refused` for any other text, `root-not-granted` for another root.
 */
export function readGrantedPath(path: string, roots: readonly FsRoot[]): GrantedPath | Refusal {
  const problem = describePathProblem(path);
  if (problem !== undefined) {
    return { code: 'path-refused', message: `the path "${displayText(path)}" ${problem}` };
  }
  const segments = path.split('/');
  const unnamed = roots.find(({ name }) => name === undefined);
  const root = unnamed ?? roots.find(({ name }) => name === segments[0]);
  if (root === undefined) {
    const names = roots.map(({ name }) => `${name}/`).join(', ');
    return {
      code: 'root-not-granted',
      message: `the path "${displayText(path)}" begins with none of the granted roots: ${displayText(names, 500)}`,
    };
  }
  const inside = root.name === undefined ? segments : segments.slice(1);
  const name = inside.at(-1);
  if (name === undefined) {
    return { code: 'path-refused', message: `the path "${displayText(path)}" names no file` };
  }
  return { root, folders: inside.slice(0, -1), name };
}

function describePathProblem(path: string): string | undefined {
  if (path.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (!path.isWellFormed()) return 'holds a lone surrogate';
  if (/\p{Cc}/u.test(path)) return 'holds a control character';
  if (path.includes('\\')) return 'holds a backslash; folders are parted by "/"';
  if (path.includes(':')) return 'holds a colon';
  if (path.startsWith('/')) return 'is absolute; paths are relative to a granted root';
  const segments = path.split('/');
  if (segments.length > MAX_SEGMENTS) return `has more than ${MAX_SEGMENTS} parts`;
  return segments.map(describeSegmentProblem).find((problem) => problem !== undefined);
}

function describeSegmentProblem(segment: string): string | undefined {
  if (segment === '') return 'has an empty part';
  if (segment === '.' || segment === '..') return `has the part "${segment}"`;
  // Windows drops them, so that two texts would mean one file.
  if (/[. ]$/.test(segment)) return 'has a part that ends with a dot or a blank';
  if (DEVICE.test(segment)) return 'has a part that is the name of a device on Windows';
  return undefined;
}
