import { setFlagsFromString } from 'node:v8';
import type { CompiledMetered } from '../metered.ts';
import { WasmWriter } from '../wasm-writer.ts';

/**
 * The same module, compiled by V8's optimising compiler from the start, where other modules begin in
 * its baseline compiler. A custom section makes it another module to V8, which would otherwise hand
 * out the code it has.
 */
export function inOptimisingTier({ metered }: CompiledMetered): CompiledMetered {
  const mark = new WasmWriter().byte(0).sized(new WasmWriter().name('optimised'));
  const bytes = new WasmWriter().raw(metered.bytes).raw(mark.bytes()).bytes();
  setFlagsFromString('--no-liftoff');
  setFlagsFromString('--no-wasm-lazy-compilation');
  try {
    return { metered, module: new WebAssembly.Module(bytes) };
  } finally {
    setFlagsFromString('--wasm-lazy-compilation');
    setFlagsFromString('--liftoff');
  }
}
