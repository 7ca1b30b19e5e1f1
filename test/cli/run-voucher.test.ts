import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { publicKeyPem } from '../../engine/crypto/keys.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { mintTrytetVoucher, serializeTrytetVoucher } from '../../engine/voucher/trytet-voucher.ts';
import { mintVoucher, serializeVoucher } from '../../engine/voucher/voucher.ts';
import { COUNTER } from '../support/counter.ts';
import { publisher as payer } from '../support/gate.ts';
import { counterWorkspace } from './counter-workspace.ts';
import { answerOf, assertBadInput, assertExit, type Workspace } from './support.ts';

const soon = () => Math.floor(Date.now() / 1000) + 600;

/** A workspace with a certified executor that trusts the payer, and its environment's key id. */
async function payingWorkspace(t: TestContext) {
  const here = await counterWorkspace(t);
  here.write('payer.pub', publicKeyPem(payer.publicKey));
  const trust = ['--trust', '.touchstone/trust.json', '--as', 'voucher-issuer'];
  answerOf(await here.run('keys', 'trust', 'payer.pub', ...trust));
  const first = await here.run('run', '.', '--format', 'json');
  assertExit(first, 0);
  return { here, environment: JSON.parse(first.stdout).receipt.signer };
}

async function writeVoucher(here: Workspace, changes: object): Promise<void> {
  const grant = { artifactHash: nodeCrypto.sha256(COUNTER), fuel: 10_000, expiry: soon() };
  const voucher = await mintVoucher(nodeCrypto, payer, {
    ...grant,
    ...changes,
  } as Parameters<typeof mintVoucher>[2]);
  here.write('v', serializeVoucher(voucher));
}

const PAID = ['run', '.', '--voucher', 'v', '--format', 'json'];

test('a run has the fuel that its voucher grants, and the voucher is spent by it', async (t) => {
  const { here, environment } = await payingWorkspace(t);
  await writeVoucher(here, { environment });
  const paid = await here.run(...PAID);
  assertExit(paid, 0);
  const { receipt, fuel } = JSON.parse(paid.stdout);
  assert.equal(receipt.fuel.limit, 10_000);
  assert.ok(fuel.used > 0 && fuel.used < 10_000);
  const again = await here.run(...PAID);
  assertExit(again, 1);
  const refused = JSON.parse(again.stdout);
  assert.deepEqual(
    [refused.status, refused.problem.code, refused.receipt],
    ['not-admitted', 'spent', null],
  );
  const text = await here.run('run', '.', '--voucher', 'v');
  assertExit(text, 1);
  assert.match(text.stdout, /the voucher does not pay for this run/);
  assert.match(text.stderr, /Nothing ran/);
});

test('a limit below the voucher counts, and too little of either ends the run', async (t) => {
  const { here, environment } = await payingWorkspace(t);
  await writeVoucher(here, { environment });
  const limited = JSON.parse((await here.run(...PAID, '--fuel', '21')).stdout);
  assert.deepEqual([limited.status, limited.fuel.limit], ['out-of-fuel', 21]);
  await writeVoucher(here, { environment, fuel: 21 });
  const poor = JSON.parse((await here.run(...PAID)).stdout);
  assert.deepEqual(
    [poor.status, poor.receipt.fuel],
    ['out-of-fuel', { limit: 21, schedule: 'fuel/1', used: 21 }],
  );
});

test('a voucher for another module pays nothing and is not spent', async (t) => {
  const { here, environment } = await payingWorkspace(t);
  const other = nodeCrypto.sha256(new Uint8Array([1]));
  await writeVoucher(here, { environment, artifactHash: other });
  for (let i = 0; i < 2; i++) {
    const refused = JSON.parse((await here.run(...PAID)).stdout);
    assert.equal(refused.problem.code, 'artifact');
  }
});

test('a Trytet voucher pays where its provider is named, and nowhere else', async (t) => {
  const { here } = await payingWorkspace(t);
  const voucher = await mintTrytetVoucher(nodeCrypto, payer, {
    provider_id: 'here',
    fuel_limit: 5_000n,
    expiry_timestamp: BigInt(soon()),
  });
  here.write('v', serializeTrytetVoucher(voucher));
  assertBadInput(await here.run(...PAID), /Trytet voucher/);
  const paid = await here.run(...PAID, '--provider', 'here');
  assertExit(paid, 0);
  assert.equal(JSON.parse(paid.stdout).fuel.limit, 5_000);
});
