import ignore, { type Ignore } from 'ignore';
import { normalizeRelativePath, type PathReach, relativePathProblem } from './relative-path.ts';

// Patterns come from files nobody vouches for, and they become regular expressions: each wildcard
// multiplies the work for a name that almost matches, so there may be only a few.
const MAX_WILDCARDS_IN_STEP = 3;
const MAX_DOUBLE_STARS = 4;
const MAX_PATTERN_LENGTH = 512;

/** Whether matching a pattern (of a manifest or a `.gitignore`) is quick for every name there is. */
export function isQuickPattern(pattern: string): boolean {
  if (pattern.length > MAX_PATTERN_LENGTH) return false;
  const steps = pattern.split('/');
  if (steps.filter((step) => step.includes('**')).length > MAX_DOUBLE_STARS) return false;
  return steps.every((step) => (step.match(/\*+/g)?.length ?? 0) <= MAX_WILDCARDS_IN_STEP);
}

/** What is wrong with a file pattern of a manifest, or `undefined`. */
export function patternProblem(pattern: string, reach: PathReach): string | undefined {
  const problem = relativePathProblem(pattern, reach);
  if (problem !== undefined) return problem;
  const { rest } = splitUp(pattern);
  if (rest.split('/').includes('..')) return 'a pattern may hold ".." at its beginning only';
  if (/^[!#]/.test(rest)) return 'a pattern cannot begin with "!" or "#"';
  if (pattern !== pattern.trimEnd()) return 'a pattern cannot end with a space';
  return isQuickPattern(pattern) ? undefined : 'the pattern has too many wildcards';
}

/** Whether a path of a manifest holds wildcards: `*`, `?` or `[…]`. */
export function isPattern(path: string): boolean {
  return /[*?[]/.test(path);
}

/**
 * Tells which relative paths (with forward slashes) any of the patterns matches: `*` and `?` within
 * a step, `**` across steps; a pattern that names a folder matches everything in it. A path that
 * leads out, `../sdk/a.rs`, is matched by patterns that lead out as far.
 */
export function matcherOf(patterns: readonly string[]): (path: string) => boolean {
  const byWayUp = new Map<string, Ignore>();
  for (const pattern of patterns) {
    if (patternProblem(pattern, 'anywhere') !== undefined) continue;
    const { up, rest } = splitUp(normalizeRelativePath(pattern));
    const rules = byWayUp.get(up) ?? ignore({ ignorecase: false });
    byWayUp.set(up, rules.add(`/${rest}`));
  }
  return (path) => {
    const { up, rest } = splitUp(path);
    return byWayUp.get(up)?.ignores(rest) ?? false;
  };
}

/** A path as its leading `../` steps and the rest. */
function splitUp(path: string): { readonly up: string; readonly rest: string } {
  const [up = ''] = /^(?:\.\.\/)*/.exec(path) ?? [];
  return { up, rest: path.slice(up.length) };
}
