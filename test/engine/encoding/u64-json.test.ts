import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_U64, parseU64Json } from '../../../engine/encoding/u64-json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';

test('every integer of 64 bits is read exactly, wherever it stands', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_U64 }), (value) => {
      const found = parseU64Json(`{"a":[1,{"b":${value}}],"${value}":"${value}"}`, 'a document');
      const expected = value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
      assert.deepEqual(found, { a: [1, { b: expected }], [String(value)]: String(value) });
    }),
  );
  assert.equal(parseU64Json('18446744073709551615', 'a document'), 2n ** 64n - 1n);
  assert.equal(parseU64Json('9007199254740991', 'a document'), 2 ** 53 - 1);
  assert.equal(parseU64Json('9007199254740992', 'a document'), 2n ** 53n);
  assert.deepEqual(parseU64Json(encodeUtf8('{"__proto__":9007199254740993}'), 'a document'), {
    ['__proto__']: 2n ** 53n + 1n,
  });
});

for (const number of [
  '18446744073709551616',
  `1${'0'.repeat(100_000)}`,
  '-1',
  '-0',
  '1.0',
  '0.5',
  '1e3',
  '1E+2',
  '9007199254740991.4',
]) {
  test(`${number.slice(0, 30)} is refused, with its place`, () => {
    assert.throws(() => parseU64Json(`{"a":\n [0, ${number}]}`, 'a document'), {
      code: 'invalid-json',
      message: /^a document: .*(line 2 column 6$|beyond the range of a double$)/,
    });
  });
}

test('what canonical JSON refuses is refused here too', () => {
  for (const text of ['{"a":1,"a":1}', '{"a":"\\ud800"}', '', '{"a":1}x', '[01]', 'NaN']) {
    assert.throws(() => parseU64Json(text, 'a document'), { code: 'invalid-json' });
  }
  assert.throws(() => parseU64Json(Uint8Array.of(0xff), 'a document'), { code: 'invalid-utf8' });
});

test('what is no number stays as it is', () => {
  const value = { a: [null, true, 'text', {}, []], 'b.c': '1e3' };
  assert.deepEqual(parseU64Json(JSON.stringify(value), 'a document'), value);
});
