import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import { flipBit } from '../support/bytes.ts';
import { certificateFor, environment, publisher, stranger } from '../support/gate.ts';
import { answerOf, type Result, workspace } from './support.ts';

const CODES = [
  'signature',
  'artifact-binding',
  'proof-binding',
  'proof-validation',
  'classification',
  'conclusion',
  'currency',
  'policy',
] as const;

/** `verify --format json` of DESIGN 10. */
const contract = z.strictObject({
  admitted: z.boolean(),
  checks: z.array(
    z.strictObject({ code: z.enum(CODES), ok: z.boolean(), detail: z.string().optional() }),
  ),
});

const documentOf = (result: Result, code: 0 | 1) =>
  contract.parse(JSON.parse(answerOf(result, code)));

describe('verify', { concurrency: 4 }, () => {
  test('ticks the eight checks in order and admits', async (t) => {
    const here = workspace(t);
    await here.certified('call');
    const lines = answerOf(await here.run('verify', 'call')).split('\n');
    for (const [i, code] of CODES.entries()) {
      assert.match(lines[i] ?? '', new RegExp(`^✔ ${i + 1} ${code} {2,}\\w`));
    }
    assert.deepEqual(lines.slice(8), [
      'admitted: call/build/call.wasm',
      'decided by .touchstone/trust.json, the default policy and mashin@1',
      '',
    ]);
    const { admitted, checks } = documentOf(
      await here.run('verify', 'call', '--format', 'json'),
      0,
    );
    assert.equal(admitted, true);
    assert.deepEqual(
      checks,
      CODES.map((code) => ({ code, ok: true })),
    );
  });

  test('a project, its manifest and its module mean the same', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const asked = ['echo', 'echo/executor.json', 'echo/build/echo.wasm'];
    const answers = await Promise.all(asked.map((path) => here.run('verify', path)));
    assert.equal(new Set(answers.map((answer) => answerOf(answer))).size, 1);
  });

  test('stops at the first check that fails, says why, and exits 1', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const flipped = flipBit(here.read('echo/build/echo.wasm'), 2000);
    here.write('echo/build/echo.wasm', flipped);
    const lines = answerOf(await here.run('verify', 'echo'), 1).split('\n');
    assert.match(lines[0] ?? '', /^✔ 1 signature /);
    assert.match(
      lines[1] ?? '',
      /^✖ 2 artifact-binding {2}the file changed after it was certified/,
    );
    const rest = lines.filter((line) => line.startsWith('– '));
    assert.deepEqual(
      rest,
      CODES.slice(2).map((code, i) => `– ${i + 3} ${code.padEnd(16)}  not reached`),
    );
    assert.equal(lines.at(-3), 'refused: echo/build/echo.wasm');
    const { admitted, checks } = documentOf(
      await here.run('verify', 'echo', '--format', 'json'),
      1,
    );
    assert.equal(admitted, false);
    assert.deepEqual(
      checks.map(({ code, ok }) => [code, ok]),
      [
        ['signature', true],
        ['artifact-binding', false],
      ],
    );
    assert.match(checks[1]?.detail ?? '', /the file changed/);
  });

  const refusals: readonly (readonly [
    string,
    (typeof CODES)[number],
    object | undefined,
    RegExp,
  ])[] = [
    [
      'a publisher signature that is asked for',
      'policy',
      { publisher: 'required' },
      /asks for a publisher signature/,
    ],
    [
      'another range of whitelists',
      'currency',
      { whitelistVersions: { min: 2, max: 3 } },
      /accepted here: mashin@2 to @3/,
    ],
    [
      'a revoked key',
      'policy',
      { revoked: { keys: [environment().trust.keys[0]?.key.keyId] } },
      /revokes the certifier's key/,
    ],
  ];
  for (const [name, code, policy, detail] of refusals) {
    test(`--policy: ${name}`, async (t) => {
      const here = workspace(t);
      await here.certified('echo');
      here.write('policy.json', { format: 'policy/1', ...policy });
      const result = await here.run(
        'verify',
        'echo',
        '--policy',
        'policy.json',
        '--format',
        'json',
      );
      const last = documentOf(result, 1).checks.at(-1);
      assert.equal(last?.code, code);
      assert.match(last?.detail ?? '', detail);
    });
  }

  test('the policy of the workspace holds where none is named', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('.touchstone/policy.json', { format: 'policy/1', publisher: 'required' });
    assert.match(answerOf(await here.run('verify', 'echo'), 1), /✖ 8 policy/);
  });

  test('trust: --trust, else the workspace’s, else the user’s, else nobody', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const store = here.read('.touchstone/trust.json');
    const other = serializeTrustStore(
      makeTrustStore([{ key: stranger.publicKey, role: 'certifier' }]),
    );
    here.write('other.json', other);
    assert.match(
      answerOf(await here.run('verify', 'echo', '--trust', 'other.json'), 1),
      /✖ 1 signature +certifier \w{8}… is not in the trust store/,
    );
    here.write('.touchstone/trust.json', other);
    here.write('config/touchstone/trust.json', store);
    answerOf(await here.run('verify', 'echo'), 1);
    const { rmSync } = await import('node:fs');
    rmSync(here.path('.touchstone/trust.json'));
    answerOf(await here.run('verify', 'echo'), 0);
    rmSync(here.path('config'), { recursive: true });
    assert.match(answerOf(await here.run('verify', 'echo'), 1), /is not in the trust store/);
  });

  test('a trust store in the examined project counts for nothing', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('echo/.touchstone/trust.json', here.read('.touchstone/trust.json'));
    here.write('.touchstone/trust.json', { format: 'trust-store/1', keys: [] });
    assert.match(answerOf(await here.run('verify', 'echo'), 1), /✖ 1 signature/);
  });

  test('without a certificate nothing is admitted, and the way to one is told', async (t) => {
    const here = workspace(t);
    const stdout = answerOf(await here.run('verify', here.example('echo')), 1);
    assert.match(
      stdout,
      /^✖ 1 signature +there is no echo\/build\/echo\.wasm\.purity\.json; issue one:/,
    );
    assert.match(stdout.replace(/\s+/g, ' '), /touchstone certify echo\/executor\.json --key FILE/);
    const { checks } = documentOf(await here.run('verify', 'echo', '--format', 'json'), 1);
    assert.deepEqual(
      checks.map(({ code, ok }) => [code, ok]),
      [['signature', false]],
    );
  });

  test('--certificate names another file; a publisher signature is looked at', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('c.json', await certificateFor(here.read('echo/build/echo.wasm'), { publisher }));
    here.write('p.json', { format: 'policy/1', publisher: 'required' });
    const args = ['--certificate', 'c.json', '--policy', 'p.json'];
    answerOf(await here.run('verify', 'echo', ...args), 0);
    here.write(
      's.json',
      await certificateFor(here.read('echo/build/echo.wasm'), { publisher: stranger }),
    );
    assert.match(
      answerOf(await here.run('verify', 'echo', '--certificate', 's.json'), 1),
      /✖ 8 policy +publisher \w{8}… is not in the trust store/,
    );
  });
});
