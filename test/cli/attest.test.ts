import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import type { TrustedKey } from '../../engine/gate/types.ts';
import { flipBit } from '../support/bytes.ts';
import { certificateFor, environment, publisher, stranger } from '../support/gate.ts';
import {
  answerOf,
  assertBadInput,
  assertExit,
  CLI,
  type Result,
  type Workspace,
  workspace,
} from './support.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const STEPS = ['environment-key', 'environment-signature', 'certificate', 'environment-policy'];
const CONJUNCTS = [
  'whitelist-recognised',
  'runtime-trusted',
  'certifier-accepted',
  'whitelist-version',
];

/** The record, as auditors read it. */
const recordSchema = z.strictObject({
  format: z.literal('attestation/1'),
  certificate: z.looseObject({ artifactHash: hex }),
  executor: z.string(),
  environment: z.strictObject({
    runtime: z.strictObject({ name: z.literal('touchstone'), version: z.string() }),
    engine: z.strictObject({ name: z.literal('node'), version: z.string(), v8: z.string() }),
    build: z.strictObject({ hash: hex, signer: hex.nullable() }),
    whitelist: z.strictObject({ name: z.string(), version: z.int(), hash: hex }),
    platform: z.strictObject({ os: z.string(), arch: z.string() }),
    isolation: z.literal('process'),
    evidence: z.strictObject({ type: z.string(), data: z.base64() }).optional(),
  }),
  receipts: z.array(hex),
  signer: hex,
  signature: z.base64().optional(),
});

/** `attest verify --format json`. */
const verdictSchema = z.strictObject({
  valid: z.boolean(),
  steps: z.array(
    z.strictObject({ code: z.enum(STEPS), ok: z.boolean(), detail: z.string().optional() }),
  ),
  compatibility: z
    .strictObject({
      compatible: z.boolean(),
      conjuncts: z.array(
        z.strictObject({
          code: z.enum(CONJUNCTS),
          ok: z.boolean(),
          detail: z.string(),
          remedy: z.string().optional(),
        }),
      ),
    })
    .optional(),
  receipts: z
    .strictObject({ ok: z.boolean(), chain: z.string(), found: z.int(), detail: z.string() })
    .optional(),
  record: recordSchema,
});

const RECORD = 'echo.attestation.json';
const ARTIFACT = 'echo/build/echo.wasm';
const RECEIPTS = '.touchstone/receipts';

/** A workspace in which the certified echo ran a few times. */
async function afterRuns(t: TestContext, count = 3): Promise<Workspace> {
  const here = workspace(t);
  await here.certified('echo');
  for (let i = 0; i < count; i++) await runEcho(here, i);
  return here;
}

async function runEcho(here: Workspace, i: number): Promise<void> {
  assertExit(await here.run('run', 'echo', '--input', JSON.stringify({ context: { i } })), 0);
}

/** A workspace with an attestation of the last run. */
async function attested(t: TestContext): Promise<Workspace> {
  const here = await afterRuns(t);
  answerOf(await here.run('attest', 'echo'));
  return here;
}

const verify = (here: Workspace, ...args: readonly string[]) =>
  here.run('attest', 'verify', RECORD, '--format', 'json', ...args);

const verdictOf = (result: Result, code: 0 | 1 = 0) =>
  verdictSchema.parse(JSON.parse(answerOf(result, code)));

function recordIn(here: Workspace, file = RECORD) {
  return recordSchema.parse(JSON.parse(here.read(file).toString()));
}

/** The hashes of the chain's receipts, taken as its lines are. */
async function lineHashes(here: Workspace): Promise<string[]> {
  const { createHash } = await import('node:crypto');
  const lines = here.read(`${RECEIPTS}/echo.jsonl`).toString().trimEnd().split('\n');
  return lines.map((line) => createHash('sha256').update(line).digest('hex'));
}

describe('attest', { concurrency: 2 }, () => {
  test('writes a record of the executor, this environment and the last receipt', async (t) => {
    const here = await afterRuns(t);
    const answer = answerOf(await here.run('attest', 'echo'));
    assert.match(answer, /^✔ echo@\S+ attested with 1 receipt\n/);
    assert.match(answer, /^ {2}record {7}echo\.attestation\.json, [\d,]+ bytes$/m);
    const record = recordIn(here);
    const build = JSON.parse(readFileSync(join(dirname(CLI), 'build.json'), 'utf8'));
    assert.equal(record.environment.runtime.version, build.version);
    assert.equal(record.environment.engine.version, process.versions.node);
    assert.deepEqual(
      record.certificate,
      JSON.parse(here.read(`${ARTIFACT}.purity.json`).toString()),
    );
    assert.deepEqual(record.receipts, (await lineHashes(here)).slice(-1));
    const { valid, steps } = verdictOf(await verify(here));
    assert.equal(valid, true);
    assert.deepEqual(
      steps.map(({ code, ok }) => [code, ok]),
      STEPS.map((code) => [code, true]),
    );
  });

  test('one receipt, the last ones, those of a run, or all', async (t) => {
    const here = await afterRuns(t);
    const hashes = await lineHashes(here);
    const lines = here.read(`${RECEIPTS}/echo.jsonl`).toString().split('\n');
    const { run } = JSON.parse(lines[1] ?? '');
    const asked: readonly (readonly [readonly string[], readonly (string | undefined)[]])[] = [
      [['--epoch', '0'], hashes.slice(0, 1)],
      [['--last', '2'], hashes.slice(1)],
      [['--last', '99'], hashes],
      [['--run', run], hashes.slice(1, 2)],
      [['--all'], hashes],
    ];
    for (const [args, expected] of asked) {
      const answer = await here.run('attest', 'echo', ...args, '--format', 'json');
      const { attested, receipts, record } = JSON.parse(answerOf(answer));
      assert.deepEqual([attested, receipts, record], [true, expected, RECORD]);
      const { receipts: lookup } = verdictOf(await verify(here, '--receipts', RECEIPTS));
      assert.equal(lookup?.found, expected.length);
    }
    assertBadInput(await here.run('attest', 'echo', '--epoch', '3'), /its chain has 3/);
    assertBadInput(await here.run('attest', 'echo', '--all', '--last', '1'), /cannot be used with/);
  });

  test('--intoto writes the DSSE form, which verifies by the same steps', async (t) => {
    const here = await afterRuns(t, 1);
    answerOf(await here.run('attest', 'echo', '--intoto', '--out', 'out/one.attestation.json'));
    const file = 'out/one.attestation.intoto.json';
    const envelope = JSON.parse(here.read(file).toString());
    assert.equal(envelope.payloadType, 'application/vnd.in-toto+json');
    const args = ['--format', 'json', '--artifact', ARTIFACT, '--receipts', RECEIPTS];
    const form = verdictOf(await here.run('attest', 'verify', file, ...args));
    const record = verdictOf(
      await here.run('attest', 'verify', 'out/one.attestation.json', ...args),
    );
    const { signature: _, ...rest } = record.record;
    assert.deepEqual(form, { ...record, record: rest });
    assert.match(form.steps[2]?.detail ?? '', /checks 1 to 6/);
    here.write(file, { ...envelope, payload: envelope.payload.replace(/.{8}$/, 'AAAAAAA=') });
    assertBadInput(await here.run('attest', 'verify', file), /the payload of out\/one/);
  });

  test('--evidence goes along as it is', async (t) => {
    const here = await afterRuns(t, 1);
    here.write('quote.bin', new Uint8Array([1, 2, 3]));
    const args = ['--evidence', 'quote.bin', '--evidence-type', 'application/x-quote'];
    answerOf(await here.run('attest', 'echo', ...args));
    assert.deepEqual(recordIn(here).environment.evidence, {
      type: 'application/x-quote',
      data: 'AQID',
    });
    assert.match(
      answerOf(await here.run('attest', 'verify', RECORD)),
      /evidence {5}application\/x-quote, not looked at/,
    );
    assertBadInput(await here.run('attest', 'echo', ...args.slice(0, 2)), /belong together/);
    here.write('quote.bin', new Uint8Array(65_537));
    assertBadInput(await here.run('attest', 'echo', ...args), /too large/);
  });

  const refusals: readonly (readonly [string, (here: Workspace) => unknown, RegExp])[] = [
    [
      'without a certificate',
      (here) => rmSync(here.path(`${ARTIFACT}.purity.json`)),
      /it has no certificate; issue one: touchstone certify/,
    ],
    [
      'that the gate refuses',
      (here) => here.write(ARTIFACT, flipBit(here.read(ARTIFACT), 2000)),
      /the gate refuses it: artifact-binding/,
    ],
    [
      'whose receipts do not verify',
      (here) => {
        const file = `${RECEIPTS}/echo.jsonl`;
        const text = here.read(file).toString();
        here.write(file, text.replace(/"used":\d/, '"used":9'));
      },
      /the chain echo does not hold: invalid-signature/,
    ],
    [
      'whose last receipts are cut off',
      (here) => {
        const file = `${RECEIPTS}/echo.jsonl`;
        const lines = here.read(file).toString().trimEnd().split('\n');
        here.write(file, `${lines[0]}\n`);
      },
      /the chain echo does not hold: truncated/,
    ],
    [
      'whose receipts are of another module',
      async (here) => {
        here.write('echo/build/echo.wasm', here.read(`${here.example('call')}/build/call.wasm`));
        await here.certify('echo/build/echo.wasm');
      },
      /receipt 1 is of another module \(\w{8}…\) than this one/,
    ],
    [
      'whose receipts are of another certificate',
      async (here) => {
        here.write(
          `${ARTIFACT}.purity.json`,
          await certificateFor(here.read(ARTIFACT), { publisher }),
        );
      },
      /receipt 1 is of a run under another certificate/,
    ],
    [
      'whose receipts another environment signed',
      (here) => rmSync(here.path('.touchstone/environment.pem')),
      /receipt 1 is signed by another environment/,
    ],
  ];
  for (const [name, change, problem] of refusals) {
    test(`refuses an executor ${name}`, async (t) => {
      const here = await afterRuns(t, 2);
      await change(here);
      const result = await here.run('attest', 'echo', '--format', 'json');
      assertExit(result, 1);
      const { attested, detail } = JSON.parse(result.stdout);
      assert.equal(attested, false);
      assert.match(detail, problem);
      assert.ok(!existsSync(here.path(RECORD)));
      const said = await here.run('attest', 'echo');
      assert.match(said.stdout, /^✖ echo@\S+ was not attested: /);
    });
  }

  test('runs of tier 2 are not attested', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('.touchstone/policy.json', { format: 'policy/1', minimumTier: 2 });
    const manifest = JSON.parse(here.read('echo/executor.json').toString());
    here.write('echo/executor.json', { ...manifest, tier: 2 });
    await runEcho(here, 0);
    const result = await here.run('attest', 'echo');
    assert.match(
      answerOf(result, 1).replace(/\s+/g, ' '),
      /receipt 0 is of a run of tier 2, without a certificate/,
    );
  });

  test('before anything ran there is nothing to attest', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    assertBadInput(await here.run('attest', 'echo'), /nothing has run in this workspace yet/);
    assert.ok(!existsSync(here.path('.touchstone/environment.pem')));
    await here.certified('call');
    assertExit(await here.run('run', 'echo'), 0);
    assertBadInput(await here.run('attest', 'call'), /no such receipt of call@/);
  });
});

describe('the build that attests', () => {
  test('is refused where a file of it differs, and where it is none', async (t) => {
    const here = await afterRuns(t, 1);
    const copy = here.path('copy');
    const { files } = JSON.parse(readFileSync(join(dirname(CLI), 'build.json'), 'utf8'));
    for (const file of [...Object.keys(files), 'build.json']) {
      mkdirSync(dirname(join(copy, file)), { recursive: true });
      cpSync(join(dirname(CLI), file), join(copy, file));
    }
    const attest = (): Result => {
      const { status, ...said } = spawnSync(
        process.execPath,
        [join(copy, 'cli.js'), 'attest', 'echo', '--format', 'json'],
        { cwd: here.folder, encoding: 'utf8', env: { PATH: process.env.PATH, HOME: here.folder } },
      );
      return { code: status, stdout: said.stdout, stderr: said.stderr };
    };
    const { build } = JSON.parse(answerOf(attest()));
    answerOf(await here.run('attest', 'echo'));
    assert.deepEqual(recordIn(here).environment.build, build);
    for (const file of ['executor-host.js', 'cli.js']) {
      const honest = readFileSync(join(copy, file));
      appendFileSync(join(copy, file), '\n');
      assertBadInput(attest(), new RegExp(`not as it was made: ${file.replace('.', '\\.')}: `));
      here.write(`copy/${file}`, honest);
    }
    answerOf(attest());
    rmSync(join(copy, 'build.json'));
    assertBadInput(attest(), /only a build attests/);
  });
});

describe('attest verify', { concurrency: 2 }, () => {
  const trustStore = (...keys: readonly TrustedKey[]) =>
    serializeTrustStore(makeTrustStore([...environment().trust.keys, ...keys]));

  test('shows the steps one by one, and who decided', async (t) => {
    const here = await attested(t);
    const lines = answerOf(await here.run('attest', 'verify', RECORD)).split('\n');
    const heads = lines.filter((line) => /^✔ \d /.test(line));
    assert.deepEqual(
      heads.map((line) => line.slice(4).split(' ')[0]),
      STEPS,
    );
    const text = lines.join(' ').replace(/\s+/g, ' ');
    assert.match(text, /artifact-binding and proof-validation were not checked/);
    assert.match(text, / valid: echo\.attestation\.json executor echo@/);
    assert.equal(
      lines.at(-2),
      'decided by .touchstone/trust.json, the default policy and mashin@1',
    );
  });

  test('elsewhere it is refused until the environment is trusted, and then it is not', async (t) => {
    const here = await attested(t);
    here.write('theirs.json', trustStore());
    const trust = ['--trust', 'theirs.json'];
    const { valid, steps } = verdictOf(await verify(here, ...trust), 1);
    assert.equal(valid, false);
    assert.deepEqual(
      steps.map(({ code, ok }) => [code, ok]),
      [['environment-key', false]],
    );
    const text = answerOf(await here.run('attest', 'verify', RECORD, ...trust), 1);
    assert.match(text, /^✖ 1 environment-key +environment \w{8}… is not in the trust store\n/);
    assert.match(text, /^– 2 environment-signature +not reached$/m);
    assert.match(text, /^refused: echo\.attestation\.json$/m);
    const key = '.touchstone/environment.pem.pub';
    answerOf(await here.run('keys', 'trust', key, '--as', 'environment', ...trust));
    verdictOf(await verify(here, ...trust, '--artifact', ARTIFACT));
  });

  test('the module is checked where it is given; a wrong one fails', async (t) => {
    const here = await attested(t);
    const { steps } = verdictOf(await verify(here, '--artifact', ARTIFACT));
    assert.match(steps[2]?.detail ?? '', /checks 1 to 6 of the gate hold/);
    here.write('other.wasm', flipBit(here.read(ARTIFACT), 2000));
    const wrong = verdictOf(await verify(here, '--artifact', 'other.wasm'), 1);
    assert.equal(wrong.steps.at(-1)?.code, 'certificate');
    assert.match(wrong.steps.at(-1)?.detail ?? '', /^artifact-binding: /);
  });

  test('the policy is asked: of the certificate, and of the keys', async (t) => {
    const here = await attested(t);
    here.write('p.json', { format: 'policy/1', publisher: 'required' });
    const { steps } = verdictOf(await verify(here, '--policy', 'p.json'), 1);
    assert.equal(steps.at(-1)?.code, 'environment-policy');
    const { signer } = recordIn(here);
    here.write('p.json', { format: 'policy/1', revoked: { keys: [signer] } });
    const revoked = verdictOf(await verify(here, '--policy', 'p.json'), 1);
    assert.equal(revoked.steps.at(-1)?.code, 'environment-key');
  });

  test('its receipts are looked up, and their chain verified', async (t) => {
    const here = await attested(t);
    const { receipts } = verdictOf(await verify(here, '--receipts', RECEIPTS));
    assert.deepEqual(receipts, {
      ok: true,
      chain: 'echo',
      found: 1,
      detail: 'they stand in its chain, and receipts 0 to 2 hold',
    });
    await runEcho(here, 9);
    verdictOf(await verify(here, '--receipts', RECEIPTS));
    mkdirSync(here.path('empty'));
    const missing = verdictOf(await verify(here, '--receipts', 'empty'), 1);
    assert.equal(missing.valid, false);
    assert.match(missing.receipts?.detail ?? '', /is not in the chain/);
    const chain = `${RECEIPTS}/echo.jsonl`;
    here.write(
      chain,
      here
        .read(chain)
        .toString()
        .replace(/"used":\d/, '"used":9'),
    );
    const broken = verdictOf(await verify(here, '--receipts', RECEIPTS), 1);
    assert.match(broken.receipts?.detail ?? '', /^invalid-signature: /);
    assert.match(
      answerOf(await here.run('attest', 'verify', RECORD, '--receipts', RECEIPTS), 1),
      /^✖ receipts {2}0 of 1 found: invalid-signature/m,
    );
  });

  test('compatibility: four answers, each with its remedy, which helps', async (t) => {
    const here = await attested(t);
    const empty = {
      format: 'compatibility/1',
      whitelists: [] as unknown[],
      minimumWhitelistVersion: {} as Record<string, unknown>,
      runtimes: [] as unknown[],
      certifiers: [] as unknown[],
    };
    here.write('c.json', empty);
    const asked = ['--compatibility', 'c.json'];
    const { valid, compatibility } = verdictOf(await verify(here, ...asked), 1);
    assert.equal(valid, false);
    assert.equal(compatibility?.compatible, false);
    assert.deepEqual(
      compatibility?.conjuncts.map(({ code, ok }) => [code, ok]),
      CONJUNCTS.map((code) => [code, false]),
    );
    const text = answerOf(await here.run('attest', 'verify', RECORD, ...asked), 1);
    for (const code of CONJUNCTS) {
      assert.match(text.replace(/\s+/g, ' '), new RegExp(` ✖ ${code} [^✖]* → add \\S+ to "`));
    }
    const added: Record<string, unknown> = {};
    for (const { remedy = '' } of compatibility?.conjuncts ?? []) {
      const [, value = '', field = ''] = /^add (\S+) to "(\w+)"/.exec(remedy) ?? [];
      const parsed: unknown = JSON.parse(value);
      added[field] = field === 'minimumWhitelistVersion' ? parsed : [parsed];
    }
    here.write('c.json', { ...empty, ...added });
    const mended = verdictOf(await verify(here, ...asked));
    assert.equal(mended.compatibility?.compatible, true);
    assert.match(
      answerOf(await here.run('attest', 'verify', RECORD, ...asked)),
      /^ {2}✔ runtime-trusted +build \w{8}… is listed$/m,
    );
    const untrue = verdictOf(
      await verify(here, ...asked, '--trust', here.write('t.json', trustStore())),
      1,
    );
    assert.equal(untrue.compatibility, undefined);
  });

  test('a builder is trusted by keys trust --as builder', async (t) => {
    const here = workspace(t);
    answerOf(await here.run('keys', 'generate', '--out', 'builder.pem'));
    const args = ['builder.pem.pub', '--as', 'builder', '--trust', 'trust.json'];
    assert.match(answerOf(await here.run('keys', 'trust', ...args)), /trusts this key as builder/);
    const { keys } = JSON.parse(here.read('trust.json').toString());
    assert.equal(keys[0].role, 'builder');
  });

  test('any byte that changed is refused', async (t) => {
    const here = await attested(t);
    const bytes = new Uint8Array(here.read(RECORD));
    for (const bit of [3, 1000, 4003, bytes.length * 8 - 100]) {
      here.write(RECORD, flipBit(bytes, bit));
      const result = await verify(here);
      assert.ok(result.code === 1 || result.code === 2, `bit ${bit}: ${result.stdout}`);
    }
    here.write(RECORD, JSON.stringify(JSON.parse(new TextDecoder().decode(bytes)), undefined, 2));
    assertBadInput(await verify(here), /not in canonical form/);
  });

  const bad: readonly (readonly [string, string | object, RegExp])[] = [
    ['a.json', '', /a\.json: it is empty/],
    ['a.json', {}, /a\.json is not an attestation: /],
    ['a.json', { payloadType: 'x' }, /a\.json is not a DSSE envelope: /],
  ];
  for (const [file, contents, problem] of bad) {
    test(`${JSON.stringify(contents)}: ${problem.source}`, async (t) => {
      const here = workspace(t);
      here.write(file, contents);
      assertBadInput(await here.run('attest', 'verify', file), problem);
    });
  }

  test('a compatibility file or a record that is none is wrong usage', async (t) => {
    const here = await attested(t);
    assertBadInput(await here.run('attest', 'verify', 'missing.json'), /no such file/);
    here.write('c.json', { format: 'compatibility/1' });
    assertBadInput(
      await verify(here, '--compatibility', 'c.json'),
      /c\.json is not a compatibility file: whitelists: /,
    );
    here.write('.touchstone/trust.json', trustStore({ key: stranger.publicKey, role: 'builder' }));
    verdictOf(await verify(here));
  });
});
