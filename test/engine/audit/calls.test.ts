// Who called whom: across organisations, and where links lead nowhere, or elsewhere.

import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { parseCompatibility } from '../../../engine/attestation/compatibility.ts';
import { offeredCall } from '../../../engine/attestation/exchange.ts';
import { signAttestationStatement } from '../../../engine/attestation/statement.ts';
import type { RunNode } from '../../../engine/audit/report.ts';
import { canonicalBytes } from '../../../engine/encoding/json.ts';
import type { Link } from '../../../engine/governance/effect.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { proveReceipt, serializeProof } from '../../../engine/provenance/proof.ts';
import { COMPATIBLE } from '../attestation/fixtures.ts';
import { appendBatch } from '../provenance/many.ts';
import { appendCrafted, attestCrafted, decided, hashIn, hashOf, receiptsOf } from './crafted.ts';
import {
  call,
  crypto,
  deploy,
  type Evidence,
  evidence,
  localCall,
  run,
  store,
  write,
} from './evidence.ts';
import { auditOf, codesOf, findingOf, told } from './support.ts';

/** A tree in words: `travel at travel > hotel at hotel`. */
function outline({ executor, environment, calls }: RunNode): string {
  const below = calls.flatMap(({ callees, problem }) => [
    ...callees.map(outline),
    ...(problem === undefined ? [] : [problem]),
  ]);
  return [`${executor} at ${environment.label}`, ...below].join(' > ');
}

async function outlines(here: Evidence, request: Parameters<typeof auditOf>[1] = {}) {
  const { calls } = await auditOf(here, request);
  return calls.trees.map(({ runs, root }) => `${runs} × ${outline(root)}`);
}

const nonce = 'AAECAwQFBgcICQoLDA0ODw';
const performedWith = (link: Link) => ({
  decisions: [decided({ decision: 'performed', resultHash: hashOf('r'), link })],
});

describe('calls', { concurrency: 2 }, () => {
  test('three organisations are told as one tree, each with its certificate', async (t) => {
    const here = await evidence(t);
    const { calls } = await auditOf(here);
    assert.deepEqual(
      calls.trees.map(({ root }) => outline(root)),
      [
        'travel@1.0.0 at travel > hotel@1.0.0 at hotel > bank@1.0.0 at bank',
        'travel@1.0.0 at travel > planner@1.0.0 at travel',
      ],
    );
    assert.deepEqual([calls.links, calls.followed], [3, 3]);
    const [first] = calls.trees;
    const [toHotel] = first?.root.calls ?? [];
    assert.equal(toHotel?.attestation?.holds, true);
    const hotel = toHotel?.callees[0];
    assert.equal(hotel?.certified, true);
    assert.equal(hotel?.where?.file, 'hotel/.touchstone/receipts/hotel.jsonl');
    assert.equal(hotel?.calls[0]?.callees[0]?.where?.epoch, 0);
  });

  test('what the caller has kept is enough to follow its calls one organisation far', async (t) => {
    const here = await evidence(t);
    rmSync(join(here.folder, 'bank'), { recursive: true });
    rmSync(join(here.folder, 'hotel/.touchstone'), { recursive: true });
    rmSync(join(here.folder, 'hotel/build'), { recursive: true });
    const report = await auditOf(here);
    assert.deepEqual(report.findings, [], told(report));
    const tree = report.calls.trees[0]?.root;
    assert.match(outline(tree as RunNode), /hotel@1\.0\.0 at hotel > bank@1\.0\.0 at bank$/);
    const hotel = tree?.calls[0]?.callees[0];
    assert.match(hotel?.where?.file ?? '', /^travel\/calls\/\w{64}\.receipt\.json$/);
    rmSync(join(here.folder, 'hotel'), { recursive: true });
    const alone = await auditOf(here);
    assert.deepEqual(codesOf(alone), ['call-not-followed']);
    assert.equal(alone.holds, true);
  });

  test('an answer whose receipt is not at hand speaks for itself', async (t) => {
    const here = await evidence(t);
    rmSync(join(here.folder, 'bank'), { recursive: true });
    for (const { file } of (await auditOf(here)).attestations) {
      rmSync(join(here.folder, file.replace('.attestation.', '.receipt.')));
    }
    const report = await auditOf(here);
    assert.deepEqual(codesOf(report), ['receipt-not-at-hand']);
    const bank = report.calls.trees[0]?.root.calls[0]?.callees[0]?.calls[0]?.callees[0];
    assert.deepEqual([bank?.executor, bank?.status, bank?.where], ['bank@1.0.0', 'ok', null]);
  });

  test('equal runs are told once and counted; with --all each by itself', async (t) => {
    const here = await evidence(t);
    const { travel } = here;
    const planner = await deploy(here.folder, travel, 'planner');
    const traveller = await deploy(here.folder, travel, 'travel');
    for (let i = 0; i < 3; i++) {
      await run(travel, traveller, {
        name: 'travel',
        directives: [call('planner')],
        handlers: [localCall(() => run(travel, planner, { name: 'planner' }))],
      });
    }
    const expected = 'travel@1.0.0 at travel > planner@1.0.0 at travel';
    assert.deepEqual((await outlines(here)).slice(1), [`4 × ${expected}`]);
    const all = await outlines(here, { all: true });
    assert.deepEqual(all.slice(1), new Array(4).fill(`1 × ${expected}`));
  });

  test('a callee that failed is followed where the caller says so, and a lie is found', async (t) => {
    const here = await evidence(t);
    const { travel } = here;
    await appendCrafted(travel, 'planner', { status: 'trap', completed: ['gate'], decisions: [] });
    const link = { receipt: hashIn(travel, 'planner') };
    const reason = 'EffectFailed(machine-failed)';
    const failed = decided({ decision: 'performed', resultHash: hashOf('r'), reason, link });
    await appendCrafted(travel, 'travel', { decisions: [failed] });
    assert.deepEqual(codesOf(await auditOf(here)), []);
    await appendCrafted(travel, 'travel', performedWith(link));
    const report = await auditOf(here);
    assert.match(
      findingOf(report, 'link-mismatch').message,
      /it tells of no failure, and what was called ended trap$/,
    );
    assert.match(findingOf(report, 'link-reused').message, /is linked for another call, too$/);
  });

  const mismatches: readonly (readonly [string, (here: Evidence) => Promise<Link>, RegExp])[] = [
    ['names nothing', async () => ({}), /: its link names nothing$/],
    [
      'leads to an attestation that answers no call',
      async (here) => {
        const { hash } = await attestCrafted(here, here.hotel, 'hotel', {});
        return { attestation: hash };
      },
      /: attestation \w{8}… answers no call$/,
    ],
    [
      'names another receipt than its attestation',
      async (here) => {
        const [receipt] = receiptsOf(here.hotel, 'hotel');
        const { inputHash = hashOf('i'), outputHash = null } = receipt ?? {};
        const { hash } = await attestCrafted(here, here.hotel, 'hotel', {
          call: { nonce, inputHash, outputHash, status: 'ok' },
        });
        return { attestation: hash, receipt: hashIn(here.travel, 'travel', 0) };
      },
      /: receipt \w{8}… is not the last one that attestation \w{8}… names$/,
    ],
  ];
  for (const [name, linkOf, message] of mismatches) {
    test(`a link that ${name} is found`, async (t) => {
      const here = await evidence(t);
      const link = await linkOf(here);
      await appendCrafted(here.travel, 'travel', performedWith(link));
      const report = await auditOf(here);
      assert.match(findingOf(report, 'link-mismatch').message, message);
      assert.equal(report.calls.followed, report.calls.links - 1);
    });
  }

  test('one answer for two calls is found', async (t) => {
    const here = await evidence(t);
    const [, caller] = receiptsOf(here.travel, 'travel');
    const attestation = caller?.directives[0]?.link?.attestation;
    assert.ok(attestation);
    await appendCrafted(here.travel, 'travel', performedWith({ attestation }));
    assert.deepEqual(codesOf(await auditOf(here)), ['link-reused']);
  });

  test('a copy of a chain is no second call', async (t) => {
    const here = await evidence(t);
    const from = here.travel.receipts;
    for (const name of ['travel.jsonl', 'travel.tip.json']) {
      write(join(here.folder, 'copies/receipts', name), readFileSync(join(from, name)));
    }
    assert.deepEqual(codesOf(await auditOf(here)), []);
  });

  test('calls that lie deep or fan out are cut, and said to be', async (t) => {
    const here = await evidence(t);
    const { travel } = here;
    await appendCrafted(travel, 'travel', { decisions: [] });
    for (let i = 0; i < 40; i++) {
      await appendCrafted(travel, 'travel', performedWith({ receipt: hashIn(travel, 'travel') }));
    }
    const deep = await auditOf(here);
    assert.deepEqual(codesOf(deep), []);
    let node = deep.calls.trees.find(({ root }) => root.where?.epoch === 44)?.root;
    let depth = 0;
    for (; node?.more === undefined; depth++) node = node?.calls[0]?.callees[0];
    assert.deepEqual([depth, node.more], [32, 1]);

    for (let i = 0; i < 24; i++) {
      const [one] = performedWith({ receipt: hashIn(travel, 'travel') }).decisions;
      await appendCrafted(travel, 'travel', { decisions: [one, one].filter((each) => !!each) });
    }
    const wide = await auditOf(here);
    assert.equal(wide.totals.byCode['link-reused'], 24);
    const text = JSON.stringify(wide.calls);
    assert.ok(text.split('"executor"').length < 5_000 && text.includes('"more":'));
  });

  test('narrowed to one executor: its chain, and what it called', async (t) => {
    const here = await evidence(t);
    const hotel = await auditOf(here, { executor: 'hotel' });
    assert.deepEqual(
      hotel.chains.map(({ name }) => name),
      ['hotel'],
    );
    assert.deepEqual(
      hotel.executors.map(({ executor, runs }) => [executor, runs]),
      [
        ['bank@1.0.0', 1],
        ['hotel@1.0.0', 1],
      ],
    );
    assert.deepEqual(await outlines(here, { executor: 'hotel' }), [
      '1 × hotel@1.0.0 at hotel > bank@1.0.0 at bank',
    ]);
    assert.equal(hotel.effects.byTag.memory_op, undefined);
    // What does not hold elsewhere is not told; what does not hold about what it called is.
    rmSync(join(here.travel.receipts, 'travel.tip.json'));
    rmSync(join(here.folder, 'travel/build/planner.wasm.purity.json'));
    assert.deepEqual(codesOf(await auditOf(here, { executor: 'hotel' })), []);
    assert.deepEqual(codesOf(await auditOf(here, { executor: 'travel' })), [
      'certificate-missing',
      'tip-missing',
    ]);
    rmSync(join(here.folder, 'bank/.touchstone'), { recursive: true });
    rmSync(join(here.folder, 'hotel/calls'), { recursive: true });
    const codes = codesOf(await auditOf(here, { executor: 'hotel' }));
    assert.deepEqual(codes, ['linked-attestation-missing']);
  });
});

describe('attestations', () => {
  test('the demands of a compatibility file are asked of each', async (t) => {
    const here = await evidence(t);
    const demands = (document: object) => ({
      compatibility: {
        document: parseCompatibility(canonicalBytes(document), 'it'),
        source: 'them.json',
      },
    });
    const met = await auditOf(here, { by: demands(COMPATIBLE) });
    assert.deepEqual(met.findings, []);
    assert.equal(met.compatibility, 'them.json');
    const unmet = await auditOf(here, { by: demands({ ...COMPATIBLE, certifiers: [] }) });
    assert.deepEqual(codesOf(unmet), ['attestation-invalid', 'attestation-invalid']);
    assert.match(
      unmet.findings[0]?.message ?? '',
      /fails at environment-policy: not compatible: certifier-accepted: /,
    );
  });

  test('the DSSE form is verified, whatever its name; a changed one is refused', async (t) => {
    const here = await evidence(t);
    const { record, file } = await attestCrafted(here, here.hotel, 'hotel', {});
    rmSync(join(here.folder, file));
    const envelope = await signAttestationStatement(record, here.hotel.signer);
    write(join(here.folder, 'stated.intoto.json'), envelope);
    const report = await auditOf(here);
    assert.deepEqual(report.findings, []);
    const stated = report.attestations.find((each) => each.file === 'stated.intoto.json');
    assert.deepEqual(
      [stated?.holds, stated?.hash, stated?.receipts],
      [true, null, { named: 1, found: 1 }],
    );
    const [{ sig = '' } = {}] = envelope.signatures;
    const signatures = [{ keyid: '', sig: `${sig.startsWith('A') ? 'B' : 'A'}${sig.slice(1)}` }];
    write(join(here.folder, 'stated.intoto.json'), { ...envelope, signatures });
    const changed = findingOf(await auditOf(here), 'attestation-invalid');
    assert.equal(changed.where.file, 'stated.intoto.json');
  });

  test('checks 2 and 4 are made where the module is at hand', async (t) => {
    const here = await evidence(t);
    rmSync(join(here.folder, 'bank/build/bank.wasm'));
    const { attestations, certificates } = await auditOf(here);
    const detailOf = (executor: string) =>
      attestations.find((each) => each.executor === executor)?.steps[2]?.detail;
    assert.match(detailOf('hotel@1.0.0') ?? '', /^checks 1 to 6 of the gate hold/);
    assert.match(detailOf('bank@1.0.0') ?? '', /artifact-binding and proof-validation were not/);
    const codes = (file: string) =>
      certificates.find((each) => each.file === file)?.checks.map(({ code }) => code);
    assert.deepEqual(codes('bank/build/bank.wasm.purity.json'), [
      ...['signature', 'proof-binding', 'classification', 'conclusion', 'policy'],
    ]);
    assert.equal(codes('hotel/build/hotel.wasm.purity.json')?.length, 7);
  });

  test('a run of several steps is attested by the receipts of all of them', async (t) => {
    const here = await evidence(t);
    const { hotel, folder } = here;
    const hotelier = await deploy(folder, hotel, 'hotel');
    const first = await run(hotel, hotelier, { name: 'hotel', context: { step: 0 } });
    const last = await run(hotel, hotelier, { name: 'hotel', directives: [store('x')] });
    const { inputHash } = first.receipt;
    const { outputHash } = last.receipt;
    const receipts = [hashIn(hotel, 'hotel', 1), hashIn(hotel, 'hotel', 2)];
    const answer = { nonce, inputHash, outputHash, status: 'ok' };
    const { hash } = await attestCrafted(here, hotel, 'hotel', { receipts, call: answer });
    await appendCrafted(here.travel, 'travel', performedWith({ attestation: hash }));
    const report = await auditOf(here);
    assert.deepEqual(report.findings, [], told(report));
    assert.equal(
      outline(report.calls.trees.at(-1)?.root as RunNode),
      'travel@1.0.0 at travel > hotel@1.0.0 at hotel > hotel@1.0.0 at hotel',
    );
    const wrong = { receipts: receipts.toReversed(), call: answer };
    await attestCrafted(here, hotel, 'hotel', wrong);
    assert.match(
      findingOf(await auditOf(here), 'attestation-contradiction').message,
      /its receipts are not in the order of their chain$/,
    );
  });

  const contradictions: readonly (readonly [object, RegExp])[] = [
    [{ inputHash: hashOf('other') }, /of another input than the call$/],
    [{ status: 'denied' }, /its receipt ended ok, the call denied$/],
  ];
  for (const [change, message] of contradictions) {
    test(`an answer that differs from its receipt: ${message.source}`, async (t) => {
      const here = await evidence(t);
      const [receipt] = receiptsOf(here.hotel, 'hotel');
      const { inputHash = hashOf('i'), outputHash = null } = receipt ?? {};
      const answer = { nonce, inputHash, outputHash, status: 'ok', ...change };
      await attestCrafted(here, here.hotel, 'hotel', { call: answer });
      const report = await auditOf(here);
      assert.match(findingOf(report, 'attestation-contradiction').message, message);
    });
  }

  test('an offer is no answer: it may be kept, and no call leads to it', async (t) => {
    const here = await evidence(t);
    const offered = offeredCall(crypto, 'hotel', nonce);
    const { hash } = await attestCrafted(here, here.hotel, 'hotel', {
      receipts: [],
      call: offered,
    });
    const report = await auditOf(here);
    assert.deepEqual(report.findings, [], told(report));
    assert.equal(report.attestations.find(({ file }) => file.includes('crafted'))?.call, false);
    await appendCrafted(here.travel, 'travel', performedWith({ attestation: hash }));
    const { message } = findingOf(await auditOf(here), 'link-mismatch');
    assert.match(message, /attestation \w{8}… answers no call$/);
  });

  test('a receipt of another executor is found', async (t) => {
    const here = await evidence(t);
    await attestCrafted(here, here.hotel, 'hotel', { executor: 'hotel@9.9.9' });
    const { message } = findingOf(await auditOf(here), 'attestation-contradiction');
    assert.match(message, /receipt 0 is of hotel@1\.0\.0$/);
  });
});

test('every receipt of a batch can be proven beside its chain', async (t) => {
  const here = await evidence(t);
  const receipts = join(here.folder, 'bank/more');
  const chain = fileReceiptStore(crypto, receipts).open('call');
  await appendBatch(chain, [0, 1, 2], here.bank.signer);
  await appendBatch(chain, [3], here.bank.signer);
  for (const epoch of [0, 1, 2, 3]) {
    const proof = serializeProof(await proveReceipt(crypto, chain, epoch));
    write(join(here.folder, `proofs/receipt-${epoch}.json`), proof);
  }
  const report = await auditOf(here);
  assert.equal(report.files.proofs, 4);
  assert.deepEqual(codesOf(report), ['certificate-missing', 'whitelist-unknown'], told(report));
});
