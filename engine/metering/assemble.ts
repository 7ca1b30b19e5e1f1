import { encodeUtf8 } from '../encoding/utf8.ts';
import { Cursor } from '../module/cursor.ts';
import { SECTION } from '../module/sections.ts';
import type { SectionEntry } from '../module/types.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';

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

const PREAMBLE = Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00);

/** In place of a section that is left out. */
export const NO_SECTION = new Uint8Array(0);

/** The contents of a section with more entries behind its own, or of a new one. */
export function append(
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

/** A name (5.2.4): its size, and its bytes in UTF-8. */
export function writeName(out: ByteWriter, name: string): void {
  const encoded = encodeUtf8(name);
  out.unsigned(encoded.length);
  out.bytes(encoded);
}

/**
 * The sections in order, those that were replaced or made instead of the module's own. Of its custom
 * sections only `name` stays: the offsets in others would be wrong.
 * @param replaced contents by section id; {@link NO_SECTION} leaves the section out.
 * @returns the module, and where the contents of its code section begin.
 */
export function assemble(
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
