// The one function that `run --voucher FILE` asks, in a workspace of its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RunToPay, spendForRun } from '../../cli/vouchers.ts';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { mintTrytetVoucher, serializeTrytetVoucher } from '../../engine/voucher/trytet-voucher.ts';
import { mintVoucher, serializeVoucher } from '../../engine/voucher/voucher.ts';
import { publisher as payer, stranger as place } from '../support/gate.ts';
import { type Workspace, workspace } from './support.ts';

const USE = {
  artifactHash: nodeCrypto.sha256(new Uint8Array([1])),
  environment: place.publicKey.keyId,
};
const home = process.cwd();

/** A workspace that trusts the payer, and is the current folder until the test ends. */
function currentWorkspace(...[t]: Parameters<typeof workspace>): Workspace {
  const here = workspace(t);
  process.chdir(here.folder);
  t.after(() => process.chdir(home));
  const trust = makeTrustStore([{ key: payer.publicKey, role: 'voucher-issuer' }]);
  here.write('.touchstone/trust.json', serializeTrustStore(trust));
  return here;
}

async function write(here: Workspace, changes: object = {}): Promise<RunToPay> {
  const expiry = Math.floor(Date.now() / 1000) + 600;
  const grant = { ...USE, fuel: 1_000, expiry, ...changes };
  here.write('v', serializeVoucher(await mintVoucher(nodeCrypto, payer, grant)));
  return { file: 'v', ...USE, fuel: 50_000_000 };
}

test('a voucher pays once, for its fuel or the limit of the run, whichever is less', async (t) => {
  const here = currentWorkspace(t);
  const run = await write(here);
  assert.deepEqual(await spendForRun(run), { paid: true, fuel: 1_000 });
  const again = await spendForRun(run);
  assert.deepEqual([again.paid, !again.paid && again.failed], [false, 'spent']);
  assert.deepEqual(await spendForRun({ ...(await write(here)), fuel: 10 }), {
    paid: true,
    fuel: 10,
  });
});

test('a voucher for something else pays nothing, and stays', async (t) => {
  const here = currentWorkspace(t);
  const run = await write(here);
  const other = nodeCrypto.sha256(new Uint8Array([2]));
  const refused = await spendForRun({ ...run, artifactHash: other });
  assert.equal(!refused.paid && refused.failed, 'artifact');
  const elsewhere = await spendForRun({ ...run, environment: payer.publicKey.keyId });
  assert.equal(!elsewhere.paid && elsewhere.failed, 'environment');
  assert.equal((await spendForRun(run)).paid, true);
});

test('a Trytet voucher pays only where it is accepted', async (t) => {
  const here = currentWorkspace(t);
  const grant = { provider_id: 'me', fuel_limit: 2n ** 64n - 1n, expiry_timestamp: 2n ** 63n };
  here.write('v', serializeTrytetVoucher(await mintTrytetVoucher(nodeCrypto, payer, grant)));
  const run = { file: 'v', ...USE, fuel: 77 };
  await assert.rejects(spendForRun(run), { code: 'invalid-voucher', message: /none is accepted/ });
  const other = await spendForRun({ ...run, trytetProvider: 'you' });
  assert.equal(!other.paid && other.failed, 'provider');
  assert.deepEqual(await spendForRun({ ...run, trytetProvider: 'me' }), { paid: true, fuel: 77 });
  const again = await spendForRun({ ...run, trytetProvider: 'me' });
  assert.equal(!again.paid && again.failed, 'nonce');
});

test('where it cannot be remembered that a voucher was spent, nothing is paid', async (t) => {
  const here = currentWorkspace(t);
  const run = await write(here);
  here.write('.touchstone/nonces', 'in the way');
  await assert.rejects(spendForRun(run), { code: /^un(readable|writable)$/ });
});
