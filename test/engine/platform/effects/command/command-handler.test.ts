import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError } from '../../../../../engine/encoding/input-error.ts';
import type { JsonObject, JsonValue } from '../../../../../engine/encoding/json.ts';
import type { EffectOutcome } from '../../../../../engine/governance/effect.ts';
import { execGrant } from '../../../../../engine/governance/grants/exec.ts';
import type { Secrets } from '../../../../../engine/governance/secret.ts';
import { createCommandHandler } from '../../../../../engine/platform/node/effects/command/command-handler.ts';
import { type AskOptions, ask, codeOf } from '../file/ask.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'touchstone-command-test-')));
after(() => rmSync(base, { recursive: true, force: true }));
const onPosix = { skip: process.platform === 'win32' };

const NO_SECRETS: Secrets = { get: async () => undefined };

interface CommandOptions extends AskOptions {
  readonly args?: readonly JsonValue[];
  readonly env?: JsonObject;
  readonly cwd?: string;
  readonly grant?: JsonObject;
  readonly secrets?: Secrets;
}

function handlerOf(commands: readonly JsonObject[], grant: JsonObject = {}, secrets = NO_SECRETS) {
  return createCommandHandler(execGrant.parse({ commands, ...grant }), { secrets, base });
}

/** Runs a program, which may be a script for Node, under the name `test`. */
async function run(
  path: string,
  fixed: readonly string[],
  { args = [], env, cwd, grant, secrets, ...options }: CommandOptions = {},
): Promise<EffectOutcome> {
  const command = { name: 'test', path, args: fixed, ...(env && { env }), ...(cwd && { cwd }) };
  const handler = handlerOf([command], grant, secrets);
  try {
    return await ask(handler, { type: 'exec_command', command: 'test', args }, options);
  } finally {
    await handler.close?.();
  }
}

const script = (source: string, options?: CommandOptions) =>
  run(process.execPath, ['-e', source, '--'], options);

function resultOf(outcome: EffectOutcome): JsonValue {
  assert.ok(outcome.kind === 'performed', JSON.stringify(outcome));
  return outcome.result;
}

/** What a program printed that ended well. */
function printed(outcome: EffectOutcome): string {
  const result = resultOf(outcome);
  assert.ok(typeof result === 'object' && result !== null && 'stdout' in result);
  assert.equal(result.exitCode, 0, JSON.stringify(result));
  return String(result.stdout);
}

/** Whether a process is there and no zombie. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(5);
}

test('a program runs, and what it printed and how it ended is the result', async () => {
  assert.deepEqual(await script('console.log("öut"); console.error("err"); process.exit(3)'), {
    kind: 'performed',
    result: { exitCode: 3, stdout: 'öut\n', stderr: 'err\n' },
    cost: { bytes: 9 },
  });
  assert.deepEqual(resultOf(await script('process.stdout.write(Buffer.from([255, 0]))')), {
    exitCode: 0,
    stdout: { base64: '/wA=' },
    stderr: '',
  });
});

test('a program that a signal ended has no exit code', onPosix, async () => {
  assert.deepEqual(resultOf(await script('process.kill(process.pid, "SIGKILL")')), {
    exitCode: null,
    signal: 'SIGKILL',
    stdout: '',
    stderr: '',
  });
});

test('arguments reach the program as they are', async () => {
  const args = [
    '',
    ' ',
    '$(touch x)',
    '`touch x`',
    '; touch x',
    '&& touch x',
    '| cat',
    '> x',
    '*',
    '~',
    '$HOME',
    '%PATH%',
    '"',
    "'",
    '\\',
    'a\nb',
    '--eval=1',
    '-p',
    'ünï\u{1f600}',
  ];
  const outcome = await script('console.log(JSON.stringify(process.argv.slice(1)))', { args });
  assert.deepEqual(JSON.parse(printed(outcome)), args);
});

test('the arguments of the grant stand first', async () => {
  const outcome = await run('/bin/echo', ['one', 'two'], { args: ['three'] });
  assert.equal(printed(outcome), 'one two three\n');
});

test('the environment is exactly the grant’s', async () => {
  const canaries = { TOUCHSTONE_CANARY: 'leak', NODE_V8_COVERAGE: join(base, 'coverage') };
  Object.assign(process.env, canaries);
  try {
    const secrets: Secrets = { get: async (name) => (name === 'TOKEN' ? 'v=al ue' : undefined) };
    const env = { A: '1', EMPTY: '', SECRET: { secret: 'TOKEN' } };
    const outcome = await run('/usr/bin/env', [], { env, secrets });
    const lines = printed(outcome).split('\n');
    const own = process.platform === 'darwin' ? /^__CF/ : /^$/;
    assert.deepEqual(lines.filter((line) => !own.test(line)).sort(), [
      'A=1',
      'EMPTY=',
      'SECRET=v=al ue',
    ]);
    assert.equal(printed(await run('/usr/bin/env', [])), '');
  } finally {
    for (const name of Object.keys(canaries)) delete process.env[name];
  }
});

test('a secret that is not there or cannot be read is a failure, told without details', async () => {
  const env = { SECRET: { secret: 'TOKEN' } };
  assert.equal(codeOf(await script('', { env })), 'failed secret-missing');
  const broken: Secrets = { get: () => Promise.reject(new Error('/home/someone: the value is x')) };
  assert.deepEqual(await script('', { env, secrets: broken }), {
    kind: 'failed',
    code: 'secret-unreadable',
    message: 'the command "test": the secret "TOKEN" cannot be read',
  });
  const withNul: Secrets = { get: async () => 'hidden\0value' };
  const outcome = await script('', { env, secrets: withNul });
  assert.equal(codeOf(outcome), 'failed start-failed');
  assert.doesNotMatch(JSON.stringify(outcome), /hidden|value/);
});

test('standard input is empty', async () => {
  assert.equal(printed(await run('/bin/cat', [])), '');
});

test('no descriptor of this process reaches the program', {
  skip: process.platform !== 'linux',
}, () => {
  // As a shell or a service manager leaves one open, which Node itself never does.
  const held = openSync(join(base, 'held'), 'w');
  const outer = join(base, 'outer.mts');
  writeFileSync(
    outer,
    `import { runProgram } from ${JSON.stringify(
      new URL('../../../../../engine/platform/node/effects/command/program-run.ts', import.meta.url)
        .href,
    )};
    const plan = { path: '/bin/ls', args: ['-l', '/proc/self/fd'], env: {}, cwd: '/' };
    const limits = { outputBytes: 100_000, timeoutMs: 10_000 };
    const end = await runProgram(plan, limits, new AbortController().signal);
    process.stdout.write(end.stdout);`,
  );
  const { stdout } = spawnSync(process.execPath, ['--import', 'tsx', outer], {
    // Node closes for others what it finds open at low numbers.
    stdio: [...Array<'ignore' | 'pipe'>(100).fill('ignore').with(1, 'pipe'), held],
    encoding: 'utf8',
  });
  assert.match(stdout, /\b0 -> \/dev\/null/);
  assert.doesNotMatch(stdout, /held/);
});

test('a program runs in the folder of the grant, else in an empty one that is gone after', async () => {
  mkdirSync(join(base, 'work'));
  const show = 'console.log(JSON.stringify([process.cwd(), fs.readdirSync(".")]))';
  const [named] = JSON.parse(printed(await script(show, { cwd: 'work' })));
  assert.equal(named, join(base, 'work'));
  const litter = `fs.mkdirSync("deep/er", { recursive: true }); fs.writeFileSync("deep/f", "");`;
  const [empty, entries] = JSON.parse(printed(await script(`${show}; ${litter}`)));
  assert.deepEqual(entries, []);
  assert.ok(!existsSync(empty));
  assert.equal(codeOf(await script(show, { cwd: 'nowhere' })), 'failed folder-missing');
});

test('only what the grant names is run', async () => {
  const echo = { name: 'say', path: '/bin/echo' };
  const handler = handlerOf([echo, { name: 'cat', path: '/bin/cat' }]);
  const of = (command: JsonValue, args: JsonValue = []) =>
    ask(handler, { type: 'exec_command', command, args });
  assert.equal(printed(await of('say', ['hi'])), 'hi\n');
  assert.equal(printed(await of('/bin/echo', ['hi'])), 'hi\n');
  for (const command of ['echo', 'SAY', 'say ', '/bin/ls', '/bin/../bin/echo', '/bin//echo', '']) {
    assert.equal(codeOf(await of(command)), 'refused command-not-granted', command);
  }
  for (const command of [null, 1, ['say'], { name: 'say' }]) {
    assert.equal(codeOf(await of(command)), 'refused command-refused');
  }
  for (const args of ['hi', null, {}, [1], [null], [['hi']], ['a\0b'], ['\ud800']] as JsonValue[]) {
    assert.equal(codeOf(await of('say', args)), 'refused args-refused', JSON.stringify(args));
  }
  const many = Array.from({ length: 1_001 }, () => '');
  assert.equal(codeOf(await of('say', many)), 'refused args-too-large');
  assert.equal(codeOf(await of('say', ['x'.repeat(131_073)])), 'refused args-too-large');
  assert.equal(codeOf(await of('say', many.slice(1))), 'performed');
});

test('a program that is granted under several names is not guessed by its path', async () => {
  const handler = handlerOf([
    { name: 'one', path: '/bin/echo', args: ['1'] },
    { name: 'two', path: '/bin/echo', args: ['2'] },
  ]);
  const of = (command: string) => ask(handler, { type: 'exec_command', command, args: [] });
  assert.equal(printed(await of('two')), '2\n');
  assert.equal(codeOf(await of('/bin/echo')), 'refused command-not-granted');
});

test('a grant names programs by absolute path, once each', () => {
  const isPolicyError = (error: unknown) =>
    error instanceof InputError && error.code === 'invalid-policy';
  for (const path of ['echo', './echo', '../bin/echo', 'bin/echo', '/bin/echo\0', '~/echo']) {
    assert.throws(() => handlerOf([{ name: 'x', path }]), isPolicyError, path);
  }
  const isGrant = (...commands: JsonObject[]) => execGrant.safeParse({ commands }).success;
  const command = { name: 'x', path: '/bin/echo' };
  assert.ok(isGrant(command));
  assert.ok(!isGrant(command, command));
  assert.ok(!isGrant({ ...command, args: ['a\0'] }));
  assert.ok(!isGrant({ ...command, env: { 'A=B': '' } }));
  assert.ok(!isGrant({ ...command, env: { A: '\0' } }));
});

test('a batch file is refused on Windows', { skip: process.platform !== 'win32' }, () => {
  for (const path of ['C:\\x.bat', 'C:\\x.CMD', 'C:\\x.cmd. ']) {
    assert.throws(() => handlerOf([{ name: 'x', path }]), /a batch file is run by a shell/);
  }
});

test('a program that is not there, or none, is a failure', onPosix, async () => {
  const file = join(base, 'program');
  const of = async () => codeOf(await run(file, []));
  assert.equal(await of(), 'failed command-missing');
  writeFileSync(file, '#!/bin/sh\necho first\n', { mode: 0o755 });
  assert.equal(await of(), 'performed');
  // It is looked at anew each time.
  chmodSync(file, 0o644);
  assert.equal(await of(), 'failed command-not-executable');
  rmSync(file);
  mkdirSync(file);
  assert.equal(await of(), 'failed command-not-executable');
  rmSync(file, { recursive: true });
  writeFileSync(file, 'echo a shell ran this\n', { mode: 0o755 });
  assert.equal(await of(), 'failed command-not-executable');
  writeFileSync(file, '');
  assert.equal(await of(), 'failed command-not-executable');
  writeFileSync(file, '#!/no/such/interpreter\n', { mode: 0o755 });
  assert.equal(await of(), 'failed command-missing');
  assert.equal(codeOf(await run(join(file, 'below'), [])), 'failed command-missing');
});

test('output is bounded while it is read, both streams together', async () => {
  const grant = { outputBytes: 1_000 };
  const both = (bytes: number) =>
    `process.stdout.write("x".repeat(${bytes})); process.stderr.write("y".repeat(500))`;
  assert.equal(codeOf(await script(both(500), { grant })), 'performed');
  assert.equal(codeOf(await script(both(501), { grant })), 'failed too-large');
  assert.equal(
    codeOf(await script(both(500), { grant, allowance: { bytes: 999 } })),
    'failed bytes-exhausted',
  );
});

test('a program that floods its output is ended', onPosix, async () => {
  const outcome = await run('/bin/sh', ['-c', 'trap "" TERM PIPE; while :; do echo flood; done'], {
    grant: { timeoutMs: 60_000 },
  });
  assert.equal(codeOf(outcome), 'failed too-large');
  assert.ok(outcome.kind === 'failed' && (outcome.cost?.bytes ?? 0) < 2_000_000);
});

/** A program that writes its process id into a file, and is cancelled once it is there. */
async function cancelWhenRunning(
  source: string,
): Promise<{ readonly outcome: EffectOutcome; readonly pids: readonly number[] }> {
  const file = join(base, 'pids');
  rmSync(file, { force: true });
  const abort = new AbortController();
  const outcome = run('/bin/sh', ['-c', source, file], { signal: abort.signal });
  let pids: readonly number[] = [];
  while (!existsSync(file) || !readFileSync(file, 'utf8').endsWith('done\n')) await sleep(5);
  pids = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => /^\d+$/.test(line))
    .map(Number);
  abort.abort();
  return { outcome: await outcome, pids };
}

test('cancelling ends a program with all that it started', onPosix, async () => {
  const { outcome, pids } = await cancelWhenRunning(
    'sleep 600 & echo $! >> "$0"; (sleep 600 & echo $! >> "$0"; wait) & ' +
      'while [ $(wc -l < "$0") -lt 2 ]; do :; done; echo $$ >> "$0"; echo done >> "$0"; wait',
  );
  assert.equal(codeOf(outcome), 'failed cancelled');
  assert.equal(pids.length, 3);
  for (const pid of pids) await untilGone(pid);
});

test('a program that heeds no SIGTERM is killed', onPosix, async () => {
  const { outcome, pids } = await cancelWhenRunning(
    'trap "" TERM; echo $$ >> "$0"; echo done >> "$0"; while :; do sleep 0.1; done',
  );
  assert.equal(codeOf(outcome), 'failed cancelled');
  assert.equal(pids.length, 1);
  for (const pid of pids) await untilGone(pid);
});

test('a program that takes too long is ended', async () => {
  const outcome = await script('setInterval(() => {}, 1000)', { grant: { timeoutMs: 200 } });
  assert.deepEqual(outcome, {
    kind: 'failed',
    code: 'timeout',
    message: 'the command "test": it took longer than 200 ms',
    cost: { bytes: 0 },
  });
});

test('what a program leaves behind with its output open is ended with it', onPosix, async () => {
  const outcome = await run('/bin/sh', ['-c', 'sleep 600 & echo $!']);
  const pid = Number(printed(outcome));
  assert.ok(pid > 1);
  await untilGone(pid);
});

test('a process that left the group does not hold the answer up', {
  skip: process.platform !== 'linux',
}, async () => {
  const file = join(base, 'left');
  const leave = 'setsid sh -c \'echo $$ > "$0"; exec sleep 600\' "$0" & ';
  const outcome = await run('/bin/sh', ['-c', `${leave} while [ ! -s "$0" ]; do :; done`, file]);
  assert.equal(printed(outcome), '');
  process.kill(Number(readFileSync(file, 'utf8')), 'SIGKILL');
});

test('nothing is started once it is cancelled', async () => {
  const file = join(base, 'started');
  const outcome = await script(`fs.writeFileSync(${JSON.stringify(file)}, "")`, {
    signal: AbortSignal.abort(),
  });
  assert.equal(codeOf(outcome), 'failed cancelled');
  assert.ok(!existsSync(file));
});

test('running a command again is not the same as once', () => {
  const handler = handlerOf([{ name: 'x', path: '/bin/echo' }]);
  const directive = { type: 'exec_command', command: 'x', args: [] };
  assert.equal(handler.isRepeatable?.(directive) ?? false, false);
});
