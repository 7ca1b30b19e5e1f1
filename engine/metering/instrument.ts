import { InputError } from '../encoding/input-error.ts';
import { encodeUtf8 } from '../encoding/utf8.ts';
import { Cursor } from '../module/cursor.ts';
import { SECTION } from '../module/sections.ts';
import type { SectionEntry } from '../module/types.ts';
import { ByteWriter } from './byte-writer.ts';
import { rewriteCode } from './code-section.ts';
import { type Declarations, readDeclarations } from './declarations.ts';
import type { MeterNames } from './meter.ts';
import { PositionRecorder, type Positions } from './positions.ts';
import type { HiddenGlobals } from './fuel-account.ts';

export interface MeteringOptions {
  /** Make every NaN canonical whose bits could be seen; false unless given. */
  readonly canonicalNaN?: boolean;
  /** Pages of 64 KiB that the one memory has from its start to its end, instead of growing. */
  readonly fixedPages?: number;
  /** Export the mutable globals, tables and memories too, so that a host can save and restore them. */
  readonly state?: boolean;
}

/** A module that counts. Indices of functions, types, tables, memories and globals are unchanged. */
export interface MeteredModule {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Its meter, which `openMeter` sets before anything is called. */
  readonly meter: MeterNames;
  /** Export name of the start function, if there is one: it no longer runs by itself. */
  readonly start: string | undefined;
  /** The memory that the host gives a module whose memory is fixed. */
  readonly fixedMemory: FixedMemory | undefined;
  /** Pages of all memories, and elements of all tables, that the module starts with. */
  readonly initialPages: number;
  readonly initialElements: number;
  /** What instantiation costs: active segments, by size. */
  readonly instantiationFuel: number;
  /** Floating-point instructions whose NaNs are made canonical; 0 where the module needs none. */
  readonly canonicalised: number;
  /** What can give another result on another machine, in words for a person; absent if nothing can. */
  readonly nondeterministic: string | undefined;
  /** What `state` exports, by name, in the order of the module's indices. */
  readonly state: StateExports;
  readonly positions: Positions;
}

/** A memory of a fixed size, zeroed, which the module imports in place of its own. */
export interface FixedMemory {
  readonly module: string;
  readonly name: string;
  /** Pages of 64 KiB that it has, at least and at most. */
  readonly pages: number;
  /** Export name of the pages that the guest has been handed out of them. */
  readonly handedOut: string;
}

export interface StateExports {
  readonly globals: readonly { readonly name: string; readonly type: readonly number[] }[];
  readonly tables: readonly string[];
  readonly memories: readonly string[];
}

const I32 = 0x7f;
const I64 = 0x7e;
const V128 = 0x7b;
const MUTABLE = 1;
const END = 0x0b;
const KIND = { function: 0, table: 1, memory: 2, global: 3 } as const;

/** The sections of the output that may have to be made, in the order that they need (5.5.2). */
const ORDER: readonly number[] = [
  SECTION.type,
  SECTION.import,
  SECTION.function,
  SECTION.table,
  SECTION.memory,
  SECTION.tag,
  SECTION.global,
  SECTION.export,
  SECTION.element,
  SECTION.dataCount,
  SECTION.code,
  SECTION.data,
];

/**
 * Rewrites a module so that it counts fuel and call depth, and stops itself when either has run out
 * (DESIGN 7). It means what it meant: every result, trap, memory and table is the same while there is
 * enough of both. The order of what is charged, and so the point where a run stops, depends on the
 * module and its input alone.
 *
 * Hidden globals are appended behind the module's own, and exported under names that its exports do
 * not have. Custom sections but `name` are left out: their offsets would be wrong.
 * @param bytes a module that V8 accepts; metering does not validate it again, and V8 validates what
 *   comes out.
 * @throws {InputError} `invalid-module` for what this version does not know, `too-large` for a
 *   function that V8 would no longer take, `usage` for options that do not fit the module.
 */
export function instrument(bytes: Uint8Array, options: MeteringOptions = {}): MeteredModule {
  const declarations = readDeclarations(bytes);
  const memory = fixedMemory(declarations, options.fixedPages);
  const names = new Names(declarations);
  const count = declarations.globals.length;
  const hidden: HiddenGlobals = {
    fuel: count,
    stack: count + 1,
    pagesLeft: count + 2,
    elementsLeft: count + 3,
    fixedPages: memory === undefined ? undefined : count + 4,
  };
  const types = new BlockTypes(declarations);
  const positions = new PositionRecorder();
  const code = rewriteCode({
    bytes,
    declarations,
    hidden,
    positions,
    blockType: (results) => types.of(results),
    canonicalNaN: options.canonicalNaN ?? false,
  });
  const exports = hiddenExports(declarations, hidden, names, options.state ?? false);
  const replaced = new Map<number, Uint8Array>([
    [SECTION.global, append(bytes, declarations, SECTION.global, globalEntries(hidden, memory))],
    [SECTION.export, append(bytes, declarations, SECTION.export, exports.entries)],
  ]);
  if (code !== undefined) replaced.set(SECTION.code, code.section);
  if (types.added.length > 0) {
    replaced.set(SECTION.type, append(bytes, declarations, SECTION.type, types.added));
  }
  if (memory !== undefined) {
    const entry = importEntry(names.of('host'), 'memory', memory.type);
    replaced.set(SECTION.import, append(bytes, declarations, SECTION.import, [entry]));
    replaced.set(SECTION.memory, NO_SECTION);
  }
  const { module, codeOffset } = assemble(bytes, declarations.sections, replaced);
  return {
    bytes: module,
    meter: {
      fuel: names.of('fuel'),
      stack: names.of('stack'),
      pages: names.of('pages'),
      elements: names.of('elements'),
    },
    start: declarations.start === undefined ? undefined : names.of('start'),
    fixedMemory: memory && {
      module: names.of('host'),
      name: 'memory',
      pages: memory.pages,
      handedOut: names.of('fixed-pages'),
    },
    initialPages: total(declarations.memories),
    initialElements: total(declarations.tables),
    instantiationFuel: declarations.instantiationFuel,
    canonicalised: code?.canonicalised ?? 0,
    nondeterministic: declarations.memories.some(({ shared }) => shared)
      ? 'a shared memory, which other threads could change'
      : code?.nondeterministic,
    state: exports.state,
    positions: positions.finish(codeOffset),
  };
}

function total(spaces: Declarations['memories']): number {
  return spaces.reduce((sum, { minimum }) => sum + Number(minimum), 0);
}

/** Names that no export of the module has, and no module that it imports from. */
class Names {
  private readonly taken: ReadonlySet<string>;
  private readonly prefix: string;

  constructor({ exports, importedModules }: Declarations) {
    this.taken = new Set([...exports.map(({ name }) => name), ...importedModules]);
    let prefix = 'touchstone:';
    while ([...this.taken].some((name) => name.startsWith(prefix))) prefix = `${prefix}:`;
    this.prefix = prefix;
  }

  of(name: string): string {
    return `${this.prefix}${name}`;
  }
}

/** Types of blocks that give several results and take nothing: appended where they are needed. */
class BlockTypes {
  readonly added: Uint8Array[] = [];
  private readonly first: number;
  private readonly known = new Map<string, number>();

  constructor({ types }: Declarations) {
    this.first = types.length;
  }

  of(results: readonly (readonly number[])[]): readonly number[] {
    const [only] = results;
    if (only === undefined) return [0x40];
    if (results.length === 1) return only;
    const key = results.join();
    const index = this.known.get(key) ?? this.first + this.added.length;
    if (!this.known.has(key)) {
      this.known.set(key, index);
      const entry = new ByteWriter(results.length + 8);
      entry.bytes([0x60, 0]);
      entry.unsigned(results.length);
      for (const result of results) entry.bytes(result);
      this.added.push(entry.take());
    }
    const encoded = new ByteWriter(8);
    encoded.signed(BigInt(index));
    return [...encoded.view()];
  }
}

interface FixedPlan {
  /** The memory's type (5.3.13). */
  readonly type: Uint8Array;
  readonly pages: number;
  readonly initial: bigint;
}

/** The one memory of a module, as large as it ever gets. */
function fixedMemory(
  { memories, importedMemories }: Declarations,
  pages: number | undefined,
): FixedPlan | undefined {
  if (pages === undefined) return undefined;
  const [memory] = memories;
  if (memory === undefined || memories.length !== 1 || importedMemories !== 0 || memory.shared) {
    throw new InputError(
      'usage',
      `a memory profile needs a module with one memory of its own; this one has ${memories.length}`,
    );
  }
  if (memory.address === 'i64') {
    throw new InputError('usage', 'a memory profile needs a memory with 32-bit addresses');
  }
  if (memory.minimum > BigInt(pages)) {
    throw new InputError(
      'usage',
      `the module needs ${memory.minimum} pages of 64 KiB from its start; the memory profile has ${pages}`,
    );
  }
  const most = memory.maximum === undefined ? pages : Math.min(pages, Number(memory.maximum));
  const type = new ByteWriter(16);
  type.byte(1);
  type.unsigned(most);
  type.unsigned(most);
  return { type: type.take(), pages: most, initial: memory.minimum };
}

function importEntry(module: string, name: string, memoryType: Uint8Array): Uint8Array {
  const out = new ByteWriter(64);
  for (const text of [module, name]) {
    const encoded = encodeUtf8(text);
    out.unsigned(encoded.length);
    out.bytes(encoded);
  }
  out.byte(KIND.memory);
  out.bytes(memoryType);
  return out.take();
}

function globalEntries(hidden: HiddenGlobals, memory: FixedPlan | undefined): Uint8Array[] {
  const zero = Uint8Array.of(I64, MUTABLE, 0x42, 0, END);
  const entries = [zero, Uint8Array.of(I32, MUTABLE, 0x41, 0, END), zero, zero];
  if (hidden.fixedPages !== undefined && memory !== undefined) {
    const entry = new ByteWriter(16);
    entry.bytes([I32, MUTABLE, 0x41]);
    entry.signed(memory.initial);
    entry.byte(END);
    entries.push(entry.take());
  }
  return entries;
}

function hiddenExports(
  declarations: Declarations,
  hidden: HiddenGlobals,
  names: Names,
  withState: boolean,
): { readonly entries: Uint8Array[]; readonly state: StateExports } {
  const entries: Uint8Array[] = [];
  const add = (name: string, kind: number, index: number) => {
    const encoded = encodeUtf8(names.of(name));
    const entry = new ByteWriter(encoded.length + 8);
    entry.unsigned(encoded.length);
    entry.bytes(encoded);
    entry.byte(kind);
    entry.unsigned(index);
    entries.push(entry.take());
    return names.of(name);
  };
  add('fuel', KIND.global, hidden.fuel);
  add('stack', KIND.global, hidden.stack);
  add('pages', KIND.global, hidden.pagesLeft);
  add('elements', KIND.global, hidden.elementsLeft);
  if (hidden.fixedPages !== undefined) add('fixed-pages', KIND.global, hidden.fixedPages);
  if (declarations.start !== undefined) add('start', KIND.function, declarations.start);
  if (!withState) return { entries, state: { globals: [], tables: [], memories: [] } };
  const globals = declarations.globals.flatMap(({ type, mutable }, index) =>
    mutable && type[0] !== V128 ? [{ name: add(`global-${index}`, KIND.global, index), type }] : [],
  );
  const tables = declarations.tables.map((_, index) => add(`table-${index}`, KIND.table, index));
  const memories = declarations.memories.map((_, i) => add(`memory-${i}`, KIND.memory, i));
  return { entries, state: { globals, tables, memories } };
}

/** The contents of a section with more entries behind its own, or of a new one. */
function append(
  bytes: Uint8Array,
  { sections }: Declarations,
  id: number,
  entries: readonly Uint8Array[],
): Uint8Array {
  const section = sections.find((each) => each.id === id);
  const cursor = section && new Cursor(bytes, section.offset, section.offset + section.size);
  const count = cursor?.u32() ?? 0;
  const out = new ByteWriter((section?.size ?? 0) + 64 * entries.length);
  out.unsigned(count + entries.length);
  if (cursor !== undefined) out.copy(bytes, cursor.position, cursor.limit);
  for (const entry of entries) out.bytes(entry);
  return out.take();
}

/** In place of a section that is left out. */
const NO_SECTION = new Uint8Array(0);

const PREAMBLE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** The sections in order, those that were replaced or made instead of the module's own. */
function assemble(
  bytes: Uint8Array,
  sections: readonly SectionEntry[],
  replaced: ReadonlyMap<number, Uint8Array>,
): { readonly module: Uint8Array<ArrayBuffer>; readonly codeOffset: number } {
  const out = new ByteWriter(bytes.length * 2);
  let codeOffset = 0;
  out.bytes(PREAMBLE);
  const write = (id: number, contents: Uint8Array) => {
    out.byte(id);
    out.unsigned(contents.length);
    if (id === SECTION.code) codeOffset = out.length;
    out.bytes(contents);
  };
  for (const id of ORDER) {
    const own = sections.find((section) => section.id === id);
    const contents = replaced.get(id) ?? (own && contentsOf(bytes, own));
    if (contents !== undefined && contents !== NO_SECTION) write(id, contents);
  }
  const names = sections.find(({ id, name }) => id === SECTION.custom && name === 'name');
  if (names !== undefined) write(SECTION.custom, contentsOf(bytes, names));
  return { module: out.take(), codeOffset };
}

function contentsOf(bytes: Uint8Array, { offset, size }: SectionEntry): Uint8Array {
  return bytes.subarray(offset, offset + size);
}
