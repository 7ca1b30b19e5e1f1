import { InputError } from '../encoding/input-error.ts';
import { skipConstantExpression } from '../module/code/operators.ts';
import { Cursor } from '../module/cursor.ts';
import { type DefinedLimits, readLimits, readMemories, readTables } from '../module/limits.ts';
import { SECTION } from '../module/sections.ts';
import type { SectionEntry } from '../module/types.ts';
import { readLayout } from '../module/walker.ts';
import { BY_SIZE } from './costs.ts';

/** A defined type, as far as operands are counted by it. */
export type DefinedType =
  | {
      readonly kind: 'function';
      readonly params: number;
      /** The bytes of each result's value type. */
      readonly results: readonly (readonly number[])[];
      /** Whether it takes or gives a v128. */
      readonly vectors: boolean;
    }
  | { readonly kind: 'struct'; readonly fields: number }
  | {
      readonly kind: 'array';
      /** Bytes of an element; 8 for a reference. */
      readonly elementBytes: number;
    };

/** The address type and the limits of a memory or table, imported or not. */
export type AddressSpace = Pick<DefinedLimits, 'address' | 'minimum' | 'maximum' | 'shared'>;

export interface GlobalEntry {
  /** The bytes of its value type. */
  readonly type: readonly number[];
  readonly mutable: boolean;
}

export interface ExportEntry {
  readonly name: string;
  /** 0 function, 1 table, 2 memory, 3 global, 4 tag. */
  readonly kind: number;
  readonly index: number;
}

/** What metering needs to know of a module outside its code. Indices count imports first. */
export interface Declarations {
  readonly sections: readonly SectionEntry[];
  readonly types: readonly DefinedType[];
  /** Type index of every function. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  /** The modules that it imports from, by name. */
  readonly importedModules: ReadonlySet<string>;
  readonly tables: readonly AddressSpace[];
  readonly importedTables: number;
  readonly memories: readonly AddressSpace[];
  readonly importedMemories: number;
  readonly globals: readonly GlobalEntry[];
  readonly importedGlobals: number;
  /** Type index of every tag. */
  readonly tags: readonly number[];
  readonly exports: readonly ExportEntry[];
  readonly start: number | undefined;
  /** What instantiating costs: active segments, by size. */
  readonly instantiationFuel: number;
  /** Passive and declared segments, which code can use up: state that cannot be told from outside. */
  readonly passiveSegments: number;
  /** Whether any declaration names the type v128. */
  readonly vectors: boolean;
}

const IMPORT = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const V128 = 0x7b;

/**
 * Reads the declarations of a module that V8 accepts.
 * @throws {InputError} `invalid-module`, `component-not-module` as the section walker; also for a
 *   form that this version does not know.
 */
export function readDeclarations(bytes: Uint8Array): Declarations {
  const { sections, imports } = readLayout(bytes);
  const open = (id: number): Cursor | undefined => {
    const section = sections.find((each) => each.id === id);
    return section && new Cursor(bytes, section.offset, section.offset + section.size);
  };
  const types = readAll(open(SECTION.type), readTypeGroup).flat();
  const imported = readImports(open(SECTION.import));
  const memorySection = open(SECTION.memory);
  const tableSection = open(SECTION.table);
  const elements = readSegments(open(SECTION.element), elementSegment);
  const data = readSegments(open(SECTION.data), dataSegment);
  const globals = [...imported.globals, ...readAll(open(SECTION.global), readGlobal)];
  const startSection = open(SECTION.start);
  return {
    sections,
    types,
    functions: [...imported.functions, ...readAll(open(SECTION.function), (c) => c.u32())],
    importedFunctions: imported.functions.length,
    importedModules: new Set(imports.map(({ module }) => module)),
    tables: [...imported.tables, ...(tableSection ? readTables(tableSection) : [])],
    importedTables: imported.tables.length,
    memories: [...imported.memories, ...(memorySection ? readMemories(memorySection) : [])],
    importedMemories: imported.memories.length,
    globals,
    importedGlobals: imported.globals.length,
    tags: [...imported.tags, ...readAll(open(SECTION.tag), readTag)],
    exports: readAll(open(SECTION.export), readExport),
    start: startSection?.u32(),
    instantiationFuel: elements.fuel + data.fuel,
    passiveSegments: elements.passive + data.passive,
    vectors:
      globals.some(({ type }) => type[0] === V128) ||
      types.some((type) => type.kind === 'function' && type.vectors),
  };
}

function readAll<T>(cursor: Cursor | undefined, read: (cursor: Cursor) => T): T[] {
  const all: T[] = [];
  if (cursor === undefined) return all;
  for (let left = cursor.u32(); left > 0 && cursor.ok; left--) all.push(read(cursor));
  cursor.expectOk('a section of the module');
  return all;
}

/**
 * The bytes of a value type (5.3.5), or of a field's packed one. Only the one spelling that the
 * specification gives is taken: what V8 might read in another way must not be guessed at.
 */
export function readValueType(cursor: Cursor): number[] {
  const start = cursor.position;
  const first = cursor.byte();
  if (first === 0x63 || first === 0x64) cursor.skipNumber();
  else if (!isTypeByte(first)) throw unknownType(first, start);
  return [...cursor.bytes.subarray(start, cursor.position)];
}

function isTypeByte(byte: number): boolean {
  return (byte >= 0x69 && byte <= 0x74) || (byte >= V128 && byte <= 0x7f) || isPacked(byte);
}

/** i8 and i16, of fields only. */
function isPacked(byte: number): boolean {
  return byte === 0x77 || byte === 0x78;
}

function unknownType(byte: number, offset: number): InputError {
  return new InputError(
    'invalid-module',
    `the type 0x${byte.toString(16)} at byte ${offset} is not known to this version, so the module cannot be metered`,
    { offset },
  );
}

/** A recursive type (5.3.10): one defined type or a group of them. */
function readTypeGroup(cursor: Cursor): DefinedType[] {
  if (cursor.bytes[cursor.position] !== 0x4e) return [readSubtype(cursor)];
  cursor.skip(1);
  return readAll(cursor, readSubtype);
}

function readSubtype(cursor: Cursor): DefinedType {
  const first = cursor.bytes[cursor.position];
  if (first === 0x50 || first === 0x4f) {
    cursor.skip(1);
    for (let left = cursor.u32(); left > 0 && cursor.ok; left--) cursor.skipNumber();
  }
  const start = cursor.position;
  const form = cursor.byte();
  if (form === 0x60) {
    const params = readAll(cursor, readValueType);
    const results = readAll(cursor, readValueType);
    const vectors = [...params, ...results].some(([byte]) => byte === V128);
    return { kind: 'function', params: params.length, results, vectors };
  }
  if (form === 0x5f) return { kind: 'struct', fields: readAll(cursor, readField).length };
  if (form === 0x5e) return { kind: 'array', elementBytes: readField(cursor) };
  throw unknownType(form, start);
}

/** A field (5.3.9). @returns the bytes that its values take. */
function readField(cursor: Cursor): number {
  const [first = 0] = readValueType(cursor);
  cursor.skip(1);
  return FIELD_BYTES.get(first) ?? 8;
}

/** Of the types that are not references; 8 for i64, f64 and all others. */
const FIELD_BYTES: ReadonlyMap<number, number> = new Map([
  [V128, 16],
  [0x7f, 4],
  [0x7d, 4],
  [0x78, 1],
  [0x77, 2],
]);

interface Imported {
  readonly functions: number[];
  readonly tables: AddressSpace[];
  readonly memories: AddressSpace[];
  readonly globals: GlobalEntry[];
  readonly tags: number[];
}

function readImports(cursor: Cursor | undefined): Imported {
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
    case IMPORT.function:
      all.functions.push(cursor.u32());
      return;
    case IMPORT.table:
      readValueType(cursor);
      all.tables.push(readLimits(cursor));
      return;
    case IMPORT.memory:
      all.memories.push(readLimits(cursor));
      return;
    case IMPORT.global:
      all.globals.push(readGlobalType(cursor));
      return;
    case IMPORT.tag:
      all.tags.push(readTag(cursor));
      return;
    default:
      throw unknownType(cursor.bytes[start] ?? 0, start);
  }
}

function readGlobalType(cursor: Cursor): GlobalEntry {
  const type = readValueType(cursor);
  return { type, mutable: (cursor.byte() & 1) === 1 };
}

function readGlobal(cursor: Cursor): GlobalEntry {
  const entry = readGlobalType(cursor);
  skipConstantExpression(cursor);
  return entry;
}

function readTag(cursor: Cursor): number {
  cursor.skip(1);
  return cursor.u32();
}

function readExport(cursor: Cursor): ExportEntry {
  const size = cursor.u32();
  const start = cursor.position;
  cursor.skip(size);
  const name = new TextDecoder().decode(cursor.bytes.subarray(start, cursor.position));
  return { name, kind: cursor.byte(), index: cursor.u32() };
}

interface Segment {
  readonly active: boolean;
  readonly fuel: number;
}

function readSegments(
  cursor: Cursor | undefined,
  read: (cursor: Cursor) => Segment,
): { readonly fuel: number; readonly passive: number } {
  const segments = readAll(cursor, read);
  return {
    fuel: segments.reduce((sum, { active, fuel }) => sum + (active ? fuel : 0), 0),
    passive: segments.filter(({ active }) => !active).length,
  };
}

/** An element segment (5.5.12): bit 0 passive or declared, bit 1 a table or a kind, bit 2 expressions. */
function elementSegment(cursor: Cursor): Segment {
  const flags = cursor.u32();
  const active = (flags & 1) === 0;
  if (active) {
    if ((flags & 2) !== 0) cursor.skipNumber();
    skipConstantExpression(cursor);
  }
  const expressions = (flags & 4) !== 0;
  if ((flags & 3) !== 0) {
    if (expressions) readValueType(cursor);
    else cursor.skip(1);
  }
  const count = cursor.u32();
  for (let left = count; left > 0 && cursor.ok; left--) {
    if (expressions) skipConstantExpression(cursor);
    else cursor.skipNumber();
  }
  return { active, fuel: count * BY_SIZE.segmentElement };
}

/** A data segment (5.5.14). */
function dataSegment(cursor: Cursor): Segment {
  const flags = cursor.u32();
  const active = flags !== 1;
  if (flags === 2) cursor.skipNumber();
  if (active) skipConstantExpression(cursor);
  const size = cursor.u32();
  cursor.skip(size);
  return { active, fuel: size >>> BY_SIZE.dataShift };
}
