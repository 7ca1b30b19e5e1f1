import { type HostStop, hostTrap } from './stop.ts';

/** Bytes in a page of a WebAssembly memory (core specification 4.2.8). */
export const PAGE_BYTES = 65_536;

/**
 * The guest's memory as host functions see it: every access is checked against the size that the
 * memory has at that moment, because the guest may have grown it since the last one.
 */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory;

  /** @throws {HostStop} `shared-memory`: another thread could change what the host has checked. */
  constructor(memory: WebAssembly.Memory) {
    if (!(memory.buffer instanceof ArrayBuffer)) {
      throw hostTrap('shared-memory', 'the exported memory is shared between threads');
    }
    this.#memory = memory;
  }

  /**
   * A view of `length` bytes at `pointer`, both taken as unsigned. It does not outlive the host
   * call: copy what is kept.
   * @throws {HostStop} `host-bad-pointer`, naming `caller`, the pointer and the length.
   */
  view(caller: string, pointer: number, length: number): Uint8Array {
    const { buffer } = this.#memory;
    const start = pointer >>> 0;
    const size = length >>> 0;
    if (start + size > buffer.byteLength) throw badPointer(caller, start, size, buffer.byteLength);
    return new Uint8Array(buffer, start, size);
  }

  /** Copies `bytes` to `pointer`. Errors as {@link GuestMemory.view}. */
  write(caller: string, pointer: number, bytes: Uint8Array): void {
    this.view(caller, pointer, bytes.length).set(bytes);
  }
}

function badPointer(caller: string, pointer: number, length: number, size: number): HostStop {
  return hostTrap(
    'host-bad-pointer',
    `${caller} was given pointer ${pointer} and length ${length}; the memory has ${size} bytes`,
  );
}
