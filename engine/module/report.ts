import type { Crypto } from '../crypto/crypto.ts';
import { plainBytes } from '../encoding/bytes.ts';
import { readCode } from './code/code.ts';
import { FeatureScan } from './code/features.ts';
import { useDataFeatures, useDeclaredFeatures } from './code/static-features.ts';
import { Cursor } from './cursor.ts';
import { makeCallGraph, referencesEscape } from './graph/call-graph.ts';
import { Edges } from './graph/edges.ts';
import { FunctionTypes } from './graph/function-types.ts';
import { Sites } from './graph/sites.ts';
import { tableContents } from './graph/table-contents.ts';
import { describeDifference, type SeenImport } from './import-difference.ts';
import { type DefinedLimits, type DefinedTable, readMemories, readTables } from './limits.ts';
import { FunctionNames } from './names/names.ts';
import type { ParsedModule } from './parsed-module.ts';
import { secondOpinion } from './second-opinion.ts';
import { SECTION } from './sections.ts';
import { limitsText, parseLimitsText, sameTypeText } from './type-text.ts';
import type {
  ExportEntry,
  ExternKind,
  Feature,
  ImportEntry,
  MemoryEntry,
  ModuleReport,
  ReaderOpinion,
  SectionEntry,
} from './types.ts';
import { requireValid } from './v8-validity.ts';
import { type ModuleLayout, readLayout } from './walker.ts';
import { readWithWasmparser } from './wasmparser-reader.ts';

/**
 * Everything the engine knows about a module from its bytes alone (DESIGN 3): the walker's layout
 * first, then V8's verdict, then the other readers. Linear in the size of the file; nothing is
 * compiled. Whether the readers agree is recorded, not demanded: see `requireAgreement`.
 * @throws {InputError} `component-not-module`, `invalid-module` or `too-large`, with the byte offset.
 */
export function inspectModule(crypto: Crypto, given: Uint8Array): ModuleReport {
  const bytes = plainBytes(given);
  const layout = readLayout(bytes);
  requireValid(bytes, layout.sections);
  return { sha256: crypto.sha256(bytes), ...reportOf(bytes, layout) };
}

/**
 * The report without the verdict of V8, for modules with features that this runtime's V8 lacks. Only
 * for bytes that are known to be valid.
 */
export function reportOf(bytes: Uint8Array, layout: ModuleLayout): Omit<ModuleReport, 'sha256'> {
  const { sections, imports } = layout;
  const parsed = readWithWasmparser(bytes);
  const declared = {
    parsed,
    imports,
    sections,
    memories: readSection(bytes, sections, SECTION.memory, readMemories),
    tables: readSection(bytes, sections, SECTION.table, readTables),
  };
  const memories = memoryEntries(imports, declared.memories);
  const features = new FeatureScan(sharedOnes(memories));
  const callGraph = readCallGraph(bytes, layout, parsed, declared.tables, features);
  useDeclaredFeatures(declared, features);
  useDataFeatures(bytes, sectionOf(sections, SECTION.data), features);
  return {
    size: bytes.length,
    sections,
    imports,
    exports: exportEntries(bytes, declared),
    memories,
    features: [...features.features()].sort() satisfies Feature[],
    nondeterministic: features.nondeterministic,
    start: parsed.start,
    readers: [
      { reader: 'walker', outcome: 'agrees' },
      wasmparserOpinion(imports, parsed.imports),
      secondOpinion(bytes, layout, parsed),
    ],
    callGraph,
  };
}

function readCallGraph(
  bytes: Uint8Array,
  { sections, imports }: ModuleLayout,
  parsed: ParsedModule,
  tables: readonly DefinedTable[],
  features: FeatureScan,
) {
  const count = (kind: ExternKind) => imports.filter((entry) => entry.kind === kind).length;
  const functionCount = parsed.functionTypes.length;
  const importedTables = count('table');
  const edges = new Edges(functionCount);
  const sites = new Sites();
  const types = new FunctionTypes(parsed);
  const moves = readCode(bytes, sectionOf(sections, SECTION.code), {
    functionCount,
    importedFunctions: count('function'),
    importedTables,
    importedMemories: count('memory'),
    importedGlobals: count('global'),
    importedTags: count('tag'),
    types,
    edges,
    sites,
    features,
    referencesEscape: referencesEscape(parsed, imports),
  });
  const globalReferences = parsed.globals.flatMap(({ functions }) => functions);
  const contents = tableContents(parsed.segments, tables, importedTables, moves, globalReferences);
  const names = FunctionNames.read(bytes, sections, functionCount);
  const graph = { functionCount, edges, sites, types, contents };
  return makeCallGraph({ graph, parsed, imports, importedTables, names });
}

function sectionOf(sections: readonly SectionEntry[], id: number): SectionEntry | undefined {
  return sections.find((section) => section.id === id);
}

function readSection<T>(
  bytes: Uint8Array,
  sections: readonly SectionEntry[],
  id: number,
  read: (cursor: Cursor) => T[],
): T[] {
  const section = sectionOf(sections, id);
  if (section === undefined) return [];
  return read(new Cursor(bytes, section.offset, section.offset + section.size));
}

function memoryEntries(
  imports: readonly ImportEntry[],
  defined: readonly DefinedLimits[],
): MemoryEntry[] {
  const imported = imports.filter(({ kind }) => kind === 'memory');
  return [
    ...imported.map(({ type }) => ({ imported: true, ...parseLimitsText(type) })),
    ...defined.map(({ address, minimum, maximum, shared }) => ({
      imported: false,
      address,
      minimum,
      maximum,
      shared,
    })),
  ];
}

function sharedOnes(memories: readonly MemoryEntry[]): ReadonlySet<number> {
  return new Set(memories.flatMap(({ shared }, i) => (shared ? [i] : [])));
}

function exportEntries(
  bytes: Uint8Array,
  declared: {
    readonly parsed: ParsedModule;
    readonly imports: readonly ImportEntry[];
    readonly sections: readonly SectionEntry[];
    readonly memories: readonly DefinedLimits[];
    readonly tables: readonly DefinedTable[];
  },
): ExportEntry[] {
  const { parsed, imports, memories, tables } = declared;
  const section = sectionOf(declared.sections, SECTION.export);
  if (section === undefined) return [];
  const textOf = (typeIndex: number) => parsed.types[typeIndex]?.text ?? '';
  const defined: Readonly<Record<ExternKind, readonly string[]>> = {
    function: [],
    tag: [],
    memory: memories.map(limitsText),
    table: tables.map((table) => `${limitsText(table)} ${table.element}`),
    global: parsed.globals.map(({ type }) => type),
  };
  const types = { ...defined };
  for (const kind of ['memory', 'table', 'global'] as const) {
    const imported = imports.filter((entry) => entry.kind === kind).map(({ type }) => type);
    types[kind] = [...imported, ...defined[kind]];
  }
  const typeOf = (kind: ExternKind, index: number): string => {
    if (kind === 'function') return textOf(parsed.functionTypes[index] ?? -1);
    if (kind === 'tag') return textOf(parsed.tagTypes[index] ?? -1);
    return types[kind][index] ?? '';
  };
  const cursor = new Cursor(bytes, section.offset, section.offset + section.size);
  cursor.skipNumber(); // the count, behind which the first export begins
  let offset = cursor.position;
  return parsed.exports.map(({ name, kind, index, end }) => {
    const entry = { name, kind, type: typeOf(kind, index), index, offset };
    offset = end;
    return entry;
  });
}

/** wasmparser knows no 64-bit limits, so it gives no type where the walker read some. */
function wasmparserOpinion(
  imports: readonly ImportEntry[],
  seen: readonly SeenImport[],
): ReaderOpinion {
  const known = seen.map((entry, i) => {
    const { module, name, kind } = entry;
    const wide = kind === 'memory' || kind === 'table' ? imports[i]?.type.startsWith('i64') : false;
    return wide ? { module, name, kind } : entry;
  });
  const detail = describeDifference(imports, 'wasmparser', known, sameTypeText);
  return detail === undefined
    ? { reader: 'wasmparser', outcome: 'agrees' }
    : { reader: 'wasmparser', outcome: 'disagrees', detail };
}
