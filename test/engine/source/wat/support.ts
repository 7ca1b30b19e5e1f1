import type { ImportEntry } from '../../../../engine/module/types.ts';
import { readLayout } from '../../../../engine/module/walker.ts';
import type { SourceEdit } from '../../../../engine/source/types.ts';
import { assemble } from '../../../support/wat.ts';

/** The imports of the module that a text assembles to. */
export function assembledImports(text: string): readonly ImportEntry[] {
  return readLayout(assemble(text)).imports;
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
