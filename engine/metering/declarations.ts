import { Cursor } from '../module/cursor.ts';
import { type DefinedLimits, readMemories, readTables } from '../module/limits.ts';
import { SECTION } from '../module/sections.ts';
import type { SectionEntry } from '../module/types.ts';
import { readLayout } from '../module/walker.ts';
import { readImports } from './imports.ts';
import {
  type GlobalEntry,
  readAll,
  readExportName,
  readGlobal,
  readTag,
} from './section-entries.ts';
import { dataFuel, elementFuel } from './segments.ts';
import { type DefinedType, readTypeGroup } from './type-section.ts';
import { V128 } from './value-types.ts';

/** The address type and the limits of a memory or table, imported or not. */
export type AddressSpace = Pick<DefinedLimits, 'address' | 'minimum' | 'maximum' | 'shared'>;

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
  readonly memories: readonly AddressSpace[];
  readonly importedMemories: number;
  readonly globals: readonly GlobalEntry[];
  /** Type index of every tag. */
  readonly tags: readonly number[];
  /** Names of what it exports. */
  readonly exports: readonly string[];
  readonly start: number | undefined;
  /** What instantiating costs: active segments, by size. */
  readonly instantiationFuel: number;
  /** Whether any declaration names the type v128. */
  readonly vectors: boolean;
}

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
  const instantiationFuel = elementFuel(open(SECTION.element)) + dataFuel(open(SECTION.data));
  const globals = [...imported.globals, ...readAll(open(SECTION.global), readGlobal)];
  const startSection = open(SECTION.start);
  return {
    sections,
    types,
    functions: [...imported.functions, ...readAll(open(SECTION.function), (c) => c.u32())],
    importedFunctions: imported.functions.length,
    importedModules: new Set(imports.map(({ module }) => module)),
    tables: [...imported.tables, ...(tableSection ? readTables(tableSection) : [])],
    memories: [...imported.memories, ...(memorySection ? readMemories(memorySection) : [])],
    importedMemories: imported.memories.length,
    globals,
    tags: [...imported.tags, ...readAll(open(SECTION.tag), readTag)],
    exports: readAll(open(SECTION.export), readExportName),
    start: startSection?.u32(),
    instantiationFuel,
    vectors:
      globals.some(({ type }) => type[0] === V128) ||
      types.some((type) => type.kind === 'function' && type.vectors),
  };
}
