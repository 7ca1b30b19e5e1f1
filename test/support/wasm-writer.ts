/** Writes the parts that all modules are made of (core specification 5.1 - 5.5) into a growing buffer. */
export class WasmWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  byte(value: number): this {
    if (this.#length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = value;
    return this;
  }

  raw(bytes: ArrayLike<number>): this {
    if (this.#length + bytes.length > this.#bytes.length) this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** An unsigned LEB128 number of at most 32 bits (5.2.2). */
  u32(value: number): this {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    return this.byte(rest);
  }

  /** A signed LEB128 number of at most 32 bits. */
  s32(value: number): this {
    return this.s64(BigInt(value));
  }

  /** A signed LEB128 number of at most 64 bits. */
  s64(value: bigint): this {
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** An unsigned LEB128 number of at most 64 bits. */
  u64(value: bigint): this {
    let rest = value;
    while (rest >= 0x80n) {
      this.byte(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    return this.byte(Number(rest));
  }

  name(text: string): this {
    const encoded = new TextEncoder().encode(text);
    return this.u32(encoded.length).raw(encoded);
  }

  /** What another writer holds, behind its length in bytes. */
  sized(content: WasmWriter): this {
    return this.u32(content.length).raw(content.bytes());
  }

  /** A section (5.5.2), which is left out if it holds no entry. */
  section(id: number, count: number, content: WasmWriter): this {
    if (count === 0) return this;
    return this.byte(id).sized(new WasmWriter().u32(count).raw(content.bytes()));
  }

  /** What was written, as a view that lives until more is. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  #grow(by: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + by));
    larger.set(this.bytes());
    this.#bytes = larger;
  }
}

/** The eight bytes that every module begins with (5.5.1). */
export const PREAMBLE = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
