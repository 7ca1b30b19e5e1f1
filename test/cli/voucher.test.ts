import assert from 'node:assert/strict';
import { createHash, createPublicKey, verify } from 'node:crypto';
import { statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { publicKeyPem, signerFromSeed } from '../../engine/crypto/keys.ts';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { fileNonceStore } from '../../engine/platform/node/nonce-store.ts';
import { mintTrytetVoucher, serializeTrytetVoucher } from '../../engine/voucher/trytet-voucher.ts';
import { type FuelGrant, mintVoucher, serializeVoucher } from '../../engine/voucher/voucher.ts';
import { publisher as payer, stranger } from '../support/gate.ts';
import {
  answerOf,
  assertBadInput,
  exampleModule,
  KEYS,
  type Workspace,
  workspace,
} from './support.ts';

const ECHO = nodeCrypto.sha256(exampleModule('echo'));
const environment = signerFromSeed(nodeCrypto, new Uint8Array(32).fill(7));
const soon = () => Math.floor(Date.now() / 1000) + 600;

/** A workspace that trusts the payer and has an environment key. */
function payingWorkspace(...args: Parameters<typeof workspace>): Workspace {
  const here = workspace(...args);
  here.example('echo');
  const trust = makeTrustStore([{ key: payer.publicKey, role: 'voucher-issuer' }]);
  here.write('.touchstone/trust.json', serializeTrustStore(trust));
  here.write('.touchstone/environment.pem.pub', publicKeyPem(environment.publicKey));
  return here;
}

async function voucherFile(here: Workspace, changes: Partial<FuelGrant> = {}, signer = payer) {
  const voucher = await mintVoucher(nodeCrypto, signer, {
    artifactHash: ECHO,
    environment: environment.publicKey.keyId,
    fuel: 1_000_000,
    expiry: soon(),
    ...changes,
  });
  here.write('v', serializeVoucher(voucher));
  return voucher;
}

const MINT = ['voucher', 'mint', '--key', 'key.pem', '--out', 'v'];
const OWN = [...MINT, '--artifact', 'echo', '--environment', 'key.pem.pub'];

function mintingWorkspace(...args: Parameters<typeof workspace>): Workspace {
  const here = workspace(...args);
  here.example('echo');
  here.write('key.pem', KEYS.private);
  here.write('key.pem.pub', KEYS.public);
  return here;
}

describe('voucher mint', { concurrency: 4 }, () => {
  test('writes a voucher that others can verify, for its owner only', async (t) => {
    const here = mintingWorkspace(t);
    const stdout = answerOf(await here.run(...OWN, '--fuel', '1000000', '--expires', '24h'));
    const { signature, ...unsigned } = JSON.parse(here.read('v').toString());
    const key = createPublicKey(KEYS.public);
    const keyId = createHash('sha256')
      .update(key.export({ type: 'spki', format: 'der' }))
      .digest('hex');
    const { expiry, nonce, ...granted } = unsigned;
    assert.deepEqual(granted, {
      artifactHash: ECHO,
      environment: keyId,
      format: 'voucher/1',
      fuel: 1_000_000,
      issuer: keyId,
    });
    assert.ok(Math.abs(expiry - Date.now() / 1000 - 86_400) < 60);
    // The file is in canonical order, so what is left without the signature is what was signed.
    const message = `touchstone/voucher/1\n${JSON.stringify(unsigned)}`;
    assert.ok(verify(null, Buffer.from(message), key, Buffer.from(signature, 'base64')));
    assert.match(stdout, /^✔ v grants 1,000,000 units of fuel, once\n {2}artifact {5}39eb1491/);
    assert.ok(stdout.includes(nonce));
    if (process.platform !== 'win32') assert.equal(statSync(here.path('v')).mode & 0o777, 0o600);
  });

  test('takes a module or a key id, and a time in place of a duration', async (t) => {
    const here = mintingWorkspace(t);
    const id = environment.publicKey.keyId;
    const args = ['--artifact', 'echo/build/echo.wasm', '--environment', id, '--format', 'json'];
    const times = ['--fuel', '7', '--expires', '2999-12-31T23:59:59+01:00'];
    const answer = JSON.parse(answerOf(await here.run(...MINT, ...args, ...times)));
    const written = JSON.parse(here.read('v').toString());
    assert.equal(written.expiry, Date.UTC(2999, 11, 31, 22, 59, 59) / 1000);
    assert.deepEqual(answer, {
      out: 'v',
      layout: 'touchstone',
      fuel: 7,
      artifact: ECHO,
      environment: id,
      expires: '2999-12-31T22:59:59Z',
      issuer: written.issuer,
      nonce: written.nonce,
    });
  });

  test("writes Trytet's layout, in its order of fields", async (t) => {
    const here = mintingWorkspace(t);
    const args = ['--layout', 'trytet', '--provider', 'local_daemon', '--fuel', '10000000000'];
    answerOf(await here.run(...MINT, ...args, '--expires', '2100-01-01T00:00:00Z'));
    const voucher = JSON.parse(here.read('v').toString());
    assert.deepEqual(Object.keys(voucher), [
      'agent_id',
      'provider_id',
      'fuel_limit',
      'expiry_timestamp',
      'nonce',
      'signature',
    ]);
    const numbers = Buffer.alloc(16);
    numbers.writeBigUInt64BE(10_000_000_000n, 0);
    numbers.writeBigUInt64BE(4_102_444_800n, 8);
    const message = Buffer.concat([
      Buffer.from(`${voucher.agent_id}local_daemon`),
      numbers,
      Buffer.from(voucher.nonce),
    ]);
    const signature = Buffer.from(voucher.signature);
    assert.ok(verify(null, message, createPublicKey(KEYS.public), signature));
  });

  const good = ['--fuel', '5', '--expires', '1h'];
  for (const [name, args, problem] of [
    ['no module', [...MINT, '--environment', 'key.pem.pub', ...good], /--artifact is missing/],
    ['no environment', [...MINT, '--artifact', 'echo', ...good], /--environment is missing/],
    ['no fuel', [...OWN, '--expires', '1h'], /--fuel/],
    ['fuel of 0', [...OWN, '--fuel', '0', '--expires', '1h'], /whole number of at least 1/],
    ['half a unit', [...OWN, '--fuel', '1.5', '--expires', '1h'], /whole number of at least 1/],
    ['too much fuel', [...OWN, '--fuel', '9007199254740992', '--expires', '1h'], /whole number/],
    ['an expiry of now', [...OWN, '--fuel', '5', '--expires', '0h'], /not in the future/],
    ['an expiry in the past', [...OWN, ...good, '--expires', '2020-01-01T00:00:00Z'], /future/],
    ['an expiry without zone', [...OWN, ...good, '--expires', '2999-01-01T00:00:00'], /expected/],
    ['an impossible day', [...OWN, ...good, '--expires', '2999-02-30T00:00:00Z'], /expected/],
    ['an expiry beyond all', [...OWN, ...good, '--expires', '999999999d'], /beyond the year 9999/],
    ['a provider for our layout', [...OWN, ...good, '--provider', 'x'], /--provider is for/],
    ['a module for Trytet', [...OWN, ...good, '--layout', 'trytet'], /--artifact is for our own/],
    ['no provider for Trytet', [...MINT, ...good, '--layout', 'trytet'], /--provider is missing/],
    ['another layout', [...OWN, ...good, '--layout', 'paper'], /paper/],
    ['a public key', [...OWN, ...good, '--key', 'key.pem.pub'], /is a public key; signing needs/],
    ['a private environment', [...OWN, ...good, '--environment', 'key.pem'], /is a private key/],
    ['a missing module', [...OWN, ...good, '--artifact', 'nowhere'], /nowhere: no such file/],
    ['what is no module', [...OWN, ...good, '--artifact', 'key.pem'], /key\.pem: /],
  ] as const) {
    test(`${name} is wrong usage, and writes nothing`, async (t) => {
      const here = mintingWorkspace(t);
      assertBadInput(await here.run(...args), problem);
      assert.throws(() => here.read('v'), { code: 'ENOENT' });
    });
  }

  test('overwrites nothing', async (t) => {
    const here = mintingWorkspace(t);
    here.write('v', 'precious');
    assertBadInput(await here.run(...OWN, ...good), /v: not written: it exists already/);
    assert.equal(here.read('v').toString(), 'precious');
  });
});

const OWN_CODES = ['expiry', 'environment', 'artifact', 'issuer', 'signature', 'spent'];
const TRYTET_CODES = [
  'expiry',
  'provider',
  'key-hex',
  'key',
  'signature-format',
  'signature',
  'agent',
  'nonce',
];

describe('voucher verify', { concurrency: 4 }, () => {
  test('ticks the checks in order, says what is granted, and spends nothing', async (t) => {
    const here = payingWorkspace(t);
    await voucherFile(here);
    for (let i = 0; i < 2; i++) {
      const lines = answerOf(await here.run('voucher', 'verify', 'v', '--artifact', 'echo')).split(
        '\n',
      );
      for (const [n, code] of OWN_CODES.entries()) {
        assert.match(lines[n] ?? '', new RegExp(`^✔ ${n + 1} ${code} +\\w`));
      }
      assert.equal(lines[6], 'good: v');
      assert.match(lines[7] ?? '', /^ {2}fuel +1,000,000$/);
      assert.match(
        lines.join('\n'),
        /\ndecided by \.touchstone\/trust\.json and the default policy\n$/,
      );
    }
    assert.throws(() => here.read('.touchstone/nonces'), { code: 'ENOENT' });
  });

  const json = async (here: Workspace, code: 0 | 1, ...args: readonly string[]) =>
    JSON.parse(
      answerOf(await here.run('voucher', 'verify', 'v', ...args, '--format', 'json'), code),
    );

  test('--format json gives the checks that were made', async (t) => {
    const here = payingWorkspace(t);
    await voucherFile(here);
    assert.deepEqual(await json(here, 0, '--artifact', 'echo'), {
      valid: true,
      layout: 'touchstone',
      checks: OWN_CODES.map((code) => ({ code, ok: true })),
      notChecked: [],
    });
  });

  for (const [code, make] of [
    ['environment', (here: Workspace) => voucherFile(here, { environment: payer.publicKey.keyId })],
    [
      'artifact',
      (here: Workspace) => voucherFile(here, { artifactHash: nodeCrypto.sha256(new Uint8Array()) }),
    ],
    ['issuer', (here: Workspace) => voucherFile(here, {}, stranger)],
    [
      'signature',
      async (here: Workspace) => {
        const voucher = await voucherFile(here);
        here.write('v', serializeVoucher({ ...voucher, fuel: 2_000_000 }));
      },
    ],
    [
      'spent',
      async (here: Workspace) => {
        const { issuer, nonce, expiry } = await voucherFile(here);
        const nonces = fileNonceStore(nodeCrypto, here.path('.touchstone/nonces'));
        assert.equal(await nonces.spend({ issuer, nonce }, expiry), 'fresh');
      },
    ],
    ['expiry', (here: Workspace) => voucherFile(here, { expiry: 1_700_000_000 })],
  ] as const) {
    test(`${code}: stops there, says why, and exits 1`, async (t) => {
      const here = payingWorkspace(t);
      await make(here);
      const { valid, checks } = await json(here, 1, '--artifact', 'echo');
      const last = checks.at(-1);
      assert.deepEqual([valid, last.code, last.ok], [false, code, false]);
      assert.equal(checks.length, OWN_CODES.indexOf(code) + 1);
      const text = answerOf(await here.run('voucher', 'verify', 'v', '--artifact', 'echo'), 1);
      assert.match(text, new RegExp(`^✖ \\d ${code} +\\w`, 'm'));
      assert.match(text, /^refused: v$/m);
    });
  }

  test('the policy and the trust store that are named decide', async (t) => {
    const here = payingWorkspace(t);
    await voucherFile(here);
    here.write('p.json', { format: 'policy/1', revoked: { keys: [payer.publicKey.keyId] } });
    here.write('t.json', serializeTrustStore(makeTrustStore([])));
    for (const [option, file, detail] of [
      ['--policy', 'p.json', /the policy revokes/],
      ['--trust', 't.json', /not in the trust store/],
    ] as const) {
      const { checks } = await json(here, 1, option, file);
      assert.equal(checks.at(-1).code, 'issuer');
      assert.match(checks.at(-1).detail, detail);
    }
  });

  test('what it is told nothing about is not checked, and said not to be', async (t) => {
    const here = workspace(t);
    const trust = makeTrustStore([{ key: payer.publicKey, role: 'voucher-issuer' }]);
    here.write('.touchstone/trust.json', serializeTrustStore(trust));
    await voucherFile(here);
    const { valid, checks, notChecked } = await json(here, 0);
    assert.deepEqual([valid, notChecked], [true, ['environment', 'artifact']]);
    assert.equal(checks.length, 4);
    const text = answerOf(await here.run('voucher', 'verify', 'v'));
    assert.match(text, /^– 2 environment +not checked: .*no environment key$/m);
    assert.match(text, /^– 3 artifact +not checked: .*--artifact PATH$/m);
    assert.match(text, /^good as far as it was checked: v$/m);
  });

  test("a Trytet voucher has Trytet's checks, and ours of the agent", async (t) => {
    const here = payingWorkspace(t);
    const grant = { provider_id: 'me', fuel_limit: 2n ** 64n - 1n, expiry_timestamp: 2n ** 63n };
    here.write('v', serializeTrytetVoucher(await mintTrytetVoucher(nodeCrypto, payer, grant)));
    assert.deepEqual(await json(here, 0, '--provider', 'me'), {
      valid: true,
      layout: 'trytet',
      checks: TRYTET_CODES.map((code) => ({ code, ok: true })),
      notChecked: [],
    });
    const text = answerOf(await here.run('voucher', 'verify', 'v'));
    assert.match(text, /^– 2 provider +not checked: .*--provider ID$/m);
    assert.match(text, /^ {2}fuel +18,446,744,073,709,551,615$/m);
    assert.match(text, /^ {2}expires +second 9223372036854775808 of Unix time$/m);
    assert.equal((await json(here, 1, '--provider', 'you')).checks.at(-1).code, 'provider');
    const other = await mintTrytetVoucher(nodeCrypto, stranger, grant);
    here.write('v', serializeTrytetVoucher(other));
    assert.equal((await json(here, 1, '--provider', 'me')).checks.at(-1).code, 'agent');
  });

  for (const [name, contents] of Object.entries({
    nothing: '',
    'no JSON': 'voucher',
    'another document': '{"format":"receipt/1"}',
    'half a Trytet voucher': '{"agent_id":"x"}',
    'a list': '[]',
    'more than a voucher': 'x'.repeat(20_000),
    'no text': Uint8Array.of(0xff, 0xfe),
  })) {
    test(`a file with ${name} is no voucher`, async (t) => {
      const here = payingWorkspace(t);
      here.write('v', contents);
      assertBadInput(await here.run('voucher', 'verify', 'v'), /v/);
    });
  }

  test('a missing file and a broken memory are said in one line', async (t) => {
    const here = payingWorkspace(t);
    assertBadInput(await here.run('voucher', 'verify', 'nowhere'), /nowhere: no such file/);
    await voucherFile(here);
    here.write('.touchstone/nonces/floor', 'soon');
    assertBadInput(await here.run('voucher', 'verify', 'v'), /floor: .* restore it from a copy/);
  });
});
