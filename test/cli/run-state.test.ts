import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { flipBit } from '../support/bytes.ts';
import { counted } from '../support/counter.ts';
import { counterWorkspace } from './counter-workspace.ts';
import { answerOf, assertBadInput, assertExit, ROOT, type Workspace } from './support.ts';

async function count(here: Workspace, ...args: readonly string[]): Promise<string> {
  const result = await here.run('run', '.', '--state', 'x.state', '--format', 'json', ...args);
  assertExit(result, 0);
  return JSON.parse(result.stdout).result;
}

describe('run --state', { concurrency: 2 }, () => {
  test('goes on where the last run ended, and its receipts hold', async (t) => {
    const here = await counterWorkspace(t);
    for (let n = 1; n <= 3; n++) assert.equal(await count(here), counted(n));
    assert.ok(!existsSync(here.path('x.state.next')));
    assert.ok(!existsSync(here.path('x.state.lock')));
    const verdict = answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
    assert.match(verdict, /valid: receipts 0 to 2 hold/);
  });

  test('without it nothing is kept; and a run without it ends the chain that the state continues', async (t) => {
    const here = await counterWorkspace(t);
    await count(here);
    const plain = await here.run('run', '.', '--format', 'json');
    assert.equal(JSON.parse(plain.stdout).result, counted(1));
    assert.equal('state' in JSON.parse(plain.stdout).receipt, false);
    assertBadInput(
      await here.run('run', '.', '--state', 'x.state'),
      /x\.state is not restored: it continues the chain after receipt 0 .* ends with receipt 1 .* begin afresh/,
    );
  });

  test('a state that was changed is refused, and nothing runs', async (t) => {
    const here = await counterWorkspace(t);
    await count(here);
    const good = here.read('x.state');
    for (const bit of [200, 3_000, 8 * good.length - 5]) {
      here.write('x.state', flipBit(new Uint8Array(good), bit));
      assertExit(await here.run('run', '.', '--state', 'x.state'), 2);
    }
    here.write('x.state', good);
    assert.equal(await count(here), counted(2));
  });

  test('runs at once take turns, and lose no count', async (t) => {
    const here = await counterWorkspace(t);
    await count(here);
    const answers = await Promise.all([count(here), count(here), count(here)]);
    assert.deepEqual(answers.sort(), [counted(2), counted(3), counted(4)]);
  });
});

const KILLER = fileURLToPath(new URL('./state-killer.ts', import.meta.url));

function runAndDie(folder: string, moment: 'prepared' | 'recorded' | 'never'): string | null {
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', KILLER, folder, moment],
    { cwd: ROOT, encoding: 'utf8' },
  );
  if (moment === 'never') assert.equal(status, 0, stderr);
  else assert.equal(signal, 'SIGKILL', stderr);
  return stdout === '' ? null : JSON.parse(stdout);
}

describe('a run with a state that is killed', () => {
  const begin = (t: TestContext) => {
    const folder = mkdtempSync(join(tmpdir(), 'run-state-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  };
  const receiptsOf = (folder: string) => {
    const file = join(folder, 'receipts', 'counter.jsonl');
    return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  };

  test('before its receipt is written: it never was', (t) => {
    const folder = begin(t);
    runAndDie(folder, 'prepared');
    assert.equal(receiptsOf(folder), 0);
    assert.equal(runAndDie(folder, 'never'), counted(1));
    runAndDie(folder, 'prepared');
    assert.ok(existsSync(join(folder, 'counter.state.next')));
    assert.equal(runAndDie(folder, 'never'), counted(2));
    assert.ok(!existsSync(join(folder, 'counter.state.next')));
    assert.equal(receiptsOf(folder), 2);
  });

  test('after its receipt is written: the next run goes on after it', (t) => {
    const folder = begin(t);
    runAndDie(folder, 'recorded');
    assert.equal(receiptsOf(folder), 1);
    assert.ok(!existsSync(join(folder, 'counter.state')), 'not yet in its place');
    assert.equal(runAndDie(folder, 'never'), counted(2));
    runAndDie(folder, 'recorded');
    assert.equal(runAndDie(folder, 'never'), counted(4));
    assert.equal(receiptsOf(folder), 4);
  });

  test('and whose next state was then spoilt: it is refused, not passed over', (t) => {
    const folder = begin(t);
    runAndDie(folder, 'never');
    runAndDie(folder, 'recorded');
    const next = join(folder, 'counter.state.next');
    writeFileSync(next, flipBit(new Uint8Array(readFileSync(next)), 8 * 2_000));
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', KILLER, folder, 'never'],
      { cwd: ROOT, encoding: 'utf8' },
    );
    assert.equal(status, 1);
    assert.match(stderr, /counter\.state\.next is not restored: its state was changed/);
    assert.equal(receiptsOf(folder), 2);
  });
});
