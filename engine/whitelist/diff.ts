import { canonicalJson } from '../encoding/json.ts';
import type { Whitelist, WhitelistFunction } from './types.ts';
import { functionTypeText } from './whitelist.ts';

export interface RetypedFunction {
  readonly before: WhitelistFunction;
  readonly after: WhitelistFunction;
}

/** What changed from one whitelist to another (DESIGN 4, evolution). */
export interface WhitelistDiff {
  readonly added: readonly WhitelistFunction[];
  readonly removed: readonly WhitelistFunction[];
  /** The same module and name with another type. */
  readonly retyped: readonly RetypedFunction[];
  /** The same module, name and type with another class, category or directive tag. */
  readonly reclassified: readonly RetypedFunction[];
  /** Nothing that was admitted before is refused after: only additions, and documentation. */
  readonly monotonic: boolean;
  /** The same name and version with other content, which is refused wherever it is met. */
  readonly sameVersionOtherContent: boolean;
}

/** Compares two whitelists, `before` to `after`. */
export function diffWhitelists(before: Whitelist, after: Whitelist): WhitelistDiff {
  const old = byImport(before);
  const now = byImport(after);
  const added = after.functions.filter((f) => !old.has(importKey(f)));
  const removed = before.functions.filter((f) => !now.has(importKey(f)));
  const retyped: RetypedFunction[] = [];
  const reclassified: RetypedFunction[] = [];
  for (const f of before.functions) {
    const g = now.get(importKey(f));
    if (g === undefined) continue;
    if (functionTypeText(f) !== functionTypeText(g)) retyped.push({ before: f, after: g });
    else if (meaning(f) !== meaning(g)) reclassified.push({ before: f, after: g });
  }
  return {
    added,
    removed,
    retyped,
    reclassified,
    monotonic: removed.length === 0 && retyped.length === 0 && reclassified.length === 0,
    sameVersionOtherContent:
      before.name === after.name && before.version === after.version && before.hash !== after.hash,
  };
}

/**
 * Whether a certificate issued under `before` with these imports still passes the gate's
 * classification under `after`: each import must classify the same.
 */
export function staysClassified(
  imports: readonly { module: string; name: string; kind: string; type: string; class: string }[],
  after: Whitelist,
): boolean {
  return imports.every((entry) => after.classify(entry).class === entry.class);
}

function byImport(whitelist: Whitelist): ReadonlyMap<string, WhitelistFunction> {
  return new Map(whitelist.functions.map((f) => [importKey(f), f]));
}

// Both parts are quoted, so that no dot or space in a name can make two imports look like one.
function importKey(f: WhitelistFunction): string {
  return canonicalJson([f.module, f.name]);
}

function meaning(f: WhitelistFunction): string {
  return canonicalJson([f.class, f.category, f.directive ?? null]);
}
