import assert from 'node:assert/strict';
import { createPublicKey, verify as nodeVerify } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { KeyId, Sha256 } from '../../../engine/crypto/crypto.ts';
import { publicKeyPem } from '../../../engine/crypto/keys.ts';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { canonicalJson } from '../../../engine/encoding/json.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import {
  type FuelVoucher,
  MAX_VOUCHER_BYTES,
  mintVoucher,
  parseVoucher,
  serializeVoucher,
} from '../../../engine/voucher/voucher.ts';
import { crypto, EXPIRY, issuer, mint, stranger, USE } from './fixtures.ts';

const voucher = await mint();
const parse = (value: unknown) =>
  parseVoucher(encodeUtf8(typeof value === 'string' ? value : canonicalJson(value)), 'a voucher');

test('a voucher is what DESIGN 7 says, signed over its tag and its canonical form', () => {
  const { signature, nonce, ...rest } = voucher;
  assert.deepEqual(rest, {
    format: 'voucher/1',
    ...USE,
    fuel: 1_000,
    expiry: EXPIRY,
    issuer: issuer.publicKey.keyId,
  });
  // Written out by hand, and verified by nobody of ours.
  const message = `touchstone/voucher/1\n{"artifactHash":"${USE.artifactHash}","environment":"${USE.environment}","expiry":${EXPIRY},"format":"voucher/1","fuel":1000,"issuer":"${issuer.publicKey.keyId}","nonce":"${nonce}"}`;
  const key = createPublicKey(publicKeyPem(issuer.publicKey));
  assert.ok(nodeVerify(null, Buffer.from(message), key, Buffer.from(signature, 'base64')));
});

test('what is minted is read back, in one spelling, of a few hundred bytes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 ** 53 - 1 }),
      fc.integer({ min: 1, max: 253_402_300_799 }),
      fc.uint8Array({ minLength: 32, maxLength: 32 }),
      async (fuel, expiry, bytes) => {
        const artifactHash = crypto.sha256(bytes);
        const minted = await mint({ fuel, expiry, artifactHash });
        const file = serializeVoucher(minted);
        assert.deepEqual(parseVoucher(file, 'a voucher'), minted);
        assert.ok(file.length < 512 && MAX_VOUCHER_BYTES >= 512);
      },
    ),
    { numRuns: 50 },
  );
});

test('the bytes of a voucher are its canonical form', () => {
  const bytes = serializeVoucher(voucher);
  const keys = Object.keys(JSON.parse(Buffer.from(bytes).toString()));
  assert.deepEqual(keys, keys.toSorted());
  assert.doesNotMatch(Buffer.from(bytes).toString(), /\s/);
});

test('every nonce is new, and of 128 bits from the random source', async () => {
  const nonces = await Promise.all(Array.from({ length: 100 }, async () => (await mint()).nonce));
  assert.equal(new Set(nonces).size, 100);
  const asked: number[] = [];
  const counting = {
    ...crypto,
    randomBytes: (length: number) => {
      asked.push(length);
      return new Uint8Array(length).fill(0xab);
    },
  };
  const { nonce } = await mintVoucher(counting, issuer, { ...USE, fuel: 1, expiry: EXPIRY });
  assert.deepEqual([asked, nonce], [[16], 'ab'.repeat(16)]);
});

for (const [name, changes, problem] of [
  ['no fuel', { fuel: 0 }, /fuel/],
  ['more fuel than 2^53 − 1', { fuel: 2 ** 53 }, /fuel/],
  ['half a unit', { fuel: 0.5 }, /fuel/],
  ['fuel that is no number', { fuel: Number.NaN }, /fuel/],
  ['an expiry in milliseconds', { expiry: EXPIRY * 1000 }, /expiry/],
  ['an expiry between seconds', { expiry: EXPIRY + 0.5 }, /expiry/],
  ['no module', { artifactHash: '' as Sha256 }, /artifactHash/],
  ['an environment in upper case', { environment: 'A'.repeat(64) as KeyId }, /environment/],
] as const) {
  test(`nobody mints a voucher with ${name}`, async () => {
    await assert.rejects(mint(changes), { code: 'invalid-voucher', message: problem });
  });
}

test('a signer that signs wrongly mints nothing', async () => {
  const wrong = { publicKey: issuer.publicKey, sign: () => new Uint8Array(64) };
  const grant = { ...USE, fuel: 1, expiry: EXPIRY };
  await assert.rejects(mintVoucher(crypto, wrong, grant), { code: 'invalid-key' });
  const other = { publicKey: issuer.publicKey, sign: stranger.sign };
  await assert.rejects(mintVoucher(nobleCrypto, other, grant), { code: 'invalid-key' });
});

const text = canonicalJson(voucher);
const with_ = (changes: object) => ({ ...voucher, ...changes });
const without = (field: keyof FuelVoucher) => {
  const { [field]: _, ...rest } = voucher;
  return rest;
};

for (const [name, value] of Object.entries<unknown>({
  'nothing at all': '',
  'no JSON': '{',
  'a list': [voucher],
  'another format': with_({ format: 'voucher/2' }),
  'a key twice': text.replace('"fuel":1000', '"fuel":1000,"fuel":1000'),
  'a field more': with_({ note: '' }),
  'a hidden field more': text.replace('{', '{"__proto__":{},'),
  'a blank': text.replace(',', ', '),
  'a newline at its end': `${text}\n`,
  'a byte order mark': `\u{feff}${text}`,
  'another order of fields': JSON.stringify({ ...voucher }),
  'fuel as a fraction': text.replace('"fuel":1000', '"fuel":1000.0'),
  'fuel with an exponent': text.replace('"fuel":1000', '"fuel":1e3'),
  'fuel in quotes': with_({ fuel: '1000' }),
  'fuel beyond a double': text.replace('"fuel":1000', `"fuel":1${'0'.repeat(400)}`),
  'too much fuel': with_({ fuel: 2 ** 53 }),
  'a short nonce': with_({ nonce: 'ab' }),
  'a nonce in upper case': with_({ nonce: 'AB'.repeat(16) }),
  'a lone surrogate': text.replace(voucher.nonce, '\\ud800'),
  'a signature of 63 bytes': with_({ signature: Buffer.alloc(63).toString('base64') }),
  'a signature without padding': with_({ signature: voucher.signature.slice(0, -1) }),
  'a signature in URL base64': with_({ signature: `${'_'.repeat(85)}w==` }),
  'a signature with stray bits': with_({ signature: `${'A'.repeat(85)}B==` }),
  'deep nesting': '['.repeat(500),
  'more bytes than any voucher': with_({ note: 'x'.repeat(2_000) }),
})) {
  test(`a file with ${name} is no voucher`, () => {
    assert.throws(() => parse(value), { code: /^invalid-(voucher|json)$/, message: /^a voucher/ });
  });
}

for (const field of Object.keys(voucher) as (keyof FuelVoucher)[]) {
  test(`a voucher without "${field}" is none`, () => {
    assert.throws(() => parse(without(field)), { code: 'invalid-voucher', message: RegExp(field) });
  });
}

test('a file that is not UTF-8 is no voucher', () => {
  const bytes = serializeVoucher(voucher).slice();
  bytes[20] = 0xff;
  assert.throws(() => parseVoucher(bytes, 'a voucher'), { code: 'invalid-utf8' });
});
