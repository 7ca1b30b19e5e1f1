import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSha256 } from '../../../engine/crypto/crypto.ts';

const DIGEST = '0123456789abcdef'.repeat(4);

test('a digest is 64 lower-case hex digits', () => {
  assert.ok(isSha256(DIGEST));
  for (const other of [
    '',
    DIGEST.slice(1),
    `${DIGEST}0`,
    DIGEST.toUpperCase(),
    64,
    null,
    [DIGEST],
  ]) {
    assert.ok(!isSha256(other), String(other));
  }
});

test('with any other character, at any place, it is none', () => {
  for (let code = 0; code <= 0xffff; code++) {
    const place = code % 64;
    const text = DIGEST.slice(0, place) + String.fromCharCode(code) + DIGEST.slice(place + 1);
    assert.equal(isSha256(text), /^[0-9a-f]{64}$/.test(text), `U+${code.toString(16)}`);
  }
});
