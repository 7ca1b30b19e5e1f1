import wabtFactory from 'wabt';
import type { ImportEntry } from '../../../../engine/module/types.ts';
import { readLayout } from '../../../../engine/module/walker.ts';
import type { SourceEdit } from '../../../../engine/source/types.ts';

const wabt = await wabtFactory();

const FEATURES = {
  annotations: true,
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
};

/** Assembles a text, in UTF-8, with every feature the assembler knows. It is not validated. */
export function assembleText(text: string): Uint8Array {
  const module = wabt.parseWat('test.wat', new TextEncoder().encode(text), FEATURES);
  try {
    module.resolveNames();
    return module.toBinary({ write_debug_names: true }).buffer;
  } finally {
    module.destroy();
  }
}

/** The imports of the module that a text assembles to. */
export function assembledImports(text: string): readonly ImportEntry[] {
  return readLayout(assembleText(text)).imports;
}

/** A text after edits that do not overlap. */
export function edited(text: string, edits: readonly SourceEdit[]): string {
  return [...edits]
    .sort((a, b) => b.range.offset - a.range.offset)
    .reduce(
      (before, { range, text: put }) =>
        before.slice(0, range.offset) + put + before.slice(range.offset + range.length),
      text,
    );
}

/** A text with one `|`, which is taken out: where it stood. */
export function atCaret(marked: string): { readonly text: string; readonly offset: number } {
  const offset = marked.indexOf('|');
  return { text: marked.slice(0, offset) + marked.slice(offset + 1), offset };
}
