import { displayText } from '../encoding/display.ts';
import type { ImportEntry, ReaderName } from './types.ts';

/** One import as another reader saw it. `type` is absent where that reader gives none. */
export interface SeenImport {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
  readonly type?: string;
}

/**
 * Says where another reader's imports differ from the walker's, import by import (DESIGN 3), or
 * answers `undefined` if they do not: `import 3: walker says …, wasmparser says …`. Counts from 0.
 * @param sameType decides over two texts of one type; equality if absent.
 */
export function describeDifference(
  walker: readonly ImportEntry[],
  reader: ReaderName,
  seen: readonly SeenImport[],
  sameType: (a: string, b: string) => boolean = (a, b) => a === b,
): string | undefined {
  const count = Math.max(walker.length, seen.length);
  for (let i = 0; i < count; i++) {
    const a = walker[i];
    const b = seen[i];
    if (a !== undefined && b !== undefined && equal(a, b, sameType)) continue;
    return `import ${i}: walker says ${describe(a)}, ${reader} says ${describe(b)}`;
  }
  return undefined;
}

function equal(
  a: ImportEntry,
  b: SeenImport,
  sameType: (a: string, b: string) => boolean,
): boolean {
  return (
    a.module === b.module &&
    a.name === b.name &&
    a.kind === b.kind &&
    (b.type === undefined || sameType(a.type, b.type))
  );
}

function describe(entry: SeenImport | undefined): string {
  if (entry === undefined) return 'there is none';
  const type = entry.type === undefined ? '' : `, ${displayText(entry.type)}`;
  return `${displayText(entry.module)}.${displayText(entry.name)} (${entry.kind}${type})`;
}
