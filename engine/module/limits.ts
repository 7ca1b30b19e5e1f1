import { skipConstantExpression } from './code/operators.ts';
import type { Cursor } from './cursor.ts';
import { type Limits, referenceTypeText, typeTextOfCode } from './type-text.ts';

/** Tables' and memories' own limits, and what is beyond WebAssembly 1.0 in them. */
export interface DefinedLimits extends Limits {
  readonly customPageSize: boolean;
}

/** A table defined in the module. */
export interface DefinedTable extends DefinedLimits {
  /** The element type's text. */
  readonly element: string;
  /** Functions that the table's initialiser refers to (5.5.7). */
  readonly functions: readonly number[];
}

const HAS_MAXIMUM = 1;
const SHARED = 2;
const ADDRESS_64 = 4;
const CUSTOM_PAGE_SIZE = 8;

/** Reads the memory section's contents (5.5.8), which V8 has accepted. */
export function readMemories(cursor: Cursor): DefinedLimits[] {
  const memories: DefinedLimits[] = [];
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) memories.push(readLimits(cursor));
  cursor.expectOk('the memory section');
  return memories;
}

/** Reads the table section's contents (5.5.7), which V8 has accepted. */
export function readTables(cursor: Cursor): DefinedTable[] {
  const tables: DefinedTable[] = [];
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) tables.push(readTable(cursor));
  cursor.expectOk('the table section');
  return tables;
}

function readTable(cursor: Cursor): DefinedTable {
  const initialised = cursor.bytes[cursor.position] === 0x40;
  if (initialised) cursor.skip(2);
  const element = readElementType(cursor);
  const limits = readLimits(cursor);
  const functions = initialised ? skipConstantExpression(cursor).functions : [];
  return { ...limits, element, functions };
}

/** A reference type (5.3.4). Heap types are signed: those of one byte with bit 6 are abstract. */
function readElementType(cursor: Cursor): string {
  const byte = cursor.byte();
  if (byte !== 0x63 && byte !== 0x64) return typeTextOfCode(byte - 0x80);
  const heap = cursor.bytes[cursor.position] ?? 0;
  const abstract = heap >= 0x40 && heap < 0x80;
  const index = cursor.u32();
  return referenceTypeText(byte === 0x63, abstract ? heap - 0x80 : index);
}

/** Reads limits (5.3.12), of a definition or an import. */
export function readLimits(cursor: Cursor): DefinedLimits {
  const flags = cursor.u32();
  const size = () => ((flags & ADDRESS_64) !== 0 ? cursor.u64() : BigInt(cursor.u32()));
  const minimum = size();
  const maximum = (flags & HAS_MAXIMUM) !== 0 ? size() : undefined;
  const customPageSize = (flags & CUSTOM_PAGE_SIZE) !== 0;
  if (customPageSize) cursor.u32();
  return {
    address: (flags & ADDRESS_64) !== 0 ? 'i64' : 'i32',
    minimum,
    maximum,
    shared: (flags & SHARED) !== 0,
    customPageSize,
  };
}
