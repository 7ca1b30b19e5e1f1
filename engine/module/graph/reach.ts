import type { CallFrame, CallRoot } from '../types.ts';
import type { Edges } from './edges.ts';
import type { FunctionSet, MemberVisitor } from './function-set.ts';
import type { FunctionTypes } from './function-types.ts';
import type { Site, Sites } from './sites.ts';
import type { TableContents } from './table-contents.ts';

/** The graph to search. */
export interface SearchGraph {
  readonly functionCount: number;
  readonly edges: Edges;
  readonly sites: Sites;
  readonly types: FunctionTypes;
  readonly contents: TableContents;
  /** The functions a global's initial value refers to. */
  readonly ofGlobal: (globalIndex: number) => FunctionSet;
}

/** A function at which a path may begin. */
export interface RootFunction {
  readonly functionIndex: number;
  readonly root: CallRoot;
}

/** How a function was first reached. */
export interface Step {
  /** The function before, or `undefined` at a root. */
  readonly from: number | undefined;
  /** Byte offset of the instruction. */
  readonly offset: number;
  readonly via: 'root' | 'call' | 'indirect' | 'reference';
  readonly table: CallFrame['table'];
}

const UNREACHED = -2;
const AT_ROOT = -1;
const DIRECT = -1;
/** Stands for every key of a type. */
const ALL_TYPES = Number.NEGATIVE_INFINITY;

/**
 * Breadth-first search from the roots over calls, tables and references, linear in the size of the
 * graph: the functions behind a site are visited once, from whoever gets there first. Of several
 * shortest ways the surest counts: direct calls before indirect ones, and of these the one whose type
 * fits the fewest functions, since it is the likeliest to be meant. Then the caller with the lowest
 * index, then its earliest instruction.
 */
export class Reach {
  private readonly graph: SearchGraph;
  private readonly from: Int32Array;
  private readonly offset: Uint32Array;
  /** The site through which a function was reached, or {@link DIRECT}. */
  private readonly site: Int32Array;
  /** -1 where the place in the table is not known. */
  private readonly element: Float64Array;
  /** How many functions the least sure call on the way could have meant; 1 for direct calls alone. */
  private readonly guesses: Float64Array;
  private readonly roots = new Map<number, CallRoot>();
  /** The first function to use a site that leads nowhere. */
  private readonly users = new Map<number, number>();
  private readonly doneSites: Uint8Array;
  private readonly doneTypes = new Map<FunctionSet, Set<number>>();

  /** @param phases roots in order of preference: later ones count for what is not yet reached. */
  constructor(graph: SearchGraph, phases: readonly (readonly RootFunction[])[]) {
    const { functionCount, sites } = graph;
    this.graph = graph;
    this.from = new Int32Array(functionCount).fill(UNREACHED);
    this.offset = new Uint32Array(functionCount);
    this.site = new Int32Array(functionCount).fill(DIRECT);
    this.element = new Float64Array(functionCount);
    this.guesses = new Float64Array(functionCount).fill(1);
    this.doneSites = new Uint8Array(sites.count);
    for (const roots of phases) this.search(roots);
  }

  /** How `functionIndex` is reached, or `undefined` if nothing reaches it. */
  stepTo(functionIndex: number): Step | undefined {
    const from = this.from[functionIndex];
    if (from === undefined || from === UNREACHED) return undefined;
    if (from === AT_ROOT) return { from: undefined, offset: 0, via: 'root', table: undefined };
    const site = this.graph.sites.get(this.site[functionIndex] ?? DIRECT);
    const indirect = site?.kind === 'indirect';
    const elementIndex = this.element[functionIndex] ?? -1;
    return {
      from,
      offset: this.offset[functionIndex] ?? 0,
      via: site === undefined ? 'call' : indirect ? 'indirect' : 'reference',
      table: indirect
        ? { tableIndex: site.index, elementIndex: elementIndex < 0 ? undefined : elementIndex }
        : undefined,
    };
  }

  rootOf(functionIndex: number): CallRoot | undefined {
    return this.roots.get(functionIndex);
  }

  /** The function nearest to a root that uses a site of an import, if one is reached. */
  userOf(kind: Site['kind'], index: number): number | undefined {
    const site = this.graph.sites.find(kind, index);
    return site === undefined ? undefined : this.users.get(site);
  }

  private search(roots: readonly RootFunction[]): void {
    let level: number[] = [];
    for (const { functionIndex, root } of roots) {
      if (this.from[functionIndex] !== UNREACHED) continue;
      this.from[functionIndex] = AT_ROOT;
      this.roots.set(functionIndex, root);
      level.push(functionIndex);
    }
    while (level.length > 0) {
      const next: number[] = [];
      for (const functionIndex of level.sort(this.surestFirst)) this.follow(functionIndex, next);
      level = next;
    }
  }

  private readonly surestFirst = (a: number, b: number): number =>
    (this.guesses[a] ?? 1) - (this.guesses[b] ?? 1) || a - b;

  private follow(functionIndex: number, next: number[]): void {
    const { edges, functionCount } = this.graph;
    const end = edges.endOf(functionIndex);
    for (let edge = edges.firstOf(functionIndex); edge < end; edge++) {
      const target = edges.target(edge);
      const offset = edges.offset(edge);
      if (target < functionCount) this.visit(target, functionIndex, offset, DIRECT, -1, 1, next);
      else this.followSite(target - functionCount, functionIndex, offset, next);
    }
  }

  private followSite(number: number, functionIndex: number, offset: number, next: number[]): void {
    const site = this.graph.sites.get(number);
    if (site === undefined || this.doneSites[number] === 1) return;
    this.doneSites[number] = 1;
    const { contents, ofGlobal } = this.graph;
    const guesses = this.candidatesOf(site);
    const arrive = (target: number, element: number) =>
      this.visit(target, functionIndex, offset, number, element, guesses, next);
    switch (site.kind) {
      case 'indirect':
        for (const set of contents.ofTable(site.index)) this.followType(set, site.typeKey, arrive);
        return;
      case 'reference':
        this.followType(contents.taken, site.typeKey, arrive);
        return;
      case 'function':
        arrive(site.index, -1);
        return;
      case 'table-read':
        for (const set of contents.ofTable(site.index)) this.followAll(set, arrive);
        return;
      case 'segment-read':
        this.followAll(contents.ofSegment(site.index), arrive);
        return;
      case 'global-read':
        this.followAll(ofGlobal(site.index), arrive);
        return;
      default:
        this.users.set(number, functionIndex);
    }
  }

  /** How many functions a call through the site could mean. */
  private candidatesOf({ kind, index, typeKey }: Site): number {
    const { contents, types } = this.graph;
    const sets = kind === 'indirect' ? contents.ofTable(index) : [contents.taken];
    if (kind !== 'indirect' && kind !== 'reference') return 1;
    return sets.reduce((sum, set) => sum + set.countOfType(typeKey, types.keysOfFunction), 0);
  }

  /** Visits the members of a type once: many tables may share a segment. */
  private followType(set: FunctionSet, typeKey: number, arrive: MemberVisitor): void {
    const done = this.doneTypes.get(set) ?? new Set();
    this.doneTypes.set(set, done);
    if (done.has(typeKey) || done.has(ALL_TYPES)) return;
    done.add(typeKey);
    set.forEachOfType(typeKey, this.graph.types.keysOfFunction, arrive);
  }

  private followAll(set: FunctionSet, arrive: MemberVisitor): void {
    const done = this.doneTypes.get(set) ?? new Set();
    this.doneTypes.set(set, done);
    if (done.has(ALL_TYPES)) return;
    done.add(ALL_TYPES);
    set.forEach(arrive);
  }

  private visit(
    functionIndex: number,
    from: number,
    offset: number,
    site: number,
    element: number,
    guesses: number,
    next: number[],
  ): void {
    if (this.from[functionIndex] !== UNREACHED) return;
    this.from[functionIndex] = from;
    this.offset[functionIndex] = offset;
    this.site[functionIndex] = site;
    this.element[functionIndex] = element;
    this.guesses[functionIndex] = Math.max(guesses, this.guesses[from] ?? 1);
    next.push(functionIndex);
  }
}
