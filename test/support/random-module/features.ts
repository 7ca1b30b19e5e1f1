import { PREAMBLE, WasmWriter } from '../wasm-writer.ts';

/** What this V8 takes beyond WebAssembly 2.0 and tail calls, which every supported one has. */
export interface Features {
  readonly legacyExceptions: boolean;
  readonly exnref: boolean;
  /** Typed function references, and structs and arrays. */
  readonly gc: boolean;
  readonly multiMemory: boolean;
  readonly memory64: boolean;
  readonly extendedConst: boolean;
  readonly relaxedSimd: boolean;
}

function bodyOf(...code: readonly number[]): readonly number[] {
  const body = new WasmWriter().u32(0).raw(code).byte(0x0b);
  const sized = new WasmWriter().sized(body);
  const module = new WasmWriter()
    .section(1, 1, new WasmWriter().raw([0x60, 0, 0]))
    .section(3, 1, new WasmWriter().u32(0))
    .section(10, 1, sized);
  return [...module.bytes()];
}

const VECTOR = [0xfd, 12, ...new Array<number>(16).fill(0)];

/** The smallest module that needs each feature. */
const PROBES: Readonly<Record<keyof Features, readonly number[]>> = {
  legacyExceptions: bodyOf(0x06, 0x40, 0x19, 0x0b),
  exnref: bodyOf(0x1f, 0x40, 0, 0x0b),
  gc: [1, 5, 1, 0x5f, 1, 0x7f, 0],
  multiMemory: [5, 5, 2, 0, 1, 0, 1],
  memory64: [5, 3, 1, 4, 1],
  extendedConst: [6, 9, 1, 0x7f, 0, 0x41, 1, 0x41, 1, 0x6a, 0x0b],
  relaxedSimd: bodyOf(...VECTOR, ...VECTOR, 0xfd, 0x80, 2, 0x1a),
};

function has(feature: keyof Features): boolean {
  return WebAssembly.validate(Uint8Array.from([...PREAMBLE, ...PROBES[feature]]));
}

export const FEATURES: Features = {
  legacyExceptions: has('legacyExceptions'),
  exnref: has('exnref'),
  // The GC probe passes on early versions too, whose opcodes are not those of the standard.
  gc: has('gc') && has('multiMemory'),
  multiMemory: has('multiMemory'),
  memory64: has('memory64') && has('multiMemory'),
  extendedConst: has('extendedConst'),
  relaxedSimd: has('relaxedSimd'),
};
