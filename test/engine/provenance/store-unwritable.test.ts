import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { collectOutput } from '../../support/child-output.ts';
import { appendRun } from './fixtures.ts';
import {
  assertHolds,
  bundleAppender,
  openChain,
  temporaryFolder,
  validReceipts,
} from './store-harness.ts';

let appender: string;

before(async () => {
  appender = await bundleAppender();
});

/** Runs the appender under a shell's limits; answers what it acknowledged and its error line. */
async function runShell(command: string, args: readonly string[] = ['sh', '-c']) {
  const [program = 'sh', ...rest] = args;
  const child = spawn(program, [...rest, command]);
  const output = collectOutput(child);
  const [code] = await once(child, 'close');
  return {
    code,
    acknowledged: output.stdout().split('\n').slice(0, -1),
    error: output.stderr().trim(),
  };
}

async function assertUnwritable(folder: string, message: RegExp): Promise<void> {
  await assert.rejects(appendRun(openChain(folder), 0), (error: Error) => {
    assert.match(error.message, message);
    assert.match(error.message, /^[^\n]+$/);
    return 'code' in error && error.code === 'unwritable';
  });
}

test('a file size limit ends in one clear line; the chain goes on when it is raised', async () => {
  const folder = temporaryFolder();
  // 8 blocks of 512 bytes: room for three receipts and a part of the fourth.
  const { code, acknowledged, error } = await runShell(
    `ulimit -f 8; exec "${process.execPath}" "${appender}" "${folder}" 0`,
  );
  assert.equal(code, 3);
  assert.match(error, /^unwritable: cannot write to .*call\.jsonl: [^\n]+ run again$/);
  assert.ok(acknowledged.length > 0);
  assertHolds(await validReceipts(folder), acknowledged);
  await appendRun(openChain(folder), 7);
  assert.equal((await validReceipts(folder)).length, acknowledged.length + 1);
});

test('a full disk ends in one clear line and leaves a valid chain', async (t) => {
  const folder = temporaryFolder();
  const own = ['unshare', '--mount', 'sh', '-c'];
  const mount = `mount -t tmpfs -o size=64k none "${folder}"`;
  if (spawnSync('unshare', [...own.slice(1), mount]).status !== 0) {
    t.skip('needs the right to mount a file system');
    return;
  }
  const copy = temporaryFolder();
  const { acknowledged, error } = await runShell(
    `${mount} && "${process.execPath}" "${appender}" "${folder}" 0; cp "${folder}"/* "${copy}"`,
    own,
  );
  assert.match(
    error,
    /^unwritable: cannot write to .*: the disk is full; free some space and run again$/,
  );
  assert.ok(acknowledged.length > 10);
  assertHolds(await validReceipts(copy), acknowledged);
});

test('a folder without permission', async (t) => {
  if (process.getuid === undefined) {
    t.skip('needs permissions of POSIX');
    return;
  }
  const folder = join(temporaryFolder(), 'receipts');
  mkdirSync(folder);
  chmodSync(folder, 0o555);
  if (process.getuid() !== 0) {
    await assertUnwritable(folder, /permission denied/);
    return;
  }
  // The superuser may write anywhere: the appender runs as another user.
  chmodSync(join(folder, '..'), 0o755);
  chmodSync(join(appender, '..'), 0o755);
  const { status, stderr } = spawnSync(process.execPath, [appender, folder, '0', '1'], {
    uid: 65_534,
    encoding: 'utf8',
  });
  assert.equal(status, 3);
  assert.match(stderr, /^unwritable: cannot write to .*: permission denied; [^\n]+\n$/);
});

test('a file where the folder should be', async () => {
  const folder = join(temporaryFolder(), 'receipts');
  writeFileSync(folder, '');
  await assertUnwritable(folder, /a file is in its place|a part of its path is a file/);
  await assertUnwritable(join(folder, 'deeper'), /a part of its path is a file/);
});

test('a symbolic link in place of any file is not followed', async () => {
  for (const name of ['call.jsonl', 'call.tip.json', 'call.tip.json.new']) {
    const folder = temporaryFolder();
    const target = join(folder, 'target');
    writeFileSync(target, 'precious');
    symlinkSync(target, join(folder, name));
    await assertUnwritable(folder, /it is a symbolic link, which is not followed/);
    assert.equal(readFileSync(target, 'utf8'), 'precious');
    assert.ok(!existsSync(join(folder, 'call.lock')));
  }
});

test('a folder or a pipe in place of the chain', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'call.jsonl'));
  await assertUnwritable(folder, /it is a folder/);
  const other = temporaryFolder();
  execFileSync('mkfifo', [join(other, 'call.jsonl')]);
  await assertUnwritable(other, /it is not a regular file/);
});

test('a folder that does not exist is made, with those above it', async () => {
  const folder = join(temporaryFolder(), '.touchstone', 'receipts');
  await appendRun(openChain(folder), 0);
  assert.equal((await validReceipts(folder)).length, 1);
});
