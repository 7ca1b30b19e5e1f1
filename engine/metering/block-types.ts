import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';
import { EMPTY_BLOCK } from './value-types.ts';

const FUNCTION_TYPE = 0x60;

/** Types of blocks that give several results and take nothing: appended where they are needed. */
export class BlockTypes {
  /** Entries for the type section, behind the module's own. */
  readonly added: Uint8Array[] = [];
  private readonly first: number;
  private readonly known = new Map<string, number>();

  constructor({ types }: Declarations) {
    this.first = types.length;
  }

  /** The encoded type of a block that gives these results. */
  of(results: readonly (readonly number[])[]): readonly number[] {
    const [only] = results;
    if (only === undefined) return [EMPTY_BLOCK];
    if (results.length === 1) return only;
    const key = results.join();
    const index = this.known.get(key) ?? this.first + this.added.length;
    if (!this.known.has(key)) {
      this.known.set(key, index);
      const entry = new ByteWriter(results.length + 8);
      entry.bytes([FUNCTION_TYPE, 0]);
      entry.unsigned(results.length);
      for (const result of results) entry.bytes(result);
      this.added.push(entry.take());
    }
    const encoded = new ByteWriter(8);
    encoded.signed(BigInt(index));
    return [...encoded.view()];
  }
}
