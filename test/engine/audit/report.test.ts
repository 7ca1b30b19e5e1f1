// What an audit tells of evidence that holds: what ran, under what, what was done and denied.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { MASHIN_1 } from '../../../engine/whitelist/mashin.ts';
import { parseWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { certifier, whitelist } from '../../support/gate.ts';
import { appendBatch } from '../provenance/many.ts';
import { appendCrafted, artifactOf, decided, hashOf, receiptsOf } from './crafted.ts';
import { auditorTrust, crypto, evidence, write } from './evidence.ts';
import { auditOf, codesOf, findingOf } from './support.ts';

describe('a report', { concurrency: 2 }, () => {
  test('tells each chain with its runs by status and tier, and who signed', async (t) => {
    const here = await evidence(t);
    const { chains } = await auditOf(here);
    assert.deepEqual(
      chains.find(({ name }) => name === 'travel'),
      {
        file: 'travel/.touchstone/receipts/travel.jsonl',
        name: 'travel',
        verdict: 'valid',
        detail: 'receipts 0 to 3 hold',
        ...{ holds: 4, firstEpoch: 0, lastEpoch: 3, tip: true },
        environments: [{ keyId: here.travel.signer.publicKey.keyId, label: 'travel', receipts: 4 }],
        runs: { total: 4, byStatus: { ok: 3, denied: 1 }, byTier: { 1: 4 } },
      },
    );
    assert.deepEqual(
      chains.map(({ name }) => name),
      ['bank', 'hotel', 'planner', 'travel'],
    );
  });

  test('tells what ran, with its certificate and module', async (t) => {
    const here = await evidence(t);
    const { executors, certificates, files } = await auditOf(here);
    assert.deepEqual(executors.at(-1), {
      executor: 'travel@1.0.0',
      artifactHash: artifactOf('travel'),
      ...{ tier: 1, purityMethod: 'wasm_certified' },
      certificateHash: crypto.sha256(
        readFileSync(join(here.folder, 'travel/build/travel.wasm.purity.json')),
      ),
      certificate: 'travel/build/travel.wasm.purity.json',
      module: 'travel/build/travel.wasm',
      ...{ whitelistHash: whitelist.hash, whitelist: 'mashin@1' },
      environment: { keyId: here.travel.signer.publicKey.keyId, label: 'travel' },
      runs: 4,
      first: { file: 'travel/.touchstone/receipts/travel.jsonl', chain: 'travel', epoch: 0 },
    });
    const certificate = certificates.find(({ file }) => file.includes('travel.wasm'));
    assert.deepEqual(certificate?.certifier, {
      keyId: certifier.publicKey.keyId,
      label: 'the certifier',
    });
    assert.deepEqual([certificate?.holds, certificate?.runs], [true, 4]);
    assert.deepEqual(files, {
      ...{ chains: 4, certificates: 4, modules: 4, attestations: 2 },
      ...{ receipts: 2, proofs: 0, whitelists: 0, openRuns: 0 },
    });
  });

  test('tells what was done by tag and decision, what was denied by its code', async (t) => {
    const { effects, denied, hooks } = await auditOf(await evidence(t));
    const none = { performed: 0, withheld: 0, attempted: 0, recorded: 0, denied: 0, skipped: 0 };
    assert.deepEqual(effects, {
      byTag: {
        call_machine: { ...none, performed: 3, failed: 0 },
        http_request: { ...none, recorded: 1, failed: 0 },
        memory_op: { ...none, performed: 4, denied: 1, skipped: 1, failed: 1 },
      },
    });
    const where = { file: 'travel/.touchstone/receipts/travel.jsonl', chain: 'travel' };
    assert.deepEqual(denied, [
      {
        code: 'HookDenied',
        count: 1,
        first: { ...where, epoch: 3, directive: 2 },
        byTag: { memory_op: 1 },
        reasons: [{ reason: 'HookDenied(hook: not this one)', count: 1 }],
      },
    ]);
    assert.deepEqual(hooks, [
      { artifactHash: null, certificate: null, verdicts: { allow: 4, deny: 1 } },
    ]);
  });

  test('lists every directive where all are asked for', async (t) => {
    const here = await evidence(t);
    const { effects } = await auditOf(here, { all: true });
    assert.equal(effects.list?.length, 10);
    const [entry] = receiptsOf(here.travel, 'travel')[3]?.directives ?? [];
    assert.deepEqual(
      effects.list?.find(({ file, epoch }) => file.endsWith('travel.jsonl') && epoch === 3),
      {
        ...{ file: 'travel/.touchstone/receipts/travel.jsonl', epoch: 3, directive: 1 },
        ...{ executor: 'travel@1.0.0', ...entry },
      },
    );
    const again = await auditOf(here, { all: true });
    assert.deepEqual(again.effects, effects);
  });

  test('counts what was withheld as a denial, and names the module of a hook', async (t) => {
    const here = await evidence(t);
    const hook = { artifactHash: artifactOf('planner'), verdict: 'deny' as const };
    await appendCrafted(here.travel, 'travel', {
      status: 'denied',
      decisions: [
        decided({
          ...{ decision: 'withheld', reason: 'GuardrailDenied(g)', resultHash: hashOf('r') },
          hooks: [hook],
        }),
      ],
    });
    const { denied, hooks, findings } = await auditOf(here);
    assert.deepEqual(findings, []);
    assert.deepEqual(denied.map(({ code, byTag }) => [code, byTag]).at(-1), [
      'GuardrailDenied',
      { call_machine: 1 },
    ]);
    assert.deepEqual(hooks.at(-1), {
      artifactHash: artifactOf('planner'),
      certificate: 'travel/build/planner.wasm.purity.json',
      verdicts: { deny: 1 },
    });
  });

  test('is the same for the same folder, however often it is asked', async (t) => {
    const here = await evidence(t);
    assert.deepEqual(await auditOf(here), await auditOf(here));
  });

  test('tells nothing as done that is not signed by whom the auditor trusts', async (t) => {
    const here = await evidence(t);
    const report = await auditOf({ ...here, trust: auditorTrust([]) });
    assert.deepEqual(report.effects, { byTag: {} });
    assert.deepEqual([report.executors, report.denied, report.hooks], [[], [], []]);
    assert.equal(report.totals.byCode['environment-unknown'], 4);
    assert.equal(report.totals.byCode['attestation-invalid'], 2);
    // An attestation that nobody trusts vouches for no receipt, and a chain that does not hold for no call.
    assert.deepEqual(report.calls, { links: 0, followed: 0, trees: [] });
  });

  test('tells the receipts before the one that does not hold, and none after it', async (t) => {
    const here = await evidence(t);
    const file = join(here.travel.receipts, 'travel.jsonl');
    const lines = readFileSync(file, 'utf8').split('\n');
    write(file, lines.with(3, lines[3]?.replace('"tier":1', '"tier":2') ?? '').join('\n'));
    const report = await auditOf(here);
    const chain = report.chains.find(({ name }) => name === 'travel');
    assert.deepEqual(
      [chain?.verdict, chain?.epoch, chain?.holds, chain?.lastEpoch, chain?.runs.total],
      ['invalid-signature', 3, 3, 2, 3],
    );
    assert.deepEqual(report.denied, []);
  });

  test('takes receipts that were signed in batches', async (t) => {
    const here = await evidence(t);
    const chain = fileReceiptStore(crypto, join(here.folder, 'more/receipts')).open('call');
    await appendBatch(chain, [0, 1, 2, 3, 4], here.bank.signer);
    const report = await auditOf(here, { executor: 'call' });
    assert.deepEqual(report.chains[0]?.runs, {
      total: 5,
      byStatus: { ok: 5 },
      byTier: { 1: 5 },
    });
    assert.equal(report.executors[0]?.runs, 5);
    assert.deepEqual(codesOf(report), ['certificate-missing', 'whitelist-unknown']);
    assert.match(
      findingOf(report, 'certificate-missing').message,
      /call@1\.0\.0 ran 5 times under/,
    );
  });
});

describe('whitelists', () => {
  test("a folder's own document names what ran, and is accepted only where it is named", async (t) => {
    const here = await evidence(t);
    const document = { ...MASHIN_1, name: 'theirs', version: 3 };
    const theirs = parseWhitelist(crypto, JSON.stringify(document), 'it');
    write(join(here.folder, 'whitelist.json'), document);
    const [first] = receiptsOf(here.travel, 'travel');
    await appendCrafted(here.travel, 'travel', {
      ...(first && { admitted: { ...first, whitelistHash: theirs.hash } }),
      decisions: [],
    });
    const report = await auditOf(here);
    assert.match(
      findingOf(report, 'whitelist-unknown').message,
      /\(\w{8}…, theirs@3 of the audited folder\)$/,
    );
    assert.equal(report.whitelists.at(-1)?.source, 'folder');
    const accepted = await auditOf(here, { by: { whitelists: [theirs] } });
    assert.deepEqual(accepted.findings, []);
    assert.deepEqual(
      accepted.whitelists.map(({ name, source }) => [name, source]),
      [
        ['mashin', 'built-in'],
        ['theirs', 'named'],
      ],
    );
    assert.equal(accepted.executors.at(-1)?.whitelist, 'theirs@3');
  });
});

describe('revocation', () => {
  test('a certifier or an environment that the trust store revokes counts for nothing', async (t) => {
    const here = await evidence(t);
    const { bank, hotel, travel } = here;
    const keys = [travel, hotel].map(({ signer }) => ({
      ...{ key: signer.publicKey, role: 'environment' as const },
    }));
    const trust = makeTrustStore([
      ...keys,
      { key: certifier.publicKey, role: 'certifier', revoked: 'lost' },
      { key: bank.signer.publicKey, role: 'environment', revoked: 'stolen' },
    ]);
    const report = await auditOf(here, { by: { trust } });
    assert.equal(report.totals.byCode['certificate-revoked'], 4);
    assert.equal(findingOf(report, 'environment-revoked').where.chain, 'bank');
    assert.equal(report.totals.byCode['attestation-invalid'], 2);
    const chains = report.chains.filter(({ verdict }) => verdict === 'valid');
    assert.deepEqual(
      chains.map(({ name }) => name),
      ['hotel', 'planner', 'travel'],
    );
  });

  test('a deleted chain whose tip is left is one that is cut off', async (t) => {
    const here = await evidence(t);
    rmSync(join(here.travel.receipts, 'planner.jsonl'));
    const report = await auditOf(here);
    assert.deepEqual(codesOf(report), ['chain-truncated', 'linked-receipt-missing']);
  });
});
