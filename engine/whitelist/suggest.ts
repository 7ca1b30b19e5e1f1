import { distance } from 'fastest-levenshtein';
import type { Whitelist, WhitelistFunction } from './types.ts';

/**
 * The whitelisted function whose name is nearest to an unknown one, for "did you mean …?": at most
 * a third of the letters may differ. `undefined` where nothing is near.
 */
export function suggestFunction(
  whitelist: Whitelist,
  entry: { readonly module: string; readonly name: string },
): WhitelistFunction | undefined {
  if (entry.name.length > 64) return undefined;
  const bound = Math.max(1, Math.floor(entry.name.length / 3));
  let best: WhitelistFunction | undefined;
  let bestDistance = bound + 1;
  for (const f of whitelist.functions) {
    const away = distance(entry.name, f.name) + (f.module === entry.module ? 0 : 1);
    if (away < bestDistance) {
      best = f;
      bestDistance = away;
    }
  }
  return best;
}
