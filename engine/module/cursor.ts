import { InputError } from '../encoding/input-error.ts';

/**
 * Reads LEB128 numbers (core specification 5.2.2) from bytes that are known to be well-formed, or,
 * where they are not, never past their end: `ok` turns false and numbers read 0.
 */
export class Cursor {
  readonly bytes: Uint8Array;
  readonly limit: number;
  position: number;
  ok = true;

  constructor(bytes: Uint8Array, position: number, limit: number) {
    this.bytes = bytes;
    this.position = position;
    this.limit = limit;
  }

  byte(): number {
    if (this.position >= this.limit) {
      this.ok = false;
      return 0;
    }
    return this.bytes[this.position++] ?? 0;
  }

  /** An unsigned number of at most 32 bits. */
  u32(): number {
    const first = this.byte();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    for (let shift = 7; shift < 35; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    this.ok = false;
    return 0;
  }

  /** An unsigned number of at most 64 bits. */
  u64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    this.ok = false;
    return 0n;
  }

  /** A LEB128 number of any kind, stepped over. */
  skipNumber(): void {
    const { bytes, limit } = this;
    let { position } = this;
    while (position < limit && (bytes[position] ?? 0) >= 0x80) position++;
    if (position >= limit) this.ok = false;
    this.position = position + 1;
  }

  skip(size: number): void {
    if (size > this.limit - this.position) this.ok = false;
    this.position = Math.min(this.position + size, this.limit);
  }

  /**
   * @throws {InputError} `invalid-module` if anything was cut off; V8 has accepted the bytes before
   *   they get here, so this speaks of an encoding that the engine does not know.
   */
  expectOk(what: string): void {
    if (this.ok) return;
    throw new InputError(
      'invalid-module',
      `${what} has a form that this version cannot read, near byte ${this.position}`,
      { offset: this.position },
    );
  }
}
