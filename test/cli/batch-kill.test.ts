// A batch that is killed at random moments, and given again until it is done.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { answerOf, assertExit, CLI, type Workspace, workspace } from './support.ts';

const INPUTS = 4_000;

interface Result {
  readonly line: number;
  readonly receipt: { readonly epoch: number; readonly hash: string } | null;
}

/** Every seventh line is no input document. */
const INPUT_LINES = Array.from({ length: INPUTS }, (_, i) =>
  i % 7 === 3 ? `[${i}]` : `{"context":{"i":${i}}}`,
);

async function prepared(t: TestContext): Promise<Workspace> {
  const here = workspace(t);
  await here.certified('echo');
  here.write('in.jsonl', `${INPUT_LINES.join('\n')}\n`);
  assertExit(await here.run('run', 'echo', '--receipts', 'warm'), 0); // makes the environment's key
  return here;
}

const argsOf = (out: string, more: readonly string[]) => [
  'batch',
  'echo',
  '--inputs',
  'in.jsonl',
  '--jobs',
  '2',
  '--out',
  `${out}.jsonl`,
  '--receipts',
  out,
  ...more,
];

/** Starts the batch and kills it some time after its results grow, or before; false if it ended first. */
async function killSometime(here: Workspace, args: readonly string[], out: string) {
  const file = here.path(`${out}.jsonl`);
  const size = () => (existsSync(file) ? statSync(file).size : 0);
  const before = size();
  const child = spawn(process.execPath, [CLI, ...args], { cwd: here.folder, stdio: 'ignore' });
  const closed = once(child, 'close');
  let ended = false;
  void closed.then(() => {
    ended = true;
  });
  const waitsForResults = Math.random() < 0.8;
  while (waitsForResults && !ended && size() === before) await sleep(2);
  await sleep(Math.random() * (waitsForResults ? 120 : 300));
  child.kill('SIGKILL');
  const [, signal] = await closed;
  return signal === 'SIGKILL';
}

function resultsOf(here: Workspace, out: string): Result[] {
  return here
    .read(`${out}.jsonl`)
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const byLine = (results: readonly Result[]) => results.toSorted((a, b) => a.line - b.line);
const withoutReceipt = ({ receipt: _, ...rest }: Result) => rest;

describe('killed with SIGKILL', { concurrency: 1, skip: process.platform === 'win32' }, () => {
  const ways: readonly (readonly [string, readonly string[], number])[] = [
    ['signed in batches', ['--sign', 'batch'], 12],
    ['signed one by one', ['--sign', 'each'], 12],
    ['unordered', ['--unordered'], 6],
  ];
  for (const [name, more, kills] of ways) {
    test(`${name}: after ${kills} kills each input has exactly one receipt, and its result`, async (t) => {
      const here = await prepared(t);
      assertExit(await here.run(...argsOf('calm', more)), 1);
      const calm = resultsOf(here, 'calm');
      let killed = 0;
      for (let round = 0; killed < kills; round++) {
        const out = `round${round}`;
        const args = argsOf(out, more);
        while (killed < kills && (await killSometime(here, args, out))) killed++;
        const last = await here.run(...args);
        assertExit(last, 1);
        const results = resultsOf(here, out);
        if (!more.includes('--unordered')) assert.deepEqual(results, byLine(results));
        assert.deepEqual(
          byLine(results).map(withoutReceipt),
          byLine(calm).map(withoutReceipt),
          'the results of an undisturbed run',
        );
        if (more.includes('each')) assert.deepEqual(results, calm, 'and its very receipts');
        const chain = here.read(`${out}/echo.jsonl`).toString().trimEnd().split('\n');
        const inputs = chain.map((line) => JSON.parse(line).inputHash);
        assert.equal(new Set(inputs).size, chain.length, 'no input is recorded twice');
        assert.equal(chain.length, results.filter(({ receipt }) => receipt !== null).length);
        const answer = answerOf(await here.run('receipts', 'verify', out, '--format', 'json'));
        assert.equal(JSON.parse(answer).chains[0].verdict, 'valid');
      }
      t.diagnostic(`${killed} kills`);
    });
  }
});

test('Ctrl-C ends the batch in order, says how to go on, and the next run does', {
  skip: process.platform === 'win32' ? 'has no signals' : false,
}, async (t) => {
  const here = await prepared(t);
  const args = argsOf('out', []);
  const child = spawn(process.execPath, [CLI, ...args], { cwd: here.folder });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  while (!existsSync(here.path('out.jsonl')) || statSync(here.path('out.jsonl')).size === 0) {
    await sleep(2);
  }
  child.kill('SIGINT');
  const [code] = await once(child, 'close');
  assert.equal(code, 1);
  assert.match(stderr, /^Stopping: what runs is recorded first/m);
  assert.match(
    stderr,
    /Stopped with [\d,]+ inputs left\. To go on, give the same command again\.\n$/,
  );
  const stopped = resultsOf(here, 'out');
  assert.deepEqual(
    stopped.map(({ line }) => line),
    stopped.map((_, i) => i + 1),
  );
  const next = await here.run(...args);
  assertExit(next, 1);
  assert.match(next.stderr, /^Going on after /);
  assert.equal(resultsOf(here, 'out').length, INPUTS);
});
