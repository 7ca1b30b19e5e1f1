// What an executor keeps from one run to the next: its memory and its mutable globals, as one byte
// string. The same state has the same bytes everywhere, so that their hash names it.
//
// Layout, integers little endian: "tsstate1"; u32 pages of the memory; u32 pages that the guest sees;
// u32 number of globals; u32 number of runs; each global as its type (5.3.1) and u64 bits; each run as
// u32 first block and u32 number of blocks; then the blocks of the runs, 4,096 bytes each. A block is
// stored exactly when it holds anything but zeros, and runs are as long as they can be.

import { InputError } from '../encoding/input-error.ts';
import { PAGE_BYTES } from './guest-memory.ts';
import type { ProgramFacts } from './program.ts';
import { hostTrap, limitReached } from './stop.ts';

/** The largest state that is saved or restored, in bytes. */
export const MAX_STATE_BYTES = 268_435_456;

const MAGIC = new TextEncoder().encode('tsstate1');
const HEAD_BYTES = 24;
const GLOBAL_BYTES = 9;
const RUN_BYTES = 8;
const BLOCK_BYTES = 4_096;
const BLOCKS_A_PAGE = PAGE_BYTES / BLOCK_BYTES;
const MAX_PAGES = 65_536;

const TYPE = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c } as const;
const CANONICAL_NAN: ReadonlyMap<number, bigint> = new Map([
  [TYPE.f32, 0x7fc0_0000n],
  [TYPE.f64, 0x7ff8_0000_0000_0000n],
]);

/** A number as its type's byte and its bits. */
interface SavedGlobal {
  readonly type: number;
  readonly bits: bigint;
}

/** Blocks of memory that follow each other. */
interface Run {
  readonly first: number;
  readonly count: number;
}

/** A state that was read: its memory lies in the bytes it was read from. */
export interface GuestState {
  /** Pages of 64 KiB that the memory has. */
  readonly pages: number;
  /** Pages that the guest sees: fewer where a memory profile fixes the memory. */
  readonly size: number;
  readonly globals: readonly SavedGlobal[];
  readonly runs: readonly Run[];
  /** The stored blocks, one run after the other. */
  readonly blocks: Uint8Array;
}

/** Where a program's state lies in its exports. */
export type StatePlaces = Pick<ProgramFacts, 'state' | 'fixedMemory' | 'initialPages'>;

/**
 * Saves the state of an instance that no one is running. The bits of a NaN in a global cannot be had
 * from outside: it is saved as the canonical one of its type, here and everywhere.
 * @throws {HostStop} `memory-limit` with the code `state-limit` beyond {@link MAX_STATE_BYTES}.
 */
export function captureState(exports: WebAssembly.Exports, places: StatePlaces): Uint8Array {
  const memory = memoryOf(exports, places);
  const bytes = new Uint8Array(memory.buffer);
  const pages = bytes.length / PAGE_BYTES;
  const seen = seenPages(exports, places);
  const globals = places.state.globals.map(({ name, type }) =>
    saveGlobal(globalOf(exports, name), type[0] ?? 0),
  );
  const runs = findRuns(bytes);
  const stored = runs.reduce((sum, { count }) => sum + count, 0) * BLOCK_BYTES;
  const head = HEAD_BYTES + globals.length * GLOBAL_BYTES + runs.length * RUN_BYTES;
  if (head + stored > MAX_STATE_BYTES) {
    const message = `the executor leaves a state of ${head + stored} bytes; at most ${MAX_STATE_BYTES} are saved`;
    throw limitReached('memory-limit', message);
  }
  const out = new Uint8Array(head + stored);
  const view = new DataView(out.buffer);
  out.set(MAGIC);
  const counts = [pages, seen === undefined ? pages : Number(seen.value), globals.length];
  for (const [i, count] of [...counts, runs.length].entries()) {
    view.setUint32(MAGIC.length + 4 * i, count, true);
  }
  let at = HEAD_BYTES;
  for (const { type, bits } of globals) {
    view.setUint8(at, type);
    view.setBigUint64(at + 1, bits, true);
    at += GLOBAL_BYTES;
  }
  for (const { first, count } of runs) {
    view.setUint32(at, first, true);
    view.setUint32(at + 4, count, true);
    at += RUN_BYTES;
  }
  for (const { first, count } of runs) {
    out.set(bytes.subarray(first * BLOCK_BYTES, (first + count) * BLOCK_BYTES), at);
    at += count * BLOCK_BYTES;
  }
  return out;
}

/**
 * Reads a state: exactly the bytes that {@link captureState} makes of it. Nothing is allocated for
 * what is not there.
 * @throws {InputError} `invalid-snapshot`, saying what is wrong.
 */
export function readState(bytes: Uint8Array): GuestState {
  if (bytes.length > MAX_STATE_BYTES) throw invalid('it is too large');
  if (bytes.length < HEAD_BYTES) throw invalid('it is cut off');
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) throw invalid('it does not begin as one');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = (i: number) => view.getUint32(MAGIC.length + 4 * i, true);
  const [pages, size, globalCount, runCount] = [count(0), count(1), count(2), count(3)];
  if (pages > MAX_PAGES || size > pages) throw invalid('its sizes cannot be');
  const head = HEAD_BYTES + globalCount * GLOBAL_BYTES + runCount * RUN_BYTES;
  if (head > bytes.length) throw invalid('it is cut off');
  const globals = Array.from({ length: globalCount }, (_, i) => {
    const at = HEAD_BYTES + i * GLOBAL_BYTES;
    return readGlobal(view.getUint8(at), view.getBigUint64(at + 1, true));
  });
  const runs = readRuns(view, HEAD_BYTES + globalCount * GLOBAL_BYTES, runCount, pages);
  const blocks = bytes.subarray(head);
  const stored = runs.reduce((sum, run) => sum + run.count, 0) * BLOCK_BYTES;
  if (stored !== blocks.length) throw invalid(`it has ${blocks.length} bytes of ${stored}`);
  for (let at = 0; at < stored; at += BLOCK_BYTES) {
    if (isZero(blocks, at)) throw invalid('it stores zeros');
  }
  return { pages, size, globals, runs, blocks };
}

/**
 * Gives a new instance, of which nothing has run, the state of an earlier one of the same program.
 * @throws {HostStop} `state-mismatch` for a state of another program; `memory-limit` where this
 *   machine does not provide the memory.
 */
export function restoreState(
  exports: WebAssembly.Exports,
  places: StatePlaces,
  { pages, size, globals, runs, blocks }: GuestState,
): void {
  const memory = memoryOf(exports, places);
  const names = places.state.globals;
  if (!isOfTypes(globals, names)) throw mismatch('its globals are others');
  const seen = seenPages(exports, places);
  const missing = pages - memory.buffer.byteLength / PAGE_BYTES;
  if (missing < 0 || (seen !== undefined && missing !== 0)) throw mismatch('its memory is another');
  if (size < places.initialPages) throw mismatch('its memory is too small');
  if (seen === undefined && size !== pages) throw mismatch('its memory was fixed by a profile');
  if (missing > 0) memory.grow(missing);
  if (seen !== undefined) seen.value = size;
  const bytes = new Uint8Array(memory.buffer);
  bytes.fill(0);
  let at = 0;
  for (const { first, count } of runs) {
    bytes.set(blocks.subarray(at, at + count * BLOCK_BYTES), first * BLOCK_BYTES);
    at += count * BLOCK_BYTES;
  }
  for (const [i, { name }] of names.entries()) {
    const saved = globals[i];
    if (saved !== undefined) globalOf(exports, name).value = numberOf(saved);
  }
}

function isOfTypes(
  globals: readonly SavedGlobal[],
  names: StatePlaces['state']['globals'],
): boolean {
  return (
    globals.length === names.length && globals.every(({ type }, i) => type === names[i]?.type[0])
  );
}

function memoryOf(exports: WebAssembly.Exports, { state }: StatePlaces): WebAssembly.Memory {
  const memory = exports[state.memories[0] ?? ''];
  if (memory instanceof WebAssembly.Memory) return memory;
  throw hostTrap('missing-memory', 'the program exports no memory that could be saved');
}

/** The global that holds the pages which the guest sees of a fixed memory. */
function seenPages(exports: WebAssembly.Exports, { fixedMemory }: StatePlaces) {
  return fixedMemory && globalOf(exports, fixedMemory.handedOut);
}

function globalOf(exports: WebAssembly.Exports, name: string): WebAssembly.Global {
  const value = exports[name];
  if (value instanceof WebAssembly.Global) return value;
  throw hostTrap('state-mismatch', 'the program exports no global that could be saved');
}

const scratch = new DataView(new ArrayBuffer(8));

function saveGlobal({ value }: WebAssembly.Global, type: number): SavedGlobal {
  scratch.setBigUint64(0, 0n, true);
  if (type === TYPE.i32) scratch.setInt32(0, value, true);
  else if (type === TYPE.i64) scratch.setBigInt64(0, value, true);
  else if (Number.isNaN(value)) return { type, bits: CANONICAL_NAN.get(type) ?? 0n };
  else if (type === TYPE.f32) scratch.setFloat32(0, value, true);
  else scratch.setFloat64(0, value, true);
  return { type, bits: scratch.getBigUint64(0, true) };
}

function numberOf({ type, bits }: SavedGlobal): number | bigint {
  scratch.setBigUint64(0, bits, true);
  if (type === TYPE.i32) return scratch.getInt32(0, true);
  if (type === TYPE.i64) return scratch.getBigInt64(0, true);
  return type === TYPE.f32 ? scratch.getFloat32(0, true) : scratch.getFloat64(0, true);
}

function readGlobal(type: number, bits: bigint): SavedGlobal {
  if (type < TYPE.f64 || type > TYPE.i32) throw invalid('a global has no type of a number');
  const isNarrow = type === TYPE.i32 || type === TYPE.f32;
  if (isNarrow && bits >> 32n !== 0n) throw invalid('a global is too wide');
  const nan = CANONICAL_NAN.get(type);
  if (nan !== undefined && bits !== nan && Number.isNaN(numberOf({ type, bits }))) {
    throw invalid('a global is a NaN that is not the canonical one');
  }
  return { type, bits };
}

function readRuns(view: DataView, start: number, count: number, pages: number): Run[] {
  let end = -1;
  return Array.from({ length: count }, (_, i) => {
    const first = view.getUint32(start + i * RUN_BYTES, true);
    const blocks = view.getUint32(start + i * RUN_BYTES + 4, true);
    if (first <= end || blocks === 0) throw invalid('its runs are not in order');
    end = first + blocks;
    if (end > pages * BLOCKS_A_PAGE) throw invalid('a run lies outside the memory');
    return { first, count: blocks };
  });
}

function findRuns(memory: Uint8Array): Run[] {
  const runs: Run[] = [];
  const blocks = memory.length / BLOCK_BYTES;
  let first: number | undefined;
  for (let i = 0; i <= blocks; i++) {
    const isStored = i < blocks && !isZero(memory, i * BLOCK_BYTES);
    if (isStored) first ??= i;
    else if (first !== undefined) {
      runs.push({ first, count: i - first });
      first = undefined;
    }
  }
  return runs;
}

/** Whether the block at an offset holds zeros only. */
function isZero(bytes: Uint8Array, at: number): boolean {
  const end = at + BLOCK_BYTES;
  for (let i = at; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}

function mismatch(why: string) {
  return hostTrap('state-mismatch', `the state to begin with is not one of this program: ${why}`);
}

function invalid(problem: string): InputError {
  return new InputError('invalid-snapshot', `the state is not one of an executor: ${problem}`);
}
