import { distance } from 'fastest-levenshtein';

/**
 * The candidate nearest to a mistyped word, for "did you mean …?": at most two of its letters, in
 * long words a third of them, may differ. `undefined` where nothing is near, and for words too long to be typed by hand.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length === 0 || word.length > 64) return undefined;
  let best: string | undefined;
  // Two letters changing places count as two.
  let bestDistance = Math.max(word.length < 4 ? 1 : 2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const away = distance(word.toLowerCase(), candidate.toLowerCase());
    if (away < bestDistance) {
      best = candidate;
      bestDistance = away;
    }
  }
  return best;
}
