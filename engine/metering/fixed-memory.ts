import { InputError } from '../encoding/input-error.ts';
import { writeName } from './assemble.ts';
import { ByteWriter } from './byte-writer.ts';
import type { Declarations } from './declarations.ts';
import { KIND } from './section-entries.ts';

/** A memory of a fixed size, zeroed, which the module imports in place of its own. */
export interface FixedMemory {
  readonly module: string;
  readonly name: string;
  /** Pages of 64 KiB that it has, at least and at most. */
  readonly pages: number;
  /** Export name of the pages that the guest has been handed out of them. */
  readonly handedOut: string;
}

/** How a module's own memory is replaced by an imported one that never grows. */
export interface FixedPlan {
  /** The memory's type (5.3.13). */
  readonly type: Uint8Array;
  /** Pages that it has. */
  readonly pages: number;
  /** Pages of them that the guest begins with. */
  readonly initial: bigint;
}

/**
 * The one memory of a module, as large as it ever gets.
 * @param pages of 64 KiB that it may have at most; `undefined` where memories are left as they are.
 * @throws {InputError} `usage` where the module's memory is not one that can be fixed at that.
 */
export function planFixedMemory(
  { memories, importedMemories }: Declarations,
  pages: number | undefined,
): FixedPlan | undefined {
  if (pages === undefined) return undefined;
  const [memory] = memories;
  if (memory === undefined || memories.length !== 1 || importedMemories !== 0 || memory.shared) {
    throw new InputError(
      'usage',
      `a memory profile needs a module with one memory of its own; this one has ${memories.length}`,
    );
  }
  if (memory.address === 'i64') {
    throw new InputError('usage', 'a memory profile needs a memory with 32-bit addresses');
  }
  if (memory.minimum > BigInt(pages)) {
    throw new InputError(
      'usage',
      `the module needs ${memory.minimum} pages of 64 KiB from its start; the memory profile has ${pages}`,
    );
  }
  const most = memory.maximum === undefined ? pages : Math.min(pages, Number(memory.maximum));
  const type = new ByteWriter(16);
  type.byte(1);
  type.unsigned(most);
  type.unsigned(most);
  return { type: type.take(), pages: most, initial: memory.minimum };
}

/** An entry of the import section (5.5.5) for a memory. */
export function memoryImport(module: string, name: string, type: Uint8Array): Uint8Array {
  const entry = new ByteWriter(64);
  writeName(entry, module);
  writeName(entry, name);
  entry.byte(KIND.memory);
  entry.bytes(type);
  return entry.take();
}
