import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { machinePath, parseCallAnswer } from '../../engine/attestation/exchange.ts';
import { attestationHash, parseAttestation } from '../../engine/attestation/record.ts';
import type { AttestationRecord } from '../../engine/attestation/types.ts';
import type { JsonObject } from '../../engine/encoding/json.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { calling, ECHO, whitelistCalled } from '../engine/platform/effects/machine/organisation.ts';
import { post } from '../engine/platform/effects/machine/relay.ts';
import { createAuthority } from '../engine/platform/effects/support/tls-certificates.ts';
import { answerOf, assertBadInput, assertExit, CLI, type Workspace, workspace } from './support.ts';

const CANARY = 'canary-55e1';

/** `serve --format json`. */
const servingSchema = z.strictObject({
  url: z.url(),
  environment: z.string().regex(/^[0-9a-f]{64}$/),
  machines: z.array(
    z.union([
      z.strictObject({
        ...{ name: z.string(), path: z.string(), admitted: z.literal(true) },
        ...{ executor: z.string(), tier: z.literal(1), certificateHash: z.string() },
      }),
      z.strictObject({
        ...{ name: z.string(), path: z.string(), admitted: z.literal(false) },
        ...{ failed: z.string(), detail: z.string() },
      }),
    ]),
  ),
});

interface Serving extends z.infer<typeof servingSchema> {
  readonly log: () => string;
  /** Asks it to end, and gives its exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Serves in a workspace until the test ends. */
async function serve(
  t: TestContext,
  here: Workspace,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Serving> {
  const child = begin(t, here, [...args, '--format', 'json'], env);
  const document = servingSchema.parse(JSON.parse(await child.said(/^\}\n$/m)));
  return { ...document, log: child.log, stop: child.stop };
}

function begin(
  t: TestContext,
  here: Workspace,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
) {
  const child: ChildProcess = spawn(process.execPath, [CLI, 'serve', ...args], {
    cwd: here.folder,
    env: { PATH: process.env.PATH, HOME: here.folder, NO_COLOR: '1', ...env },
  });
  let stdout = '';
  let stderr = '';
  child.stderr?.on('data', (piece) => {
    stderr += piece;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.after(() => {
    child.kill('SIGKILL');
    return ended;
  });
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      child.stdout?.on('data', (piece) => {
        stdout += piece;
        if (pattern.test(stdout)) resolve(stdout);
      });
      child.on('close', (code) => reject(new Error(`ended with ${code}: ${stderr}`)));
    });
  return {
    said,
    log: () => stderr,
    stop: (signal: NodeJS.Signals = 'SIGTERM') => {
      child.kill(signal);
      return ended;
    },
  };
}

/** A workspace with a certifier of its own, and executors that it has certified. */
async function organisation(
  t: TestContext,
  modules: Readonly<Record<string, Uint8Array>>,
  whitelist: readonly string[] = [],
): Promise<Workspace> {
  const here = workspace(t);
  if (whitelist.length > 0) {
    const { name, version, functions } = whitelistCalled('southern', 3);
    here.write('southern.json', { name, version, functions });
  }
  assertExit(await here.run('keys', 'generate', '--out', 'certifier.pem'), 0);
  await trust(here, 'certifier.pem.pub', 'certifier');
  for (const [name, module] of Object.entries(modules)) {
    here.write(`${name}/${name}.wasm`, module);
    here.write(`${name}/executor.json`, {
      ...{ name, version: '1.0.0', artifact: `${name}.wasm`, tier: 1 },
      ...{ trust: 'reviewed', capabilities: ['machine.call'] },
    });
    assertExit(await here.run('certify', name, '--key', 'certifier.pem', ...whitelist), 0);
  }
  return here;
}

async function trust(here: Workspace, key: string, role: string): Promise<void> {
  const store = ['--trust', '.touchstone/trust.json'];
  assertExit(await here.run('keys', 'trust', key, ...store, '--as', role), 0);
}

function freshNonce(): string {
  return Buffer.from(nodeCrypto.randomBytes(32)).toString('base64url');
}

async function offerOf(url: string, machine: string, headers = {}): Promise<AttestationRecord> {
  const body = JSON.stringify({ nonce: freshNonce() });
  const answer = await post(url + machinePath(machine, 'offer'), body, headers);
  assert.equal(answer.status, 200, answer.body.toString());
  return parseAttestation(answer.body, 'the offer');
}

async function call(url: string, machine: string, input: JsonObject = {}) {
  const offer = attestationHash(nodeCrypto, await offerOf(url, machine));
  const body = JSON.stringify({ nonce: freshNonce(), offer, input, depth: 1 });
  const answer = await post(url + machinePath(machine, 'calls'), body);
  assert.equal(answer.status, 200, answer.body.toString());
  return parseCallAnswer(answer.body);
}

/** Lets one organisation's executors call a machine of the other. */
async function introduce(
  here: Workspace,
  there: Workspace,
  { url }: Serving,
  machine: string,
): Promise<void> {
  const { environment, certificate } = await offerOf(url, machine);
  const { name, version, hash } = environment.whitelist;
  here.write('.touchstone/compatibility.json', {
    format: 'compatibility/1',
    whitelists: [{ name, hash }],
    minimumWhitelistVersion: { [name]: version },
    runtimes: [{ build: environment.build.hash, isolation: ['process'] }],
    certifiers: [certificate.proof.metadata.certifier],
  });
  await trust(here, there.path('.touchstone/environment.pem.pub'), 'environment');
  await trust(here, there.path('certifier.pem.pub'), 'certifier');
  const entry = { name: machine, url, compatibility: 'compatibility.json' };
  const machines = [{ ...entry, addresses: ['127.0.0.1/32'] }];
  here.write('.touchstone/policy.json', {
    format: 'policy/1',
    governance: { grants: { 'machine.call': { machines } } },
  });
}

/** Calls again with each conjunct broken by itself: nothing of the input goes to the other side. */
async function refusesWithoutEachConjunct(here: Workspace, { url }: Serving, there: Serving) {
  const file = '.touchstone/compatibility.json';
  const compatibility = JSON.parse(here.read(file).toString());
  const callsBefore = there.log().match(/ call repeat /g)?.length;
  const broken: Readonly<Record<string, object>> = {
    'whitelist-recognised': { whitelists: [] },
    'runtime-trusted': { runtimes: [] },
    'certifier-accepted': { certifiers: [] },
    'whitelist-version': { minimumWhitelistVersion: { southern: 99 } },
  };
  for (const [conjunct, change] of Object.entries(broken)) {
    here.write(file, { ...compatibility, ...change });
    const { status, receipt } = await call(url, 'asks', { say: CANARY });
    assert.equal(status, 'denied', conjunct);
    const reason = receipt.directives[0]?.reason ?? '';
    assert.ok(reason.startsWith(`GrantRefused(offer-refused: ${conjunct}: `), reason);
  }
  here.write(file, compatibility);
  assert.equal((await call(url, 'asks', { say: CANARY })).status, 'ok');
  assert.equal(there.log().match(/ call repeat /g)?.length, (callsBefore ?? 0) + 1);
}

describe('serve', { concurrency: 2 }, () => {
  test('organisations with different keys and whitelists call each other', async (t) => {
    const whitelist = ['--whitelist', 'southern.json'];
    const north = await organisation(t, { echo: ECHO, asks: calling('repeat') });
    const south = await organisation(t, { repeat: ECHO, asks: calling('echo') }, whitelist);
    const northern = await serve(t, north, ['echo', 'asks']);
    const southern = await serve(t, south, ['repeat', 'asks', ...whitelist]);
    assert.deepEqual(
      northern.machines.map((each) => [each.name, each.admitted && each.executor]),
      [
        ['echo', 'echo@1.0.0'],
        ['asks', 'asks@1.0.0'],
      ],
    );
    await introduce(north, south, southern, 'repeat');
    await introduce(south, north, northern, 'echo');
    for (const [here, { url }, there] of [
      [north, northern, 'repeat'],
      [south, southern, 'echo'],
    ] as const) {
      const { status, receipt } = await call(url, 'asks', { say: CANARY });
      assert.equal(status, 'ok');
      const [directive] = receipt.directives;
      assert.deepEqual([directive?.decision, directive?.reason], ['performed', undefined]);
      const hash = directive?.link?.attestation;
      assert.deepEqual(readdirSync(here.path('.touchstone/attestations')).sort(), [
        `${hash}.attestation.json`,
        `${hash}.receipt.json`,
      ]);
      const file = `.touchstone/attestations/${hash}.attestation.json`;
      const compatibility = ['--compatibility', '.touchstone/compatibility.json'];
      answerOf(await here.run('attest', 'verify', file, ...compatibility));
      assert.equal(parseAttestation(here.read(file), 'it').executor, `${there}@1.0.0`);
    }
    await refusesWithoutEachConjunct(north, northern, southern);
    assert.equal(await northern.stop('SIGTERM'), 0);
    assert.equal(await southern.stop('SIGINT'), 0);
    for (const [here, log] of [
      [north, northern.log()],
      [south, southern.log()],
    ] as const) {
      answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
      assert.ok(!log.includes(CANARY));
      const lines = log.split('\n').filter((line) => /^\d{4}-/.test(line));
      assert.ok(
        lines.some((line) => / 127\.0\.0\.1 call asks 200 ok [\d.]+ ms [0-9a-f]{8}$/.test(line)),
      );
      assert.ok(lines.some((line) => / offer asks 200 offered /.test(line)));
    }
  });

  test('says what it serves where, and what the gate refuses', async (t) => {
    const here = await organisation(t, { echo: ECHO });
    here.write('bare/bare.wasm', ECHO);
    const child = begin(t, here, ['echo', '--name', 'urn:x/y=bare/bare.wasm']);
    const line = await child.said(/\n$/);
    assert.match(
      line,
      /^✔ serving http:\/\/127\.0\.0\.1:\d+\n {2}as environment [0-9a-f]{64}\n {2}✔ echo {5}echo@1\.0\.0, tier 1, certified\n {2}✖ urn:x\/y {2}not admitted: signature\n$/,
    );
    const url = /http:\S+/.exec(line)?.[0] ?? '';
    const answer = await post(
      url + machinePath('urn:x/y', 'offer'),
      JSON.stringify({ nonce: freshNonce() }),
    );
    assert.equal(answer.status, 409);
    assert.match(answer.body.toString(), /"code":"not-admitted"/);
    assert.equal((await call(url, 'echo')).status, 'ok');
    assert.equal(await child.stop(), 0);
  });

  test('a caller needs the token, which nobody is told', async (t) => {
    const here = await organisation(t, { echo: ECHO });
    const env = { TOUCHSTONE_SECRET_CALLERS: 'correct-horse' };
    const { url, log, stop } = await serve(t, here, ['echo', '--token', 'CALLERS'], env);
    const body = JSON.stringify({ nonce: freshNonce() });
    const path = url + machinePath('echo', 'offer');
    for (const authorization of [undefined, 'Bearer correct-hors', 'Basic correct-horse']) {
      const answer = await post(path, body, authorization === undefined ? {} : { authorization });
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Bearer');
    }
    await offerOf(url, 'echo', { authorization: 'Bearer correct-horse' });
    assert.equal(await stop(), 0);
    assert.ok(!log().includes('correct-horse'));
  });

  test('speaks TLS, and a nonce stays used after a restart', async (t) => {
    const here = await organisation(t, { echo: ECHO });
    const { cert, key } = await (await createAuthority()).certify('127.0.0.1');
    here.write('cert.pem', cert);
    here.write('key.pem', key);
    const tls = ['--tls-cert', 'cert.pem', '--tls-key', 'key.pem'];
    const secure = await serve(t, here, ['echo', '--host', '0.0.0.0', ...tls]);
    assert.match(secure.url, /^https:\/\/0\.0\.0\.0:\d+$/);
    assert.equal(await secure.stop(), 0);

    const first = await serve(t, here, ['echo']);
    const body = JSON.stringify({ nonce: freshNonce() });
    const path = machinePath('echo', 'offer');
    assert.equal((await post(first.url + path, body)).status, 200);
    assert.equal((await post(first.url + path, body)).status, 409);
    assert.equal(await first.stop('SIGKILL'), null);
    const second = await serve(t, here, ['echo']);
    assert.equal((await post(second.url + path, body)).status, 409);
    assert.equal(second.environment, first.environment);
    assert.equal(await second.stop(), 0);
  });

  test('is told what it cannot serve, before it listens', async (t) => {
    const here = await organisation(t, { echo: ECHO });
    here.write('no.pem', 'no');
    const cases: [readonly string[], RegExp][] = [
      [[], /name the executors to serve/],
      [['nothing'], /nothing: no such file/],
      [['echo', 'echo'], /two executors are called echo/],
      [['--name', 'echo=echo', 'echo'], /two executors are called echo/],
      [['--name', 'echo'], /expected NAME=PATH/],
      [['echo', '--port', '70000'], /expected a port/],
      [['echo', '--host', '0.0.0.0'], /"0\.0\.0\.0" is served over TLS alone/],
      [['echo', '--host', 'localhost'], /is served over TLS alone/],
      [['echo', '--tls-cert', 'no.pem'], /--tls-cert and --tls-key belong together/],
      [['echo', '--tls-cert', 'no.pem', '--tls-key', 'no.pem'], /cannot be used: both in PEM/],
      [['echo', '--token', 'NOBODY'], /the secret "NOBODY" has no value/],
    ];
    // The key of the environment is made first, which is said.
    await (await serve(t, here, ['echo'])).stop();
    for (const [args, problem] of cases) assertBadInput(await here.run('serve', ...args), problem);
  });
});
