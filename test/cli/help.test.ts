import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { answerOf, assertExit, ROOT, workspace } from './support.ts';

const COMMANDS = [
  '',
  'check',
  'certify',
  'verify',
  'run',
  'batch',
  'receipts',
  'receipts verify',
  'receipts prove',
  'keys',
  'keys generate',
  'keys show',
  'keys trust',
  'attest',
  'attest verify',
  'serve',
  'audit',
  'voucher',
  'voucher mint',
  'voucher verify',
  'whitelist',
  'whitelist show',
  'whitelist diff',
];

/** The options that DESIGN 10 names. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  check: ['--whitelist', '--format'],
  certify: ['--key', '--publisher-key', '--out'],
  verify: ['--trust', '--policy', '--certificate'],
  run: ['--input', '--tier', '--fuel', '--grant', '--receipts'],
  batch: ['--inputs', '--jobs', '--out', '--unordered', '--sign', '--receipts'],
  'receipts prove': ['--epoch', '--out'],
  'keys generate': ['--out'],
  'keys trust': ['--trust', '--as'],
  'voucher mint': ['--artifact', '--fuel', '--environment', '--expires', '--key', '--out'],
  'voucher verify': ['--artifact', '--trust', '--format'],
};

describe('--help', { concurrency: 4 }, () => {
  for (const command of COMMANDS) {
    test(`touchstone ${command} teaches by example, in 80 columns`, async (t) => {
      const steps = command === '' ? [] : command.split(' ');
      const help = answerOf(await workspace(t).run(...steps, '--help'));
      assert.match(help, new RegExp(`^Usage: touchstone ${command}`));
      assert.match(help, new RegExp(`^ {2}\\$ (cat .+ \\| )?touchstone ${command}`, 'm'));
      for (const line of help.split('\n')) {
        assert.ok([...line].length <= 80 || line.includes('$'), `too wide: ${line}`);
        assert.equal(line, line.trimEnd());
      }
      for (const name of OPTIONS[command] ?? [])
        assert.match(help, new RegExp(`^ {2}${name} `, 'm'));
      for (const [path] of help.matchAll(/\bexamples\/[\w./-]+/g)) {
        assert.ok(existsSync(join(ROOT, path)), `${path} is not there to be tried`);
      }
    });
  }

  test('the first page lists every command and what exit codes mean', async (t) => {
    const help = answerOf(await workspace(t).run('--help'));
    for (const command of COMMANDS.filter((each) => each !== '' && !each.includes(' '))) {
      assert.match(help, new RegExp(`^ {2}${command} `, 'm'));
    }
    assert.match(help, /Exit codes: 0 all well, 1 a finding or a refusal, 2 wrong usage/);
  });
});

test('--version prints the version of the package', async (t) => {
  const { default: about } = await import('../../package.json', { with: { type: 'json' } });
  assert.equal(answerOf(await workspace(t).run('--version')), `${about.version}\n`);
});

for (const group of [[], ['keys'], ['receipts'], ['voucher'], ['whitelist']]) {
  test(`touchstone ${group.join(' ')} without a command shows the help as a message`, async (t) => {
    const result = await workspace(t).run(...group);
    assertExit(result, 2);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^Usage: touchstone/);
  });
}
