import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, rmSync } from 'node:fs';
import { describe, test } from 'node:test';
import { answerOf, assertBadInput, assertExit, type Workspace, workspace } from './support.ts';

const INPUT = JSON.stringify({ context: { filler: 'x'.repeat(300) } });

const withoutMounts =
  process.platform === 'linux' &&
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt']).status === 0
    ? false
    : 'may not mount a small file system here';

const withoutLimits = process.platform === 'win32' ? 'needs the shell’s ulimit' : false;

async function prepared(here: Workspace): Promise<void> {
  await here.certified('echo');
  const first = await here.run('run', 'echo', '--input', INPUT, '--receipts', 'audit');
  assertExit(first, 0);
}

describe('a receipt that cannot be written', { concurrency: 2 }, () => {
  test('a full disk: exit 2, it says so, nothing is acknowledged, and the chain holds', {
    skip: withoutMounts,
  }, async (t) => {
    const here = workspace(t);
    await prepared(here);
    // The receipts go to a file system of 32 KB, and are copied out of it after the first failure.
    here.write(
      'fill.sh',
      `mount -t tmpfs -o size=32k none audit || exit 99
       i=0; while [ $i -lt 60 ]; do i=$((i + 1))
         "$@" --receipts audit > answer.txt 2> error.txt || { code=$?; cp audit/* kept/; echo $i > count.txt; exit $code; }
       done; exit 98`,
    );
    here.write('kept/.keep', '');
    const full = await here.runWith(
      { via: ['unshare', '-rm', 'sh', 'fill.sh'] },
      'run',
      'echo',
      '--input',
      INPUT,
    );
    const runs = Number(here.read('count.txt'));
    const [answer, error] = ['answer.txt', 'error.txt'].map((name) => here.read(name).toString());
    assertBadInput(
      { ...full, stdout: answer ?? '', stderr: error ?? '' },
      /nothing of this run is acknowledged, .*the disk is full/,
    );
    assert.ok(runs > 3, `failed in run ${runs} already`);
    for (const name of readdirSync(here.path('kept'))) {
      if (name.endsWith('.lock')) rmSync(here.path('kept', name));
    }
    const [chain] = JSON.parse(
      answerOf(await here.run('receipts', 'verify', 'kept', '--format', 'json')),
    ).chains;
    assert.equal(chain.verdict, 'valid');
    assert.equal(
      chain.length,
      runs - 1,
      'each run that was answered has its receipt, and no other',
    );
    const next = await here.run('run', 'echo', '--input', INPUT, '--receipts', 'kept');
    assertExit(next, 0);
    assert.match(answerOf(await here.run('receipts', 'verify', 'kept')), /valid/);
  });

  test('a file size limit: exit 2, it says so, and the chain holds', {
    skip: withoutLimits,
  }, async (t) => {
    const here = workspace(t);
    await prepared(here);
    // A limit of one block of 512 or 1,024 bytes: the second receipt does not fit.
    const via = ['sh', '-c', 'ulimit -f 1; exec "$@"', 'sh'];
    copyFileSync(here.path('audit/echo.jsonl'), here.path('before.jsonl'));
    const result = await here.runWith(
      { via },
      'run',
      'echo',
      '--input',
      INPUT,
      '--receipts',
      'audit',
    );
    assertBadInput(
      result,
      /nothing of this run is acknowledged, .*the file reached the size limit/,
    );
    assert.deepEqual(
      here.read('audit/echo.jsonl'),
      here.read('before.jsonl'),
      'nothing is left of it',
    );
    assert.match(answerOf(await here.run('receipts', 'verify', 'audit')), /valid: receipt 0 holds/);
    assertExit(await here.run('run', 'echo', '--receipts', 'audit'), 0);
    assert.match(
      answerOf(await here.run('receipts', 'verify', 'audit')),
      /valid: receipts 0 to 1 hold/,
    );
  });

  test('a file in the place of the folder', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    assertExit(await here.run('run', 'echo'), 0);
    here.write('taken', '');
    assertBadInput(
      await here.run('run', 'echo', '--receipts', 'taken'),
      /taken.*(?:a file is in its place|a part of its path is a file)/,
    );
  });

  test('a certificate that cannot be written', async (t) => {
    const here = workspace(t);
    here.example('echo');
    assertExit(await here.run('keys', 'generate', '--out', 'key.pem'), 0);
    const args = ['certify', 'echo', '--key', 'key.pem', '--out'];
    assertBadInput(
      await here.run(...args, 'no/such/folder.json'),
      /folder\.json: not written: no such folder/,
    );
    const full = process.platform === 'linux' ? '/proc/x.purity.json' : 'echo/executor.json/x';
    assertBadInput(await here.run(...args, full), /x.*: not written: /);
  });
});
