import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8, encodeUtf8, tryDecodeUtf8 } from '../../../engine/encoding/utf8.ts';

test('text is encoded as Node encodes it, and read back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat(120), (text, times) => {
      const long = text.repeat(times);
      const bytes = encodeUtf8(long);
      assert.deepEqual(Buffer.from(bytes), Buffer.from(long, 'utf8'));
      if (long.isWellFormed()) assert.equal(decodeUtf8(bytes, 'it'), long);
    }),
  );
});

test('short and long texts alike: their bytes are their own', () => {
  for (const length of [0, 1, 2_047, 2_048, 2_049, 100_000]) {
    for (const unit of ['a', 'é', '€']) {
      const first = encodeUtf8(unit.repeat(length));
      const before = first.slice();
      encodeUtf8('b'.repeat(length));
      assert.deepEqual(first, before);
      assert.equal(first.buffer.byteLength, first.length, `${length} of ${unit}`);
    }
  }
});

test('bytes that are not UTF-8 are no text', () => {
  for (const bytes of [
    [0xff],
    [0xc0, 0x80],
    [0xed, 0xa0, 0x80],
    [0xf5, 0x80, 0x80, 0x80],
    [0xe2],
  ]) {
    assert.equal(tryDecodeUtf8(Uint8Array.from(bytes)), undefined);
    assert.throws(() => decodeUtf8(Uint8Array.from(bytes), 'it'), { code: 'invalid-utf8' });
  }
});
