import { PREAMBLE, WasmWriter } from '../wasm-writer.ts';
import type { ScriptValue } from './script.ts';
import { SLOT, slotOf } from './values.ts';

interface Access {
  readonly type: number;
  readonly load: readonly number[];
  readonly store: readonly number[];
}

/** How values of each type are moved from and to memory, with an alignment of 1. */
const ACCESS: ReadonlyMap<string, Access> = new Map([
  ['i32', { type: 0x7f, load: [0x28, 0], store: [0x36, 0] }],
  ['i64', { type: 0x7e, load: [0x29, 0], store: [0x37, 0] }],
  ['f32', { type: 0x7d, load: [0x2a, 0], store: [0x38, 0] }],
  ['f64', { type: 0x7c, load: [0x2b, 0], store: [0x39, 0] }],
  ['v128', { type: 0x7b, load: [0xfd, 0x00, 0], store: [0xfd, 0x0b, 0] }],
]);

const RESULTS = 32 * 1024;
const compiled = new Map<string, WebAssembly.Module>();

/**
 * Calls an exported function with all bits of its arguments and results kept: through a module of our
 * own that loads the arguments from slots of its memory and stores the results to others. JavaScript
 * numbers would change a NaN, and cannot carry a vector at all.
 * @returns one slot a result.
 */
export function callBitwise(
  callee: WebAssembly.ExportValue,
  args: readonly ScriptValue[],
  results: readonly string[],
): Uint8Array[] {
  const params = args.map(({ type }) => type);
  const key = `${params.join()}>${results.join()}`;
  let module = compiled.get(key);
  if (module === undefined) {
    module = new WebAssembly.Module(bridge(params, results));
    compiled.set(key, module);
  }
  const { exports } = new WebAssembly.Instance(module, { f: { f: callee } });
  const { memory, run } = exports;
  if (!(memory instanceof WebAssembly.Memory) || typeof run !== 'function') throw new TypeError();
  const slots = new Uint8Array(memory.buffer);
  args.forEach((arg, i) => {
    slots.set(slotOf(arg), i * SLOT);
  });
  run();
  return results.map((_, i) => slots.slice(RESULTS + i * SLOT, RESULTS + (i + 1) * SLOT));
}

function accessOf(type: string): Access {
  const access = ACCESS.get(type);
  if (access === undefined) throw new TypeError(`a ${type} cannot lie in memory`);
  return access;
}

function bridge(params: readonly string[], results: readonly string[]): Uint8Array<ArrayBuffer> {
  const takes = params.map(accessOf);
  const gives = results.map(accessOf);
  const types = new WasmWriter().byte(0x60).u32(takes.length);
  for (const { type } of takes) types.byte(type);
  types.u32(gives.length);
  for (const { type } of gives) types.byte(type);
  types.raw([0x60, 0, 0]);
  const code = new WasmWriter().u32(gives.length);
  for (const { type } of gives) code.u32(1).byte(type);
  takes.forEach(({ load }, i) => {
    code
      .raw([0x41, 0])
      .raw(load)
      .u32(i * SLOT);
  });
  code.raw([0x10, 0]);
  for (let i = gives.length - 1; i >= 0; i--) code.byte(0x21).u32(i);
  gives.forEach(({ store }, i) => {
    code
      .raw([0x41, 0, 0x20])
      .u32(i)
      .raw(store)
      .u32(RESULTS + i * SLOT);
  });
  code.byte(0x0b);
  const exported = new WasmWriter().name('memory').raw([2, 0]).name('run').raw([0, 1]);
  return new WasmWriter()
    .raw(PREAMBLE)
    .section(1, 2, types)
    .section(2, 1, new WasmWriter().name('f').name('f').raw([0, 0]))
    .section(3, 1, new WasmWriter().u32(1))
    .section(5, 1, new WasmWriter().raw([0, 1]))
    .section(7, 2, exported)
    .section(10, 1, new WasmWriter().sized(code))
    .bytes();
}
