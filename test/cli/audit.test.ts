import assert from 'node:assert/strict';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { describeAudit } from '../../cli/audit-text.ts';
import { parsePublicKeyPem } from '../../engine/crypto/keys.ts';
import { serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { evidence } from '../engine/audit/evidence.ts';
import { auditSchema } from '../engine/audit/schema.ts';
import { auditOf } from '../engine/audit/support.ts';
import { environment } from '../support/gate.ts';
import {
  answerOf,
  assertBadInput,
  assertExit,
  KEYS,
  type Result,
  type Workspace,
  workspace,
} from './support.ts';

const CHAIN = '.touchstone/receipts/echo.jsonl';
const INPUT = '{"context":{"say":"hello"}}';

/** A workspace with runs of `echo`, and a file that trusts its certifier and its environment. */
async function afterRuns(t: Parameters<typeof workspace>[0], runs = 2): Promise<Workspace> {
  const here = workspace(t);
  await here.certified('echo');
  for (let i = 0; i < runs; i++) assertExit(await here.run('run', 'echo', '--input', INPUT), 0);
  here.write('auditor.json', serializeTrustStore(environment().trust));
  const key = ['keys', 'trust', '.touchstone/environment.pem.pub', '--as', 'environment'];
  answerOf(await here.run(...key, '--trust', 'auditor.json'));
  return here;
}

function documentOf(result: Result, code: 0 | 1 = 0) {
  return auditSchema.parse(JSON.parse(answerOf(result, code)));
}

const TRUST = ['--trust', 'auditor.json'];

describe('audit', { concurrency: 2 }, () => {
  test('tells a workspace from its files, decided by the trust store that is named', async (t) => {
    const here = await afterRuns(t);
    const text = answerOf(await here.run('audit', '.', ...TRUST));
    assert.match(text, /^decided by the trust store auditor\.json, with no policy\n\nchains\n✔ /);
    assert.match(text, /echo\.jsonl {2}valid: receipts 0 to 1 hold\n {4}2 runs: 2 ok, tier 1: 2;/);
    assert.match(text, /^✔ echo@1\.0\.0 {2}2 runs in tier 1 \(wasm_certified\) at \w{8}…$/m);
    assert.match(
      text,
      /certificate {2}\w{8}… echo\/build\/echo\.wasm\.purity\.json: holds, for this/,
    );
    assert.match(text, /\n✔ \.: 2 runs in 1 chain, 0 errors, 0 warnings: all holds\n$/);
    const report = documentOf(await here.run('audit', '.', ...TRUST, '--format', 'json'));
    assert.deepEqual(report.trust, { source: 'auditor.json', own: false });
    assert.deepEqual([report.holds, report.chains[0]?.runs.total], [true, 2]);
  });

  test("without --trust it goes by the folder's own word, and says so first", async (t) => {
    const here = await afterRuns(t);
    const text = answerOf(await here.run('audit', '.'));
    assert.match(
      text.replace(/\s+/g, ' '),
      /^▲ by its own word: the folder itself says whom to trust, in \.touchstone\/trust\.json and \.touchstone\/environment\.pem\.pub; name whom you trust with --trust/,
    );
    const { trust, holds } = documentOf(await here.run('audit', '.', '--format', 'json'));
    const source = '.touchstone/trust.json and .touchstone/environment.pem.pub';
    assert.deepEqual([trust, holds], [{ source, own: true }, true]);
    const { stdout } = await here.run('audit', '.', '--format', 'json');
    assert.match(stdout, /^\{\n {2}"format": "audit\/1",\n {2}"trust": \{/);
  });

  test("the auditor's own workspace has no say about another folder", async (t) => {
    const here = await afterRuns(t);
    cpSync(here.path('.touchstone/receipts'), here.path('evidence/receipts'), { recursive: true });
    const text = answerOf(await here.run('audit', 'evidence'), 1);
    assert.match(text, /^▲ nobody is trusted: the folder has no trust store, and none was named;/);
    assert.match(text, /✖ environment-unknown {2}receipt 0: environment \w{8}… is not in/);
    const report = documentOf(await here.run('audit', 'evidence', '--format', 'json'), 1);
    assert.deepEqual(report.trust, { source: null, own: false });
    // The folder's word is not that of the folder it lies in, and whoever names one means exactly that.
    here.write('theirs.json', serializeTrustStore(environment().trust));
    const named = await here.run('audit', '.', '--trust', 'theirs.json', '--format', 'json');
    assert.equal(documentOf(named, 1).totals.byCode['environment-unknown'], 2);
  });

  test('what does not hold is told with its place and what to do, and exits 1', async (t) => {
    const here = await afterRuns(t);
    here.write(
      CHAIN,
      here
        .read(CHAIN)
        .toString()
        .replace(/"used":\d/, '"used":9'),
    );
    rmSync(here.path('echo/build/echo.wasm.purity.json'));
    const text = answerOf(await here.run('audit', '.', ...TRUST), 1);
    assert.match(text, /^✖ chain-invalid-signature {2}receipt 0: the signature of environment/m);
    assert.match(text.replace(/\s+/g, ' '), /\(\.touchstone\/receipts\/echo\.jsonl, receipt 0\)/);
    assert.match(text, /^ {4}fix ask for an unchanged copy of the chain/m);
    assert.match(text, /0 runs in 1 chain, 1 error, 0 warnings: not all holds\n$/);
    const { findings } = documentOf(await here.run('audit', '.', ...TRUST, '--format', 'json'), 1);
    assert.deepEqual(findings[0]?.where, { file: CHAIN, chain: 'echo', epoch: 0 });
  });

  test('a policy, a compatibility file and a whitelist decide where they are named', async (t) => {
    const here = await afterRuns(t);
    const keyId = parsePublicKeyPem(
      environment().crypto,
      here.read('.touchstone/environment.pem.pub').toString(),
      'it',
    ).keyId;
    here.write('policy.json', { format: 'policy/1', revoked: { keys: [keyId] } });
    const policy = ['--policy', 'policy.json'];
    const revoked = await here.run('audit', '.', ...TRUST, ...policy, '--format', 'json');
    const report = documentOf(revoked, 1);
    assert.equal(report.policy, 'policy.json');
    assert.deepEqual(report.totals.byCode, { 'environment-revoked': 1 });
    answerOf(await here.run('attest', 'echo'));
    here.write('them.json', {
      format: 'compatibility/1',
      ...{ whitelists: [], minimumWhitelistVersion: {}, runtimes: [], certifiers: [] },
    });
    const demands = ['--compatibility', 'them.json'];
    const unmet = answerOf(await here.run('audit', '.', ...TRUST, ...demands), 1);
    assert.match(unmet, /^decided by .* with no policy and what them\.json demands$/m);
    assert.match(unmet.replace(/\s+/g, ' '), /fails at environment-policy: not compatible: white/);
    assertExit(await here.run('audit', '.', ...TRUST), 0);
    const { whitelists } = JSON.parse(
      answerOf(await here.run('audit', '.', ...TRUST, '--format', 'json')),
    );
    assert.deepEqual(
      whitelists.map(({ source }: { source: string }) => source),
      ['built-in'],
    );
    const shown = JSON.parse(answerOf(await here.run('whitelist', 'show', '--format', 'json')));
    const { name, version, functions } = shown;
    here.write('w.json', { name, version: version + 1, functions });
    const named = ['--whitelist', 'w.json', '--whitelist', 'mashin@1', '--format', 'json'];
    assert.equal(
      documentOf(await here.run('audit', '.', ...TRUST, ...named)).whitelists[1]?.source,
      'named',
    );
  });

  test('three organisations: who called whom, in text and in JSON', async (t) => {
    const { folder, trust } = await evidence(t);
    const here = workspace(t);
    cpSync(folder, here.path('evidence'), { recursive: true });
    here.write('auditor.json', trust);
    const text = answerOf(await here.run('audit', 'evidence', ...TRUST));
    const tree = text.slice(text.indexOf('who called whom'), text.indexOf('attestations'));
    assert.deepEqual(
      [...tree.matchAll(/(\w+)@1\.0\.0 at (\w+) \(\w{8}…\) ended ok/g)].map(
        ([, a, b]) => `${a} ${b}`,
      ),
      ['travel travel', 'hotel hotel', 'bank bank', 'travel travel', 'planner travel'],
    );
    assert.match(text, /^✔ 3 calls, 3 followed$/m);
    const narrowed = ['--executor', 'hotel', '--all', '--format', 'json'];
    const report = documentOf(await here.run('audit', 'evidence', ...TRUST, ...narrowed));
    assert.equal(report.executor, 'hotel');
    assert.deepEqual(
      report.effects.list?.map(({ type, decision }) => [type, decision]),
      [['call_machine', 'performed']],
    );
    assert.equal(report.calls.trees[0]?.root.calls[0]?.callees[0]?.executor, 'bank@1.0.0');
    assert.ok(!existsSync(here.path('evidence/.touchstone')));
  });

  test('results of a batch are no chain, and outside of a folder nothing is looked at', async (t) => {
    const here = await afterRuns(t);
    here.write('inputs.jsonl', `${INPUT}\n${INPUT}\n`);
    const args = ['--inputs', 'inputs.jsonl', '--out', 'results.jsonl'];
    assertExit(await here.run('batch', 'echo', ...args), 0);
    const report = documentOf(await here.run('audit', '.', ...TRUST, '--format', 'json'));
    assert.deepEqual(
      report.chains.map(({ name, runs }) => [name, runs.total]),
      [['echo', 4]],
    );
    const { chains, certificates } = documentOf(
      await here.run('audit', '.touchstone', ...TRUST, '--format', 'json'),
      1,
    );
    assert.deepEqual([chains[0]?.runs.total, certificates.length], [4, 0]);
  });

  test('lines keep within 80 columns, save for words that are longer', async (t) => {
    const here = await evidence(t);
    rmSync(`${here.travel.receipts}/planner.jsonl`);
    const report = await auditOf(here, { all: true });
    const { columns } = process.stdout;
    process.stdout.columns = 80;
    t.after(() => {
      process.stdout.columns = columns;
    });
    for (const all of [false, true]) {
      for (const line of describeAudit('evidence', report, all).split('\n')) {
        const longest = Math.max(
          ...line
            .trim()
            .split(' ')
            .map((word) => word.length),
        );
        assert.ok(line.length <= 80 || longest > 40, line);
        assert.equal(line, line.trimEnd());
      }
    }
  });
});

describe('wrong usage', { concurrency: 4 }, () => {
  test('a folder that is missing, empty, or none', async (t) => {
    const here = workspace(t);
    assertBadInput(await here.run('audit', 'none'), /none: no such file/);
    here.write('file.txt', 'x');
    assertBadInput(await here.run('audit', 'file.txt'), /file\.txt: it is a file; name its folder/);
    assertBadInput(await here.run('audit', '.'), /\.: nothing to audit: no chain of receipts/);
    assertBadInput(await here.run('audit'), /missing required argument 'folder'/);
  });

  test('an executor that has no chain there', async (t) => {
    const here = await afterRuns(t, 1);
    assertBadInput(
      await here.run('audit', '.', '--executor', 'other'),
      /\.: there is no chain of receipts of other in it/,
    );
  });

  test('deciders that are none', async (t) => {
    const here = await afterRuns(t, 1);
    here.write('bad.json', '{}');
    for (const [option, problem] of [
      ['--trust', /bad\.json is not a trust store/],
      ['--policy', /bad\.json is not a policy/],
      ['--compatibility', /bad\.json is not a compatibility file/],
      ['--whitelist', /bad\.json: /],
    ] as const) {
      assertBadInput(await here.run('audit', '.', option, 'bad.json'), problem);
      assertBadInput(await here.run('audit', '.', option, 'none.json'), /none\.json: no such file/);
    }
    here.write('.touchstone/trust.json', '{}');
    assertBadInput(await here.run('audit', '.'), /trust\.json is not a trust store/);
    assertExit(await here.run('audit', '.', ...TRUST), 0);
    here.write('.touchstone/trust.json', serializeTrustStore(environment().trust));
    here.write('.touchstone/environment.pem.pub', KEYS.private);
    assertBadInput(await here.run('audit', '.'), /environment\.pem\.pub/);
  });
});
