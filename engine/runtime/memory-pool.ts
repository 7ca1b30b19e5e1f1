// Memories of a fixed size are used again: making one, and touching its pages for the first time,
// takes longer than a small executor runs. A memory is zeroed before anyone else gets it.

/** Most pages of 64 KiB that are kept for later runs: 64 MiB. */
const MAX_KEPT_PAGES = 1_024;

const kept = new Map<number, WebAssembly.Memory[]>();
let keptPages = 0;

/**
 * A zeroed memory of exactly so many pages of 64 KiB, for one run.
 * @throws {RangeError} when this machine cannot provide it.
 */
export function borrowMemory(pages: number): WebAssembly.Memory {
  const memory = kept.get(pages)?.pop();
  if (memory === undefined) return new WebAssembly.Memory({ initial: pages, maximum: pages });
  keptPages -= pages;
  return memory;
}

/** Takes back a memory that was borrowed, when nothing that ran on it can run any more. */
export function giveMemoryBack(memory: WebAssembly.Memory, pages: number): void {
  if (keptPages + pages > MAX_KEPT_PAGES) return;
  new Uint8Array(memory.buffer).fill(0);
  const same = kept.get(pages) ?? [];
  kept.set(pages, same);
  same.push(memory);
  keptPages += pages;
}
