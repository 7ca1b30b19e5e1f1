import { Cursor } from '../cursor.ts';
import type { Edges } from '../graph/edges.ts';
import type { FunctionTypes } from '../graph/function-types.ts';
import type { Sites } from '../graph/sites.ts';
import type { SectionEntry } from '../types.ts';
import type { FeatureScan } from './features.ts';
import { type OperatorSink, walkOperators } from './operators.ts';

/** What the walk over the code needs to know of the module. */
export interface CodeContext {
  readonly functionCount: number;
  readonly importedFunctions: number;
  readonly importedTables: number;
  readonly importedMemories: number;
  readonly importedGlobals: number;
  readonly importedTags: number;
  readonly types: FunctionTypes;
  readonly edges: Edges;
  readonly sites: Sites;
  readonly features: FeatureScan;
  /** Whether a reference may leave the module, so that the host may call what it points to. */
  readonly referencesEscape: boolean;
}

/** How code moves functions between tables. */
export interface TableMoves {
  /** Segments that `table.init` puts into a table, as `[segment, table]`. */
  readonly inits: readonly (readonly [segmentIndex: number, tableIndex: number])[];
  /** Tables between which `table.copy` copies. */
  readonly copies: readonly (readonly [to: number, from: number])[];
  /** Tables into which `table.set`, `table.grow` or `table.fill` write. */
  readonly written: ReadonlySet<number>;
  /** Functions that `ref.func` takes a reference to. */
  readonly taken: ReadonlySet<number>;
}

/**
 * Walks every function body (core specification 5.5.13) once, adds its edges to `context.edges`
 * and what it uses to `context.features`. A body with an unknown instruction is read up to it.
 */
export function readCode(
  bytes: Uint8Array,
  section: SectionEntry | undefined,
  context: CodeContext,
): TableMoves {
  const recorder = new Recorder(context);
  if (section === undefined) return recorder;
  const cursor = new Cursor(bytes, section.offset, section.offset + section.size);
  const count = cursor.u32();
  for (let i = 0; i < count && cursor.ok; i++) {
    const size = cursor.u32();
    const body = new Cursor(bytes, cursor.position, Math.min(cursor.position + size, cursor.limit));
    cursor.skip(size);
    recorder.begin(context.importedFunctions + i);
    skipLocals(body);
    if (!walkOperators(body, recorder)) context.features.use('unknown-instructions');
  }
  cursor.expectOk('the code section');
  return recorder;
}

function skipLocals(body: Cursor): void {
  for (let left = body.u32(); left > 0 && body.ok; left--) {
    body.skipNumber();
    const type = body.byte();
    if (type === 0x63 || type === 0x64) body.skipNumber();
  }
}

const TABLE_GET = 0x25;
const TABLE_SET = 0x26;
const TABLE_GROW = 0xfc_000f;
const TABLE_FILL = 0xfc_0011;

class Recorder implements OperatorSink, TableMoves {
  readonly inits: (readonly [number, number])[] = [];
  readonly copies: (readonly [number, number])[] = [];
  readonly written = new Set<number>();
  readonly taken = new Set<number>();
  readonly seen: Uint8Array;
  private readonly context: CodeContext;
  private functionIndex = 0;
  /** The last function that is known to use memory 0: accesses are many. */
  private memoryUsedBy = -1;
  private readonly seenMoves = new Set<number>();

  constructor(context: CodeContext) {
    this.context = context;
    this.seen = context.features.seen;
  }

  begin(functionIndex: number): void {
    this.functionIndex = functionIndex;
    this.context.edges.begin(functionIndex);
  }

  prefixed(code: number, offset: number): void {
    this.context.features.prefixed(code, this.functionIndex, offset);
  }

  call(functionIndex: number, offset: number): void {
    this.context.edges.add(functionIndex, offset);
  }

  callIndirect(tableIndex: number, typeIndex: number, offset: number, plain: boolean): void {
    const { sites, types, features, importedTables } = this.context;
    if (!plain) features.use('reference-types');
    this.addSite(sites.numberOf('indirect', tableIndex, types.keyOfType(typeIndex)), offset);
    if (tableIndex < importedTables) this.addSite(sites.numberOf('table', tableIndex), offset);
  }

  callRef(typeIndex: number, offset: number): void {
    const { sites, types } = this.context;
    this.addSite(sites.numberOf('reference', 0, types.keyOfType(typeIndex)), offset);
  }

  refFunc(functionIndex: number, offset: number): void {
    this.taken.add(functionIndex);
    this.readReference('function', functionIndex, offset);
  }

  global(globalIndex: number, offset: number): void {
    const { sites, importedGlobals } = this.context;
    if (globalIndex < importedGlobals) this.addSite(sites.numberOf('global', globalIndex), offset);
    else this.readReference('global-read', globalIndex, offset);
  }

  tag(tagIndex: number, offset: number): void {
    const { sites, importedTags } = this.context;
    if (tagIndex < importedTags) this.addSite(sites.numberOf('tag', tagIndex), offset);
  }

  table(code: number, tableIndex: number, offset: number): void {
    this.useTable(tableIndex, offset);
    if (code === TABLE_GET) this.readReference('table-read', tableIndex, offset);
    if (code === TABLE_SET || code === TABLE_GROW || code === TABLE_FILL) {
      this.written.add(tableIndex);
    }
  }

  tableInit(segmentIndex: number, tableIndex: number, offset: number): void {
    this.useTable(tableIndex, offset);
    this.move(this.inits, segmentIndex, tableIndex);
  }

  tableCopy(to: number, from: number, offset: number): void {
    this.useTable(to, offset);
    this.useTable(from, offset);
    if (to !== from) this.move(this.copies, to, from);
  }

  readSegment(segmentIndex: number, offset: number): void {
    this.readReference('segment-read', segmentIndex, offset);
  }

  memory(code: number, memoryIndex: number, offset: number): void {
    const { sites, features, importedMemories } = this.context;
    features.memoryAccess(code, memoryIndex, this.functionIndex, offset);
    if (memoryIndex >= importedMemories) return;
    if (memoryIndex === 0 && this.memoryUsedBy === this.functionIndex) return;
    if (memoryIndex === 0) this.memoryUsedBy = this.functionIndex;
    this.addSite(sites.numberOf('memory', memoryIndex), offset);
  }

  typedBlock(): void {
    this.context.features.use('multi-value');
  }

  private useTable(tableIndex: number, offset: number): void {
    const { sites, importedTables } = this.context;
    if (tableIndex < importedTables) this.addSite(sites.numberOf('table', tableIndex), offset);
  }

  private readReference(
    kind: 'function' | 'table-read' | 'global-read' | 'segment-read',
    index: number,
    offset: number,
  ): void {
    const { sites, referencesEscape } = this.context;
    if (referencesEscape) this.addSite(sites.numberOf(kind, index), offset);
  }

  private addSite(site: number, offset: number): void {
    this.context.edges.add(this.context.functionCount + site, offset);
  }

  /** Adds a move once: a file may repeat it millions of times. */
  private move(moves: (readonly [number, number])[], a: number, b: number): void {
    const key = (moves === this.inits ? 0 : 1) + 2 * (a * 2 ** 24 + b);
    if (this.seenMoves.has(key)) return;
    this.seenMoves.add(key);
    moves.push([a, b]);
  }
}
