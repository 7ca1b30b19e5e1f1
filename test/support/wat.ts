import wabtFactory from 'wabt';

const wabt = await wabtFactory();

/** Assembles WebAssembly text, with every feature the assembler knows and debug names. It is not validated. */
export function assemble(text: string): Uint8Array {
  const features: Readonly<Record<string, boolean>> = {
    exceptions: true,
    mutable_globals: true,
    sat_float_to_int: true,
    sign_extension: true,
    simd: true,
    threads: true,
    function_references: true,
    multi_value: true,
    tail_call: true,
    bulk_memory: true,
    reference_types: true,
    extended_const: true,
    relaxed_simd: true,
    memory64: true,
    multi_memory: true,
    annotations: true,
  };
  const module = wabt.parseWat('test.wat', new TextEncoder().encode(text), features);
  try {
    module.resolveNames();
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}
