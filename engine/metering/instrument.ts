import { SECTION } from '../module/sections.ts';
import { append, assemble, NO_SECTION } from './assemble.ts';
import { BlockTypes } from './block-types.ts';
import { rewriteCode } from './code-section.ts';
import { type Declarations, readDeclarations } from './declarations.ts';
import { type FixedMemory, memoryImport, planFixedMemory } from './fixed-memory.ts';
import { hiddenExports, Names, type StateExports } from './hidden-exports.ts';
import { globalEntries, hiddenGlobals } from './hidden-globals.ts';
import type { MeterNames } from './meter.ts';
import { PositionRecorder, type Positions } from './positions.ts';

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
  const memory = planFixedMemory(declarations, options.fixedPages);
  const names = new Names(declarations);
  const hidden = hiddenGlobals(declarations, memory);
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
    [SECTION.global, append(bytes, declarations, SECTION.global, globalEntries(memory))],
    [SECTION.export, append(bytes, declarations, SECTION.export, exports.entries)],
  ]);
  if (code !== undefined) replaced.set(SECTION.code, code.section);
  if (types.added.length > 0) {
    replaced.set(SECTION.type, append(bytes, declarations, SECTION.type, types.added));
  }
  if (memory !== undefined) {
    const entry = memoryImport(names.of('host'), 'memory', memory.type);
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
