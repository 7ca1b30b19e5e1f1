import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { plainBytes } from '../../../engine/encoding/bytes.ts';

describe('plainBytes', () => {
  test('is a view of the same memory where that is not shared', () => {
    const bytes = new Uint8Array([0, 1, 2, 3, 4]).subarray(1, 4);
    const plain = plainBytes(bytes);
    assert.deepEqual([...plain], [1, 2, 3]);
    assert.equal(plain.buffer, bytes.buffer);
    assert.equal(plainBytes(Buffer.from('abc')).constructor, Uint8Array);
  });

  test('is a copy of shared memory', () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    const plain = plainBytes(shared);
    shared[0] = 9;
    assert.deepEqual([...plain], [0, 0, 0]);
    assert.ok(plain.buffer instanceof ArrayBuffer);
  });

  test('believes nothing that an object says of itself', () => {
    const bytes = new Uint8Array([1, 2, 3]);
    Object.defineProperties(bytes, {
      length: { get: () => 1 },
      byteLength: { get: () => 1 },
      byteOffset: { get: () => 2 },
      buffer: { get: () => new ArrayBuffer(0) },
      constructor: { get: () => Array },
      slice: { value: () => new Uint8Array(0) },
      [Symbol.iterator]: { value: [][Symbol.iterator] },
    });
    assert.deepEqual([...plainBytes(bytes)], [1, 2, 3]);
  });

  test('takes nothing but a Uint8Array', () => {
    for (const other of [
      undefined,
      null,
      'abc',
      [1, 2],
      new ArrayBuffer(2),
      Object.create(Uint8Array.prototype),
      new Proxy(new Uint8Array(2), {}),
    ]) {
      assert.throws(() => plainBytes(other as Uint8Array), TypeError);
    }
  });
});
