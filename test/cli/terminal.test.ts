import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, test } from 'node:test';
import {
  assertBadInput,
  assertExit,
  CLI,
  exampleModule,
  type Result,
  type Workspace,
  workspace,
} from './support.ts';

// biome-ignore lint/suspicious/noControlCharactersInRegex: an ANSI sequence starts with a control
const ANSI = /\u001b\[/;

const hasScript =
  process.platform === 'linux' && spawnSync('script', ['--version']).stdout?.includes('util-linux');
const needsScript = hasScript ? false : 'needs the command `script` of util-linux, for a terminal';

/** Runs a shell command on a terminal of 80 columns; the answer holds both streams, as it shows them. */
async function onTerminal(here: Workspace, command: string): Promise<Result> {
  const script = `stty cols 80 rows 40; ${command}`;
  return inShell(here, { TERM: 'xterm' }, `script -qec '${script}' /dev/null < /dev/null`);
}

/** Runs a shell command in which `touchstone` is the command line. */
function inShell(here: Workspace, env: NodeJS.ProcessEnv, command: string): Result {
  here.write('bin/touchstone', `#!/bin/sh\nexec '${process.execPath}' '${CLI}' "$@"\n`);
  const { status, stdout, stderr } = spawnSync(
    'sh',
    ['-c', `chmod +x bin/touchstone; PATH="$PWD/bin:$PATH"; ${command}`],
    {
      cwd: here.folder,
      env: { PATH: process.env.PATH, HOME: here.folder, ...env },
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  return { code: status, stdout, stderr };
}

describe('colours', { concurrency: 4 }, () => {
  const plain: readonly (readonly [string, NodeJS.ProcessEnv])[] = [
    ['there are none where stdout is no terminal', { NO_COLOR: undefined }],
    [
      'there are none in CI, where stdout is no terminal either',
      { NO_COLOR: undefined, CI: 'true' },
    ],
    ['NO_COLOR wins over FORCE_COLOR', { NO_COLOR: '1', FORCE_COLOR: '1' }],
    ['FORCE_COLOR=0 asks for none', { NO_COLOR: undefined, FORCE_COLOR: '0' }],
  ];
  for (const [name, env] of plain) {
    test(name, async (t) => {
      const here = workspace(t);
      const result = await here.runWith({ env }, 'check', here.example('impure/println'));
      assertExit(result, 1);
      assert.doesNotMatch(result.stdout + result.stderr, ANSI);
    });
  }

  test('FORCE_COLOR brings them without a terminal; an empty NO_COLOR is none', async (t) => {
    const here = workspace(t);
    const env = { NO_COLOR: '', FORCE_COLOR: '1' };
    const colored = await here.runWith({ env }, 'check', here.example('impure/println'));
    assertExit(colored, 1);
    assert.match(colored.stdout, ANSI);
    const plainText = (await here.run('check', 'impure/println')).stdout;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken off
    assert.equal(colored.stdout.replace(/\u001b\[\d+m/g, ''), plainText, 'only colours differ');
  });

  test('JSON is never coloured', async (t) => {
    const here = workspace(t);
    const env = { NO_COLOR: undefined, FORCE_COLOR: '1' };
    const { stdout } = await here.runWith(
      { env },
      'check',
      here.example('echo'),
      '--format',
      'json',
    );
    assert.doesNotMatch(stdout, ANSI);
  });
});

describe('on a terminal', { skip: needsScript }, () => {
  test('there are colours, and a bar for many files that leaves the answer alone', async (t) => {
    const here = workspace(t);
    for (let i = 0; i < 40; i++) here.write(`m${i}.wasm`, exampleModule('echo'));
    const shown = await onTerminal(here, 'touchstone check --brief');
    assertExit(shown, 0);
    assert.match(shown.stdout, ANSI);
    assert.match(shown.stdout, /━+ *\d+\/40 modules/);
    const redirected = await onTerminal(here, 'touchstone check --brief > answer.txt');
    assert.match(redirected.stdout, /━+ *\d+\/40 modules/, 'stderr is a terminal still');
    const answer = here.read('answer.txt').toString();
    assert.doesNotMatch(answer, /━/);
    assert.doesNotMatch(answer, ANSI);
    const piped = await here.run('check', '--brief');
    assert.equal(piped.stderr, '', 'no bar where stderr is no terminal');
  });

  test('lines keep within 80 columns and end without blanks', async (t) => {
    const here = workspace(t);
    await here.certified('call');
    for (const name of ['impure/println', 'impure/abort', 'reason']) here.example(name);
    const input = 'call/cases/calls-once-for-each-item-in-order.json';
    const commands = [
      'check',
      'check --brief',
      'verify call',
      'verify reason',
      `run call --input @${input}`,
      'run reason',
      'receipts verify .touchstone/receipts',
      'keys generate --out key.pem',
      'keys trust key.pem.pub --trust other.json',
      'certify call --key key.pem',
      'certify impure/println --key key.pem',
      'whitelist show',
      'whitelist diff mashin@1 mashin@1 call',
    ].map((command) => `touchstone ${command}`);
    const { stdout } = await onTerminal(here, `export NO_COLOR=1; ${commands.join('; ')}`);
    const lines = stdout.replaceAll('\r', '').split('\n');
    assert.ok(lines.length > 200, 'every command answered');
    for (const line of lines) {
      // A path, a hash or a type is one word, and is not broken.
      assert.ok([...line].length <= 80 || /\S{40}/.test(line), `too wide: ${line}`);
      assert.equal(line, line.trimEnd(), 'blanks at the end');
    }
  });
});

describe('where the answer goes', () => {
  test('a reader that closes the pipe early is no error', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const here = workspace(t);
    const result = inShell(
      here,
      { NO_COLOR: '1' },
      'touchstone whitelist show --format json | head -n 1',
    );
    assertExit(result, 0);
    assert.equal(result.stdout, '{\n');
    assert.equal(result.stderr, '');
  });

  test('a full disk behind stdout is told in one line', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const here = workspace(t);
    const result = inShell(here, { NO_COLOR: '1' }, 'touchstone whitelist show > /dev/full');
    assertBadInput(result, /the answer could not be written: .*no space left on device/);
  });

  test('without stderr the exit code still tells', {
    skip: process.platform !== 'linux',
  }, async (t) => {
    const here = workspace(t);
    const result = inShell(here, {}, 'touchstone check missing.wasm 2> /dev/full');
    assertExit(result, 2);
  });
});
