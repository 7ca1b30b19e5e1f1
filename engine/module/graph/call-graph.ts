import { markLastOfAuthor } from '../names/author.ts';
import { demangle } from '../names/demangle.ts';
import type { FunctionNames } from '../names/names.ts';
import type { ParsedExport, ParsedModule } from '../parsed-module.ts';
import { mayCarryFunction } from '../type-text.ts';
import type { CallFrame, CallGraph, CallPath, CallRoot, ImportEntry } from '../types.ts';
import { FunctionSet } from './function-set.ts';
import { Reach, type RootFunction, type SearchGraph } from './reach.ts';

/** What a call graph is made of. */
export interface CallGraphParts {
  readonly graph: Omit<SearchGraph, 'ofGlobal'>;
  readonly parsed: ParsedModule;
  readonly imports: readonly ImportEntry[];
  readonly importedTables: number;
  readonly names: FunctionNames;
}

/** Searches the graph once and answers paths from what it found. */
export function makeCallGraph(parts: CallGraphParts): CallGraph {
  const { graph, parsed, imports } = parts;
  const importedGlobals = imports.filter(({ kind }) => kind === 'global').length;
  const ofGlobal = (globalIndex: number) =>
    new FunctionSet([
      {
        functions: parsed.globals[globalIndex - importedGlobals]?.functions ?? [],
        base: undefined,
      },
    ]);
  const reach = new Reach({ ...graph, ofGlobal }, [
    entryRoots(parsed, ofGlobal, importedGlobals),
    tableRoots(parts),
  ]);
  const nameOf = nameFinder(parts);
  const indices = indicesOf(imports);
  return {
    functionCount: graph.functionCount,
    importedFunctionCount: imports.filter(({ kind }) => kind === 'function').length,
    nameOf,
    pathTo: (importIndex) => {
      const target = targetOf(imports[importIndex], indices[importIndex], reach);
      return target === undefined ? undefined : pathTo(target, reach, nameOf);
    },
  };
}

/**
 * Exported functions, functions that an exported global holds from the start, and the start
 * function, in this order: a function that is both exported and the start counts as exported.
 */
function entryRoots(
  parsed: ParsedModule,
  ofGlobal: (globalIndex: number) => FunctionSet,
  importedGlobals: number,
): RootFunction[] {
  const roots: RootFunction[] = [];
  for (const { name, kind, index } of parsed.exports) {
    const root: CallRoot = { kind: 'export', name };
    if (kind === 'function') roots.push({ functionIndex: index, root });
    if (kind === 'global' && index >= importedGlobals) {
      ofGlobal(index).forEach((functionIndex) => {
        roots.push({ functionIndex, root });
      });
    }
  }
  if (parsed.start !== undefined) {
    roots.push({ functionIndex: parsed.start, root: { kind: 'start' } });
  }
  return roots;
}

/** What may lie in tables that the host can reach, because they are imported or exported. */
function tableRoots({ graph, parsed, importedTables }: CallGraphParts): RootFunction[] {
  const open = new Set(Array.from({ length: importedTables }, (_, i) => i));
  for (const { kind, index } of parsed.exports) if (kind === 'table') open.add(index);
  const roots: RootFunction[] = [];
  const done = new Set<FunctionSet>();
  for (const tableIndex of [...open].sort((a, b) => a - b)) {
    const root: CallRoot = { kind: 'table', tableIndex };
    for (const set of graph.contents.ofTable(tableIndex)) {
      if (done.has(set)) continue;
      done.add(set);
      set.forEach((functionIndex) => {
        roots.push({ functionIndex, root });
      });
    }
  }
  return roots;
}

/**
 * Whether the module could hand a function reference to the host: some function or tag type carries
 * one, or the host shares a mutable global that can hold one. If it cannot, a reference is of no use
 * but to the `call_ref` and `call_indirect` of the module itself, which are followed anyway.
 */
export function referencesEscape(
  { types, globals, exports }: Pick<ParsedModule, 'types' | 'globals' | 'exports'>,
  imports: readonly ImportEntry[],
): boolean {
  const importedGlobals = imports.filter(({ kind }) => kind === 'global').map(({ type }) => type);
  const all = [...importedGlobals, ...globals.map(({ type }) => type)];
  const exported = exports
    .filter(({ kind }: ParsedExport) => kind === 'global')
    .map(({ index }) => all[index] ?? '');
  return (
    types.some(({ text }) => text !== undefined && mayCarryFunction(text)) ||
    [...importedGlobals, ...exported].some(
      (type) => type.startsWith('mut ') && mayCarryFunction(type),
    )
  );
}

function nameFinder({ graph, parsed, imports, names }: CallGraphParts): (index: number) => string {
  const imported = imports.filter(({ kind }) => kind === 'function');
  const exported = new Map<number, string>();
  for (const { name, kind, index } of parsed.exports) {
    if (kind === 'function' && !exported.has(index)) exported.set(index, name);
  }
  return (functionIndex) => {
    const name = functionIndex < graph.functionCount ? names.get(functionIndex) : undefined;
    if (name !== undefined) return demangle(name);
    const entry = imported[functionIndex];
    const ofImport = entry && `${entry.module}.${entry.name}`;
    return exported.get(functionIndex) ?? ofImport ?? `func[${functionIndex}]`;
  };
}

/** The index of each import in the index space of its kind. */
function indicesOf(imports: readonly ImportEntry[]): readonly number[] {
  const counts = new Map<string, number>();
  return imports.map(({ kind }) => {
    const index = counts.get(kind) ?? 0;
    counts.set(kind, index + 1);
    return index;
  });
}

/** The function at which the path to an import ends, and whether that is the import itself. */
function targetOf(
  entry: ImportEntry | undefined,
  index: number | undefined,
  reach: Reach,
): { readonly functionIndex: number; readonly isImport: boolean } | undefined {
  if (entry === undefined || index === undefined) return undefined;
  const { kind } = entry;
  if (kind === 'function') return { functionIndex: index, isImport: true };
  const functionIndex = reach.userOf(kind, index);
  return functionIndex === undefined ? undefined : { functionIndex, isImport: false };
}

function pathTo(
  { functionIndex, isImport }: { readonly functionIndex: number; readonly isImport: boolean },
  reach: Reach,
  nameOf: (functionIndex: number) => string,
): CallPath | undefined {
  const frames: Omit<CallFrame, 'lastOfAuthor'>[] = [];
  let at = functionIndex;
  for (let step = reach.stepTo(at); step !== undefined; step = reach.stepTo(at)) {
    const { from, via, offset, table } = step;
    const frame = { functionIndex: at, name: nameOf(at), via };
    if (from === undefined) {
      frames.push(frame);
      break;
    }
    frames.push({ ...frame, offset, ...(table !== undefined && { table }) });
    at = from;
  }
  const root = reach.rootOf(at);
  if (root === undefined) return undefined;
  return { root, frames: markLastOfAuthor(frames.reverse(), isImport) };
}
