import { skipConstantExpression } from '../module/code/operators.ts';
import type { Cursor } from '../module/cursor.ts';
import { readValueType } from './value-types.ts';

/** What an import or an export is of: the byte that says so. */
export const KIND = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

export interface GlobalEntry {
  /** The bytes of its value type. */
  readonly type: readonly number[];
  readonly mutable: boolean;
}

/** A list (5.1.3): a section's entries, or within one; empty where there is no such section. */
export function readAll<T>(cursor: Cursor | undefined, read: (cursor: Cursor) => T): T[] {
  const all: T[] = [];
  if (cursor === undefined) return all;
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) all.push(read(cursor));
  cursor.expectOk('a section of the module');
  return all;
}

/** A global's type, as a definition or an import gives it. */
export function readGlobalType(cursor: Cursor): GlobalEntry {
  const type = readValueType(cursor);
  return { type, mutable: (cursor.byte() & 1) === 1 };
}

/** A global that the module defines, with what it begins as (5.5.9). */
export function readGlobal(cursor: Cursor): GlobalEntry {
  const entry = readGlobalType(cursor);
  skipConstantExpression(cursor);
  return entry;
}

/** A tag, defined or imported. @returns its type index. */
export function readTag(cursor: Cursor): number {
  cursor.skip(1);
  return cursor.u32();
}

/** The name of an export (5.5.10); which index of which kind it has is not asked for. */
export function readExportName(cursor: Cursor): string {
  const size = cursor.u32();
  const start = cursor.position;
  cursor.skip(size);
  const name = new TextDecoder().decode(cursor.bytes.subarray(start, cursor.position));
  cursor.skip(1);
  cursor.u32();
  return name;
}
