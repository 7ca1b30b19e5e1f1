import { InputError } from '../../../engine/encoding/input-error.ts';
import { compileMetered } from '../metered.ts';
import { PREAMBLE, WasmWriter } from '../wasm-writer.ts';
import { RELAXED, VECTOR_PREFIX } from './simple-instructions.ts';

/** A function that applies one vector instruction to its parameters. */
function applying(code: number, params: number): Uint8Array<ArrayBuffer> {
  const type = new WasmWriter()
    .byte(0x60)
    .u32(params)
    .raw(new Array(params).fill(0x7b))
    .raw([1, 0x7b]);
  const body = new WasmWriter().u32(0);
  for (let i = 0; i < params; i++) body.byte(0x20).u32(i);
  body
    .byte(VECTOR_PREFIX)
    .u32(code % 0x1000)
    .byte(0x0b);
  return new WasmWriter()
    .raw(PREAMBLE)
    .section(1, 1, type)
    .section(3, 1, new WasmWriter().u32(0))
    .section(10, 1, new WasmWriter().sized(body))
    .bytes();
}

/**
 * Relaxed vector instructions give what the machine gives, so that only this is asked of them: those
 * that this V8 takes are still valid when they are metered, or are refused in words.
 */
export function relaxedProblems(): string[] {
  return RELAXED.flatMap(({ code, params }) => {
    const bytes = applying(code, params.length);
    if (!WebAssembly.validate(bytes)) return [];
    try {
      compileMetered(bytes);
    } catch (error) {
      if (!(error instanceof InputError)) return [`relaxed ${code % 0x1000}: ${String(error)}`];
    }
    return [];
  });
}
