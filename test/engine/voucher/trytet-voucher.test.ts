import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { MAX_U64 } from '../../../engine/encoding/u64-json.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { memoryNonceStore } from '../../../engine/voucher/nonce-store.ts';
import {
  mintTrytetVoucher,
  parseTrytetVoucher,
  serializeTrytetVoucher,
  type TrytetVoucher,
} from '../../../engine/voucher/trytet-voucher.ts';
import {
  spendTrytetVoucher,
  TRYTET_CHECK_CODES,
  type TrytetCheckCode,
  type TrytetVoucherEnvironment,
  verifyTrytetVoucher,
} from '../../../engine/voucher/verify-trytet.ts';
import { flipBit } from '../../support/bytes.ts';
import { crypto, EXPIRY, issuer, stranger, trytetEnvironment } from './fixtures.ts';

/** Trytet's own signature over a voucher of a known key (REFERENCE 3). */
const VECTOR = {
  agent_id: '8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c',
  provider_id: 'local_daemon',
  fuel_limit: 10_000_000_000n,
  expiry_timestamp: 4_102_444_800n,
  nonce: '00000000-0000-4000-8000-000000000000',
  signature: [
    ...Buffer.from(
      '6c6f2f034acb913ff7775f966f420184e9f0d92417222bc7475b65a8cfdd0b37c5c2efd83d049e8a07c39241fb26f6dba859dafd1e194825d99d9985c5a6ad0e',
      'hex',
    ),
  ],
} satisfies TrytetVoucher;
const GRANT = {
  provider_id: VECTOR.provider_id,
  fuel_limit: VECTOR.fuel_limit,
  expiry_timestamp: VECTOR.expiry_timestamp,
};

for (const [name, each] of Object.entries({ node: crypto, noble: nobleCrypto })) {
  test(`the vector is minted, byte for byte, and passes every check (${name})`, async () => {
    const agent = signerFromSeed(each, new Uint8Array(32).fill(1));
    const minted = await mintTrytetVoucher(each, agent, { ...GRANT, nonce: VECTOR.nonce });
    assert.deepEqual(minted, VECTOR);
    const checks = await verifyTrytetVoucher(trytetEnvironment({ crypto: each }), VECTOR);
    assert.deepEqual(
      checks,
      TRYTET_CHECK_CODES.map((code) => ({ code, ok: true })),
    );
  });
}

test('a voucher is written as Trytet writes it, and read back', () => {
  const text = serializeTrytetVoucher(VECTOR);
  assert.equal(
    text,
    `{"agent_id":"${VECTOR.agent_id}","provider_id":"local_daemon","fuel_limit":10000000000,"expiry_timestamp":4102444800,"nonce":"${VECTOR.nonce}","signature":[${VECTOR.signature}]}`,
  );
  assert.deepEqual(parseTrytetVoucher(text, 'a voucher'), VECTOR);
  const spaced = JSON.stringify(JSON.parse(text), undefined, 2);
  assert.deepEqual(parseTrytetVoucher(spaced, 'a voucher'), VECTOR, 'in any layout of JSON');
});

test('numbers of 64 bits are signed, written and read exactly', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.bigInt({ min: 0n, max: MAX_U64 }),
      fc.bigInt({ min: 0n, max: MAX_U64 }),
      fc.string({ unit: 'grapheme' }),
      async (fuel_limit, expiry_timestamp, nonce) => {
        const grant = { provider_id: 'é"\\', fuel_limit, expiry_timestamp, nonce };
        const minted = await mintTrytetVoucher(crypto, issuer, grant);
        const read = parseTrytetVoucher(serializeTrytetVoucher(minted), 'a voucher');
        assert.deepEqual(read, minted);
        const place = trytetEnvironment({ provider: 'é"\\', now: () => 0 });
        assert.equal((await spendTrytetVoucher(place, read)).spent, true);
      },
    ),
    { numRuns: 100 },
  );
});

test('a nonce is a random UUID of version 4 unless it is given', async () => {
  const { nonce } = await mintTrytetVoucher(crypto, issuer, GRANT);
  assert.match(nonce, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.notEqual((await mintTrytetVoucher(crypto, issuer, GRANT)).nonce, nonce);
});

for (const changes of [
  { fuel_limit: -1n },
  { fuel_limit: 2n ** 64n },
  { expiry_timestamp: 2n ** 64n },
  { nonce: '\ud800' },
  { provider_id: '\udc00' },
]) {
  test(`nobody mints a voucher with ${Object.keys(changes)} out of bounds`, async () => {
    await assert.rejects(mintTrytetVoucher(crypto, issuer, { ...GRANT, ...changes }), {
      code: 'invalid-voucher',
    });
  });
}

const text = serializeTrytetVoucher(VECTOR);
for (const [name, document] of Object.entries({
  nothing: '',
  'a list': `[${text}]`,
  'a key twice': text.replace('{', '{"nonce":"1",'),
  'a field more': text.replace('{', '{"note":"",'),
  'a field less': text.replace('"provider_id":"local_daemon",', ''),
  'fuel that is negative': text.replace('10000000000', '-1'),
  'fuel as a fraction': text.replace('10000000000', '1.5'),
  'fuel that a double would round to a whole': text.replace('10000000000', '9007199254740991.4'),
  'fuel with an exponent': text.replace('10000000000', '1e10'),
  'fuel in quotes': text.replace('10000000000', '"10000000000"'),
  'fuel beyond 64 bits': text.replace('10000000000', '18446744073709551616'),
  'a lone surrogate': text.replace('local_daemon', '\\ud800'),
  'a byte of 256': text.replace('[108,', '[256,'),
  'a byte that is a fraction': text.replace('[108,', '[108.5,'),
  'a signature without end': text.replace('[108,', `[${'1,'.repeat(9_000)}`),
})) {
  test(`a document with ${name} is no Trytet voucher`, () => {
    assert.throws(() => parseTrytetVoucher(document, 'a voucher'), {
      code: /^invalid-(voucher|json)$/,
      message: /^a voucher/,
    });
  });
}

/** A voucher that is good but for the named fields. */
const changed = (changes: Partial<TrytetVoucher>) => ({ ...VECTOR, ...changes });
const used = async () => {
  const nonces = memoryNonceStore();
  assert.equal((await spendTrytetVoucher(trytetEnvironment({ nonces }), VECTOR)).spent, true);
  return nonces;
};

/** What makes each check fail; a later fault leaves those before it in place. */
const FAULTS: Readonly<
  Record<
    TrytetCheckCode,
    {
      readonly voucher?: Partial<TrytetVoucher>;
      readonly environment?: () => Promise<Partial<TrytetVoucherEnvironment>>;
    }
  >
> = {
  expiry: { environment: async () => ({ now: () => 4_102_444_801_000 }) },
  provider: { environment: async () => ({ provider: 'another' }) },
  'key-hex': { voucher: { agent_id: `${VECTOR.agent_id.slice(0, -1)}g` } },
  key: { voucher: { agent_id: VECTOR.agent_id.slice(2) } },
  'signature-format': { voucher: { signature: VECTOR.signature.slice(1) } },
  signature: { voucher: { signature: VECTOR.signature.toReversed() } },
  agent: { environment: async () => ({ agents: makeTrustStore([]) }) },
  nonce: { environment: async () => ({ nonces: await used() }) },
};

async function stopsAt(codes: readonly TrytetCheckCode[]): Promise<string | undefined> {
  let environment = trytetEnvironment();
  let voucher: TrytetVoucher = VECTOR;
  // The earliest fault of a field wins, for two cannot be in one place.
  for (const code of codes.toReversed()) {
    const fault = FAULTS[code];
    environment = { ...environment, ...(await fault.environment?.()) };
    voucher = { ...voucher, ...fault.voucher };
  }
  const checks = await verifyTrytetVoucher(environment, voucher);
  const spending = await spendTrytetVoucher(environment, voucher);
  assert.deepEqual(spending.checks, checks);
  return checks.find(({ ok }) => !ok)?.code;
}

for (const [i, code] of TRYTET_CHECK_CODES.entries()) {
  test(`${code} fails by itself, and before every later check`, async () => {
    assert.equal(await stopsAt([code]), code);
    assert.equal(await stopsAt(TRYTET_CHECK_CODES.slice(i)), code);
    for (const later of TRYTET_CHECK_CODES.slice(i + 1)) {
      assert.equal(await stopsAt([code, later]), code, later);
    }
  });
}

test('a voucher counts through the second of its expiry, as at Trytet', async () => {
  for (const [now, ok] of [
    [4_102_444_800_999, true],
    [4_102_444_801_000, false],
    [Number.NaN, false],
  ] as const) {
    const [first] = await verifyTrytetVoucher(trytetEnvironment({ now: () => now }), VECTOR);
    assert.equal(first?.ok, ok, String(now));
  }
});

test('every single-bit flip of what is signed, and of the signature, is refused', async () => {
  const place = trytetEnvironment({ agents: 'any-agent' });
  const flips: TrytetVoucher[] = [];
  const signature = Uint8Array.from(VECTOR.signature);
  for (let bit = 0; bit < 512; bit++) {
    flips.push(changed({ signature: [...flipBit(signature, bit)] }));
  }
  for (let bit = 0n; bit < 64n; bit++) {
    flips.push(changed({ fuel_limit: VECTOR.fuel_limit ^ (1n << bit) }));
    flips.push(changed({ expiry_timestamp: VECTOR.expiry_timestamp ^ (1n << bit) }));
  }
  for (const field of ['agent_id', 'provider_id', 'nonce'] as const) {
    const bytes = new TextEncoder().encode(VECTOR[field]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      flips.push(changed({ [field]: new TextDecoder().decode(flipBit(bytes, bit)) }));
    }
  }
  for (const flipped of flips) {
    assert.equal(
      (await spendTrytetVoucher(place, flipped)).spent,
      false,
      JSON.stringify(flipped.nonce),
    );
  }
  assert.equal((await spendTrytetVoucher(place, VECTOR)).spent, true, 'and none spent it');
});

test('an agent grants fuel where it is trusted, or where anybody is', async () => {
  const minted = await mintTrytetVoucher(crypto, stranger, GRANT);
  const failed = async (changes: Partial<TrytetVoucherEnvironment>) => {
    const spending = await spendTrytetVoucher(trytetEnvironment(changes), minted);
    return spending.spent ? undefined : spending.failed;
  };
  assert.equal(await failed({}), 'agent');
  assert.equal(await failed({ agents: 'any-agent' }), undefined);
  const revokedKeys = new Set([stranger.publicKey.keyId]);
  assert.equal(await failed({ agents: 'any-agent', revokedKeys }), 'agent');
});

test('nonces belong to an agent, however it spells its key', async () => {
  const nonces = memoryNonceStore();
  const place = trytetEnvironment({ nonces, agents: 'any-agent' });
  const nonce = VECTOR.nonce;
  const other = await mintTrytetVoucher(crypto, stranger, { ...GRANT, nonce });
  assert.equal((await spendTrytetVoucher(place, other)).spent, true);
  assert.equal(
    (await spendTrytetVoucher(place, VECTOR)).spent,
    true,
    'another agent, its own nonce',
  );
  const agent_id = VECTOR.agent_id.toUpperCase();
  const shouted = { ...VECTOR, agent_id };
  const message = `${agent_id}local_daemon`;
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(VECTOR.fuel_limit, 0);
  numbers.writeBigUInt64BE(VECTOR.expiry_timestamp, 8);
  const signed = await issuer.sign(
    Buffer.concat([Buffer.from(message), numbers, Buffer.from(nonce)]),
  );
  const spending = await spendTrytetVoucher(place, { ...shouted, signature: [...signed] });
  assert.equal(!spending.spent && spending.failed, 'nonce');
});

test('a voucher that never expires is remembered for good', async () => {
  const nonces = memoryNonceStore();
  const grant = { ...GRANT, expiry_timestamp: MAX_U64 };
  const minted = await mintTrytetVoucher(crypto, issuer, grant);
  assert.equal((await spendTrytetVoucher(trytetEnvironment({ nonces }), minted)).spent, true);
  await nonces.prune(EXPIRY * 1_000);
  assert.equal((await spendTrytetVoucher(trytetEnvironment({ nonces }), minted)).spent, false);
});
