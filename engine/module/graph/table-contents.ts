import type { TableMoves } from '../code/code.ts';
import type { DefinedTable } from '../limits.ts';
import type { ElementSegment } from '../parsed-module.ts';
import { FunctionSet, type Run } from './function-set.ts';

/** What may lie in tables and behind references: never too little, sometimes too much. */
export interface TableContents {
  /** What may lie in a table: at most two sets. */
  readonly ofTable: (tableIndex: number) => readonly FunctionSet[];
  /** The functions of an element segment. */
  readonly ofSegment: (segmentIndex: number) => FunctionSet;
  /** Functions to which code, a global, a table or an element segment holds a reference. */
  readonly taken: FunctionSet;
}

const NONE = new FunctionSet([]);

/**
 * Works out which functions may lie in which table:
 * - an active segment fills its table; one that another overwrites is still counted;
 * - a passive segment reaches the table that some `table.init` names, wherever that may be;
 * - tables joined by `table.copy`, or filled from one passive segment, are taken to share all
 *   their contents, which keeps the work linear;
 * - a table that `table.set`, `table.grow` or `table.fill` writes may hold every function to which a
 *   reference is taken.
 * What the host puts into an imported or exported table is the host's own doing and not counted.
 * @param globalReferences functions that initial values of globals refer to.
 */
export function tableContents(
  segments: readonly ElementSegment[],
  tables: readonly DefinedTable[],
  importedTables: number,
  moves: TableMoves,
  globalReferences: readonly number[],
): TableContents {
  const tableCount = importedTables + tables.length;
  const groupOf = joinTables(tableCount, moves);
  const runs = new Map<number, Run[]>();
  const put = (tableIndex: number, run: Run) => {
    const group = groupOf(tableIndex);
    const known = runs.get(group);
    if (known === undefined) runs.set(group, [run]);
    else known.push(run);
  };
  for (const segment of segments) if (segment.mode === 'active') put(segment.tableIndex, segment);
  for (const [segmentIndex, tableIndex] of firstOfEach(moves.inits)) {
    const segment = segments[segmentIndex];
    if (segment !== undefined) put(tableIndex, { functions: segment.functions, base: undefined });
  }
  for (const [i, { functions }] of tables.entries()) {
    if (functions.length > 0) put(importedTables + i, { functions, base: undefined });
  }

  const sets = new Map([...runs].map(([group, of]) => [group, new FunctionSet(of)]));
  const written = new Set([...moves.written].map(groupOf));
  const taken = takenFunctions(segments, tables, moves, globalReferences);
  return {
    ofTable: (tableIndex) => {
      const group = groupOf(tableIndex);
      const own = sets.get(group) ?? NONE;
      return written.has(group) ? [own, taken] : [own];
    },
    ofSegment: (segmentIndex) => {
      const { functions } = segments[segmentIndex] ?? { functions: [] };
      return new FunctionSet([{ functions, base: undefined }]);
    },
    taken,
  };
}

function takenFunctions(
  segments: readonly ElementSegment[],
  tables: readonly DefinedTable[],
  moves: TableMoves,
  globalReferences: readonly number[],
): FunctionSet {
  const taken = new Set(moves.taken);
  for (const functionIndex of globalReferences) taken.add(functionIndex);
  for (const { functions } of tables) for (const index of functions) taken.add(index);
  for (const { mode, functions } of segments) {
    // A declarative segment holds nothing: it only permits the `ref.func` that is counted itself.
    if (mode !== 'declarative') for (const index of functions) taken.add(index);
  }
  const functions = [...taken].sort((a, b) => a - b);
  return new FunctionSet([{ functions, base: undefined }]);
}

/** The first table of each segment: the others are of its group. */
function firstOfEach(inits: TableMoves['inits']): Map<number, number> {
  const first = new Map<number, number>();
  for (const [segment, table] of inits) if (!first.has(segment)) first.set(segment, table);
  return first;
}

/** Joins tables that share contents: answers one number for those of a group. */
function joinTables(tableCount: number, moves: TableMoves): (tableIndex: number) => number {
  const parents = Uint32Array.from({ length: tableCount }, (_, i) => i);
  const find = (table: number): number => {
    let root = table;
    for (let up = parents[root]; up !== undefined && up !== root; up = parents[root]) {
      parents[root] = parents[up] ?? up; // halves the way for the next search
      root = up;
    }
    return root;
  };
  const join = (a: number, b: number) => {
    parents[find(a)] = find(b);
  };
  const first = firstOfEach(moves.inits);
  for (const [to, from] of moves.copies) join(to, from);
  for (const [segment, table] of moves.inits) join(table, first.get(segment) ?? table);
  return find;
}
