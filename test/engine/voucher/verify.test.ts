import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import type { NonceStore } from '../../../engine/voucher/nonce-store.ts';
import { spendVoucher } from '../../../engine/voucher/spend.ts';
import {
  VOUCHER_CHECK_CODES,
  type VoucherCheckCode,
  type VoucherEnvironment,
  verifyVoucher,
} from '../../../engine/voucher/verify.ts';
import { parseVoucher, serializeVoucher } from '../../../engine/voucher/voucher.ts';
import { flipBit } from '../../support/bytes.ts';
import { EXPIRY, issuer, mint, NOW, OTHER, stranger, USE, voucherEnvironment } from './fixtures.ts';

const voucher = await mint();

/** A memory in which everything was spent. */
const spentStore: NonceStore = {
  spend: async () => 'spent',
  isSpent: async () => true,
  prune: async () => 0,
};

/** How each check is made to fail by what is around the voucher, not by the voucher. */
const FAULTS: Readonly<
  Record<
    Exclude<VoucherCheckCode, 'signature'>,
    { readonly environment?: Partial<VoucherEnvironment>; readonly use?: object }
  >
> = {
  expiry: { environment: { now: () => EXPIRY * 1000 } },
  environment: { use: { environment: OTHER.environment } },
  artifact: { use: { artifactHash: OTHER.artifactHash } },
  issuer: { environment: { revokedKeys: new Set([issuer.publicKey.keyId]) } },
  spent: { environment: { nonces: spentStore } },
};
const forged = { ...voucher, fuel: voucher.fuel + 1 };

/** The code at which verifying stops, and that at which spending does. */
async function stops(
  codes: readonly VoucherCheckCode[],
): Promise<readonly (VoucherCheckCode | undefined)[]> {
  let environment = voucherEnvironment();
  let use = USE;
  for (const code of codes) {
    if (code === 'signature') continue;
    environment = { ...environment, ...FAULTS[code].environment };
    use = { ...use, ...FAULTS[code].use };
  }
  const given = codes.includes('signature') ? forged : voucher;
  const checks = await verifyVoucher(environment, given, use);
  const spending = await spendVoucher(environment, given, use);
  assert.deepEqual(spending.checks, checks);
  return [checks.find(({ ok }) => !ok)?.code, spending.spent ? undefined : spending.failed];
}

test('a good voucher passes the six checks, in their order, and can be spent', async () => {
  const environment = voucherEnvironment();
  const expected = VOUCHER_CHECK_CODES.map((code) => ({ code, ok: true }));
  assert.deepEqual(await verifyVoucher(environment, voucher, USE), expected);
  assert.deepEqual(await spendVoucher(environment, voucher, USE), {
    spent: true,
    fuel: 1_000,
    checks: expected,
  });
});

for (const [i, code] of VOUCHER_CHECK_CODES.entries()) {
  test(`${code} fails by itself, and before every later check`, async () => {
    assert.deepEqual(await stops([code]), [code, code]);
    for (const later of VOUCHER_CHECK_CODES.slice(i + 1)) {
      assert.deepEqual(await stops([later, code]), [code, code], later);
    }
    assert.deepEqual(await stops(VOUCHER_CHECK_CODES.slice(i)), [code, code]);
  });
}

test('a voucher counts until the very second of its expiry', async () => {
  for (const [now, ok] of [
    [EXPIRY * 1000 - 1, true],
    [EXPIRY * 1000, false],
    [Number.NaN, false],
  ] as const) {
    const [first] = await verifyVoucher(voucherEnvironment({ now: () => now }), voucher, USE);
    assert.deepEqual([first?.code, first?.ok], ['expiry', ok], String(now));
  }
});

test('an issuer counts in its own role only, while it is trusted', async () => {
  const minted = await mint({}, stranger);
  for (const [trusted, problem] of [
    [{ key: issuer.publicKey }, /not in the trust store/],
    [{ key: stranger.publicKey, role: 'certifier' }, /not in the trust store/],
    [{ key: stranger.publicKey, role: 'environment' }, /not in the trust store/],
    [{ key: stranger.publicKey, revoked: 'lost' }, /revoked: lost/],
    [{ key: stranger.publicKey, validUntil: NOW }, /trusted only until/],
    [{ key: stranger.publicKey, validFrom: NOW + 1 }, /trusted only from/],
  ] as const) {
    const checks = await verifyVoucher(voucherEnvironment({}, trusted), minted, USE);
    const last = checks.at(-1);
    assert.equal(last?.code, 'issuer');
    assert.match(last?.detail ?? '', problem);
  }
  const trusting = voucherEnvironment({}, { key: stranger.publicKey });
  assert.equal((await spendVoucher(trusting, minted, USE)).spent, true);
});

test('what is left out of the use is not checked by verifying, and bars spending', async () => {
  const environment = voucherEnvironment();
  const codes = (await verifyVoucher(environment, voucher, {})).map(({ code }) => code);
  assert.deepEqual(codes, ['expiry', 'issuer', 'signature', 'spent']);
  for (const use of [{}, { artifactHash: USE.artifactHash }, { environment: USE.environment }]) {
    await assert.rejects(spendVoucher(environment, voucher, use as typeof USE), TypeError);
  }
});

test('every single-bit flip of a voucher makes it none, or one that cannot be spent', async (t) => {
  const bytes = serializeVoucher(voucher);
  const environment = voucherEnvironment();
  const stopped = new Map<string, number>();
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    let by: string;
    try {
      const spending = await spendVoucher(
        environment,
        parseVoucher(flipBit(bytes, bit), 'it'),
        USE,
      );
      assert.equal(spending.spent, false, `bit ${bit}`);
      by = spending.spent ? '' : spending.failed;
    } catch (error) {
      assert.ok(error instanceof InputError, `bit ${bit}: ${error}`);
      by = error.code;
    }
    stopped.set(by, (stopped.get(by) ?? 0) + 1);
  }
  t.diagnostic(`${bytes.length * 8} bits: ${JSON.stringify(Object.fromEntries(stopped))}`);
  for (const code of ['environment', 'artifact', 'issuer', 'signature']) {
    assert.ok(stopped.has(code), code);
  }
  assert.equal((await spendVoucher(environment, voucher, USE)).spent, true, 'and none spent it');
});

test('a signature over other bytes is worth nothing: no tag, another tag, another document', async () => {
  const { signature: _, ...unsigned } = voucher;
  const canonical = Buffer.from(serializeVoucher(unsigned as typeof voucher)).toString();
  for (const message of [
    canonical,
    `touchstone/receipt/1\n${canonical}`,
    `touchstone/voucher/1${canonical}`,
    `touchstone/voucher/1\n${canonical}\n`,
  ]) {
    const signed = await issuer.sign(Buffer.from(message));
    const signature = Buffer.from(signed).toString('base64');
    const spending = await spendVoucher(voucherEnvironment(), { ...voucher, signature }, USE);
    assert.equal(!spending.spent && spending.failed, 'signature', message);
  }
});

test('a refused voucher stays fresh; a spent one is spent for good', async () => {
  const nonces = voucherEnvironment().nonces;
  for (const code of ['expiry', 'environment', 'artifact', 'issuer'] as const) {
    const { environment, use } = FAULTS[code];
    const place = voucherEnvironment({ nonces, ...environment });
    assert.equal((await spendVoucher(place, voucher, { ...USE, ...use })).spent, false);
  }
  const place = voucherEnvironment({ nonces });
  assert.equal((await spendVoucher(place, voucher, USE)).spent, true);
  for (let i = 0; i < 3; i++) {
    const again = await spendVoucher(place, voucher, USE);
    assert.deepEqual([again.spent, !again.spent && again.failed], [false, 'spent']);
  }
});

test('of many who spend one voucher at once, one may run', async () => {
  const place = voucherEnvironment();
  const all = await Promise.all(
    Array.from({ length: 50 }, () => spendVoucher(place, voucher, USE)),
  );
  assert.equal(all.filter(({ spent }) => spent).length, 1);
});

test('a store that answers something else, or fails, lets nothing run', async () => {
  const odd = { ...spentStore, spend: async () => undefined as unknown as 'spent' };
  const answered = await spendVoucher(voucherEnvironment({ nonces: odd }), voucher, USE);
  assert.equal(answered.spent, false);
  const failing = {
    ...spentStore,
    spend: async () => Promise.reject(new InputError('unwritable', 'the disk is full')),
  };
  await assert.rejects(spendVoucher(voucherEnvironment({ nonces: failing }), voucher, USE), {
    code: 'unwritable',
  });
});

test('a voucher that answers otherwise when it is asked again is believed once', async () => {
  const place = voucherEnvironment();
  for (let turn = 1; turn <= 8; turn++) {
    let asked = 0;
    const minted = await mint();
    const shifting = Object.defineProperty({ ...minted }, 'fuel', {
      enumerable: true,
      get: () => (++asked >= turn ? 2 ** 44 : minted.fuel),
    });
    const spending = await spendVoucher(place, shifting, USE);
    assert.ok(!spending.spent || spending.fuel === minted.fuel, `asked ${asked} times`);
  }
});
