import type { Cursor } from '../module/cursor.ts';
import { type DefinedLimits, readLimits } from '../module/limits.ts';
import { type GlobalEntry, KIND, readGlobalType, readTag } from './section-entries.ts';
import { readValueType, unknownType } from './value-types.ts';

/** What a module imports, by kind and in order: its indices come before those of its own. */
interface Imported {
  /** Type index of each. */
  readonly functions: number[];
  readonly tables: DefinedLimits[];
  readonly memories: DefinedLimits[];
  readonly globals: GlobalEntry[];
  /** Type index of each. */
  readonly tags: number[];
}

/** The import section's contents (5.5.5). */
export function readImports(cursor: Cursor | undefined): Imported {
  const all: Imported = {
    functions: [],
    tables: [],
    memories: [],
    globals: [],
    tags: [],
  };
  if (cursor === undefined) return all;
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
    cursor.skip(cursor.u32());
    cursor.skip(cursor.u32());
    readImport(cursor, all);
  }
  cursor.expectOk('the import section');
  return all;
}

function readImport(cursor: Cursor, all: Imported): void {
  const start = cursor.position;
  switch (cursor.byte()) {
    case KIND.function:
      all.functions.push(cursor.u32());
      return;
    case KIND.table:
      readValueType(cursor);
      all.tables.push(readLimits(cursor));
      return;
    case KIND.memory:
      all.memories.push(readLimits(cursor));
      return;
    case KIND.global:
      all.globals.push(readGlobalType(cursor));
      return;
    case KIND.tag:
      all.tags.push(readTag(cursor));
      return;
    default:
      throw unknownType(cursor.bytes[start] ?? 0, start);
  }
}
