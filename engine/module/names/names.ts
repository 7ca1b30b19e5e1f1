import { tryDecodeUtf8 } from '../../encoding/utf8.ts';
import { Cursor } from '../cursor.ts';
import { SECTION } from '../sections.ts';
import type { SectionEntry } from '../types.ts';

const FUNCTION_NAMES = 1;

/** Function names of the `name` section (core specification 7.4.1), decoded only when asked for. */
export class FunctionNames {
  private readonly bytes: Uint8Array;
  /** Where in `bytes` each function's name begins; its length beside it. Zero length is none. */
  private readonly starts: Uint32Array;
  private readonly lengths: Uint32Array;

  private constructor(bytes: Uint8Array, functionCount: number) {
    this.bytes = bytes;
    this.starts = new Uint32Array(functionCount);
    this.lengths = new Uint32Array(functionCount);
  }

  /**
   * Reads the first `name` section. Custom sections are not semantics (7.4): what is malformed is
   * ignored from there on, never an error.
   */
  static read(
    bytes: Uint8Array,
    sections: readonly SectionEntry[],
    functionCount: number,
  ): FunctionNames {
    const section = sections.find(({ id, name }) => id === SECTION.custom && name === 'name');
    // A copy of the section alone, so that a report does not keep the whole file in memory.
    const own = section && bytes.slice(section.offset, section.offset + section.size);
    const names = new FunctionNames(own ?? new Uint8Array(), functionCount);
    names.index();
    return names;
  }

  /** The name as the file has it, or `undefined` if there is none or it is not valid UTF-8. */
  get(functionIndex: number): string | undefined {
    const length = this.lengths[functionIndex] ?? 0;
    if (length === 0) return undefined;
    const start = this.starts[functionIndex] ?? 0;
    return tryDecodeUtf8(this.bytes.subarray(start, start + length));
  }

  private index(): void {
    const cursor = new Cursor(this.bytes, 0, this.bytes.length);
    cursor.skip(cursor.u32()); // the section's own name
    while (cursor.ok && cursor.position < cursor.limit) {
      const id = cursor.byte();
      const size = cursor.u32();
      const end = cursor.position + size;
      if (end > cursor.limit) return;
      if (id === FUNCTION_NAMES) this.indexFunctions(new Cursor(this.bytes, cursor.position, end));
      cursor.position = end;
    }
  }

  private indexFunctions(cursor: Cursor): void {
    for (let left = cursor.u32(); left > 0 && cursor.ok; left--) {
      const functionIndex = cursor.u32();
      const length = cursor.u32();
      const start = cursor.position;
      cursor.skip(length);
      if (!cursor.ok || functionIndex >= this.lengths.length) continue;
      if (this.lengths[functionIndex] !== 0) continue; // the first of two names counts
      this.starts[functionIndex] = start;
      this.lengths[functionIndex] = length;
    }
  }
}
