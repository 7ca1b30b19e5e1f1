/** Grows as it is written to; numbers are LEB128 (core specification 5.2.2). */
export class ByteWriter {
  private buffer: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.buffer = new Uint8Array(Math.max(capacity, 64));
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = value;
  }

  /** An unsigned number below 2^53. */
  unsigned(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.byte((rest % 0x80) | 0x80);
      rest = Math.floor(rest / 0x80);
    }
    this.byte(rest);
  }

  /** A signed number of 64 bits. */
  signed(value: bigint): void {
    let rest = value;
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  bytes(values: Uint8Array | readonly number[]): void {
    if (this.length + values.length > this.buffer.length) this.grow(values.length);
    this.buffer.set(values, this.length);
    this.length += values.length;
  }

  /** The bytes of `source` from `start` to `end`. */
  copy(source: Uint8Array, start: number, end: number): void {
    const size = end - start;
    if (this.length + size > this.buffer.length) this.grow(size);
    if (size < 32)
      for (let i = 0; i < size; i++) this.buffer[this.length + i] = source[start + i] ?? 0;
    else this.buffer.set(source.subarray(start, end), this.length);
    this.length += size;
  }

  clear(): void {
    this.length = 0;
  }

  /** A view of what was written, until more is. */
  view(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  /** A copy of what was written, with a buffer of its own. */
  take(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  private grow(size: number): void {
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + size));
    grown.set(this.view());
    this.buffer = grown;
  }
}
