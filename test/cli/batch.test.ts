import assert from 'node:assert/strict';
import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { assemble } from '../support/wat.ts';
import { MODULES } from './run-support.ts';
import { answerOf, assertBadInput, assertExit, type Workspace, workspace } from './support.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);

/** One line of the results. */
const contract = z.strictObject({
  line: z.int().min(1),
  status: z.string(),
  result: z.json(),
  directives: z.array(z.looseObject({ type: z.string() })),
  decisions: z.array(z.looseObject({ type: z.string(), hash: hex, decision: z.string() })),
  logs: z.array(z.strictObject({ level: z.string(), message: z.string() })).optional(),
  fuel: z.strictObject({ limit: z.int(), used: z.int().nullable() }).nullable(),
  receipt: z.strictObject({ epoch: z.int().min(0), hash: hex }).nullable(),
  problem: z.looseObject({ code: z.string(), message: z.string() }).optional(),
});

function resultsOf(text: string | Buffer) {
  const lines = text.toString().split('\n');
  assert.equal(lines.pop(), '', 'every line ends');
  return lines.map((line) => contract.parse(JSON.parse(line)));
}

const linesOf = (count: number, from = 1) =>
  Array.from({ length: count }, (_, i) => `{"context":{"i":${from + i}}}\n`).join('');

/** A workspace with the echo executor, and inputs for it. */
async function prepared(t: TestContext, inputs = linesOf(200)): Promise<Workspace> {
  const here = workspace(t);
  await here.certified('echo');
  here.write('in.jsonl', inputs);
  return here;
}

async function verified(here: Workspace, folder = '.touchstone/receipts') {
  const answer = answerOf(await here.run('receipts', 'verify', folder, '--format', 'json'));
  const [chain] = JSON.parse(answer).chains;
  assert.equal(chain.verdict, 'valid', chain.detail);
  return chain.length as number;
}

const BATCH = ['batch', 'echo', '--inputs', 'in.jsonl', '--jobs', '2'];

describe('batch', { concurrency: 2 }, () => {
  for (const sign of ['each', 'batch']) {
    test(`results in the order of the inputs, each with its receipt: --sign ${sign}`, async (t) => {
      const here = await prepared(t);
      const result = await here.run(...BATCH, '--sign', sign);
      assertExit(result, 0);
      const results = resultsOf(result.stdout);
      assert.equal(results.length, 200);
      for (const [i, { line, status, result, receipt, logs }] of results.entries()) {
        assert.deepEqual({ line, status }, { line: i + 1, status: 'ok' });
        assert.deepEqual(result, { context: { i: i + 1 }, step_config: {} });
        assert.equal(receipt?.epoch, i);
        assert.equal(logs, undefined);
      }
      assert.match(
        result.stderr,
        /\n200 ok(?:; fuel [\d,]+ in [\d,]+ metered runs)?; [\d,]+ a second\n$/,
      );
      assert.equal(await verified(here), 200);
      const lines = here.read('.touchstone/receipts/echo.jsonl').toString().split('\n');
      for (const [i, line] of lines.slice(0, -1).entries()) {
        assert.equal(JSON.parse(line).format, sign === 'each' ? 'receipt/1' : 'receipt/2', `${i}`);
      }
    });
  }

  test('the same batch gives the same receipts, however many run at once: --sign each', async (t) => {
    const here = await prepared(t);
    const chains = [];
    for (const jobs of ['1', '2', '3']) {
      const args = ['--jobs', jobs, '--sign', 'each', '--receipts', `r${jobs}`];
      assertExit(await here.run('batch', 'echo', '--inputs', 'in.jsonl', ...args), 0);
      chains.push(here.read(`r${jobs}/echo.jsonl`).toString());
    }
    assert.equal(new Set(chains).size, 1);
  });

  test('every receipt of a batch is proved by itself', async (t) => {
    const here = await prepared(t, linesOf(30));
    assertExit(await here.run(...BATCH), 0);
    const chain = '.touchstone/receipts/echo.jsonl';
    for (const epoch of [0, 13, 29]) {
      const args = ['--epoch', String(epoch), '--out', 'proof.json'];
      assert.match(
        answerOf(await here.run('receipts', 'prove', chain, ...args)),
        /^✔ echo@1\.0\.0 {2}valid: receipt \d+ was signed \(run [0-9a-f-]+\)\n {2}proof {2}proof\.json, [\d,]+ bytes\n$/,
      );
      const answer = await here.run('receipts', 'verify', 'proof.json', '--format', 'json');
      const { proof } = JSON.parse(answerOf(answer));
      assert.equal(proof.verdict, 'valid');
      assert.equal(proof.epoch, epoch);
      const text = here.read('proof.json').toString();
      here.write('proof.json', text.replace('"status":"ok"', '"status":"trap"'));
      assert.match(
        answerOf(await here.run('receipts', 'verify', 'proof.json'), 1),
        /^✖ echo@1\.0\.0 {2}invalid-signature: /,
      );
    }
    const none = await here.run('receipts', 'prove', chain, '--epoch', '30', '--out', 'p.json');
    assertBadInput(none, /there is no receipt 30: the chain has 30/);
  });

  test('--unordered gives every result once, as they come', async (t) => {
    const here = await prepared(t);
    const result = await here.run(...BATCH, '--unordered');
    assertExit(result, 0);
    const results = resultsOf(result.stdout);
    assert.deepEqual(
      results.map(({ line }) => line).sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    for (const { line, result } of results) {
      assert.deepEqual(result, { context: { i: line }, step_config: {} });
    }
    assert.deepEqual(
      results.map(({ receipt }) => receipt?.epoch),
      [...results.keys()],
    );
    assert.equal(await verified(here), 200);
  });

  test('a bad line is a finding about that line, without a receipt; exit 1', async (t) => {
    const bad = ['', '{', '[]', '{"other":1}', '{"context":1}', '\u0000', '{"a":1,"a":2}'];
    const lines = bad.map((line, i) => `${line}\n{"context":{"i":${i}}}\n`).join('');
    const here = await prepared(t, `${lines}{"input":{"context":{"c":1}},"expect":{}}`);
    here.write('in.jsonl', Buffer.concat([here.read('in.jsonl'), Buffer.of(0x0a, 0xff, 0x0a)]));
    const result = await here.run(...BATCH);
    assertExit(result, 1);
    const results = resultsOf(result.stdout);
    assert.equal(results.length, 2 * bad.length + 2);
    for (const { line, status, receipt, problem, result } of results) {
      const isGood = line % 2 === 0 ? line <= 2 * bad.length : line === 2 * bad.length + 1;
      assert.equal(status, isGood ? 'ok' : 'invalid-input', `line ${line}`);
      assert.equal(receipt === null, !isGood);
      assert.equal(problem === undefined, isGood);
      if (line === 2 * bad.length + 1) {
        assert.deepEqual(
          result,
          { context: { c: 1 }, step_config: {} },
          'a case stands for its input',
        );
      }
    }
    assert.match(result.stderr, /8 ok, 8 invalid-input/);
    assert.equal(await verified(here), bad.length + 1);
  });

  test('a line beyond the bound is not read, and the next one is', async (t) => {
    const here = await prepared(t, `{"context":{"x":"${'x'.repeat(17_000_000)}"}}\n${linesOf(1)}`);
    const result = await here.run(...BATCH);
    assertExit(result, 1);
    const [long, next] = resultsOf(result.stdout);
    assert.equal(long?.problem?.code, 'too-large');
    assert.equal(next?.status, 'ok');
  });

  test('runs that end badly have receipts, and do not end the batch; exit 1', async (t) => {
    const here = workspace(t);
    here.write('trap.wasm', assemble(MODULES.trap));
    await here.certify('trap.wasm');
    here.write('in.jsonl', linesOf(20));
    const result = await here.run('batch', 'trap.wasm', '--inputs', 'in.jsonl');
    assertExit(result, 1);
    for (const { status, problem, receipt } of resultsOf(result.stdout)) {
      assert.equal(status, 'trap');
      assert.equal(problem?.code, 'unreachable');
      assert.ok(receipt);
    }
    assert.equal(await verified(here), 20);
  });

  test('an empty file of inputs is done at once', async (t) => {
    const here = await prepared(t, '');
    const result = await here.run(...BATCH);
    assertExit(result, 0);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /no inputs/);
  });

  test('what is not admitted runs nothing; exit 1', async (t) => {
    const here = workspace(t);
    here.example('echo');
    here.write('in.jsonl', linesOf(3));
    const result = await here.run(...BATCH, '--out', 'out.jsonl');
    assertExit(result, 1);
    assert.equal(result.stdout, '');
    assert.match(result.stderr, /^✖ echo@1\.0\.0 was not admitted: signature: /);
  });

  test('other processes append to the chain meanwhile', async (t) => {
    const here = await prepared(t, linesOf(300));
    const [batch, ...runs] = await Promise.all([
      here.run(...BATCH),
      ...[1, 2, 3].map(() => here.run('run', 'echo')),
    ]);
    assert.ok(batch);
    assertExit(batch, 0);
    for (const each of runs) assertExit(each, 0);
    assert.equal(await verified(here), 303);
  });

  test('wrong usage: --out names a file that holds something', async (t) => {
    const here = await prepared(t);
    const result = await here.run(...BATCH, '--out', 'in.jsonl');
    assertExit(result, 2);
    assert.match(result.stderr, /in\.jsonl is there already, .*; choose another --out\n$/);
    assert.equal(here.read('in.jsonl').toString(), linesOf(200));
  });

  const usage: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no inputs', ['batch', 'echo'], /required option '--inputs <file>'/],
    ['missing inputs', ['batch', 'echo', '--inputs', 'no.jsonl'], /no\.jsonl: no such file/],
    ['a folder of inputs', ['batch', 'echo', '--inputs', 'echo'], /echo: .*folder|regular file/],
    ['no jobs', [...BATCH, '--jobs', '0'], /at least 1/],
    ['too many jobs', [...BATCH, '--jobs', '1000'], /at most 256/],
    ['--out nowhere', [...BATCH, '--out', 'no/folder/out.jsonl'], /no such folder.*--out/],
  ];
  for (const [name, args, problem] of usage) {
    test(`wrong usage: ${name}`, async (t) => {
      const here = await prepared(t);
      assertBadInput(await here.run(...args), problem);
    });
  }
});

describe('a batch that goes on', { concurrency: 2 }, () => {
  const OUT = [...BATCH, '--out', 'out.jsonl'];

  test('a finished batch is not run again', async (t) => {
    const here = await prepared(t);
    assertExit(await here.run(...OUT), 0);
    const out = here.read('out.jsonl');
    const again = await here.run(...OUT);
    assertExit(again, 0);
    assert.match(again.stderr, /^200 ok/);
    assert.deepEqual(here.read('out.jsonl'), out);
    assert.equal(await verified(here), 200);
  });

  test('results beyond the chain, and half a line, are cut off and made anew', async (t) => {
    const here = await prepared(t);
    assertExit(await here.run(...OUT, '--sign', 'each', '--jobs', '1'), 0);
    const whole = here.read('out.jsonl').toString();
    // As a crash leaves it: 150 receipts are durable, and the results of some more, and half of one.
    const chain = here.read('.touchstone/receipts/echo.jsonl').toString().split('\n');
    here.write('.touchstone/receipts/echo.jsonl', `${chain.slice(0, 150).join('\n')}\n`);
    const { hash } = resultsOf(whole)[149]?.receipt ?? assert.fail();
    here.write('.touchstone/receipts/echo.tip.json', `{"epoch":149,"hash":"${hash}"}\n`);
    here.write('out.jsonl', whole.slice(0, whole.indexOf('{"line":180,') + 40));
    const result = await here.run(...OUT, '--sign', 'each', '--jobs', '1');
    assertExit(result, 0);
    assert.match(result.stderr, /Going on after 150 inputs of 200/);
    assert.equal(here.read('out.jsonl').toString(), whole);
    assert.equal(await verified(here), 200);
  });

  const changes: readonly (readonly [string, (here: Workspace) => string[], RegExp])[] = [
    [
      'changed inputs',
      (here) => {
        writeFileSync(here.path('in.jsonl'), linesOf(201));
        return [];
      },
      /the inputs was \w{8}… and is \w{8}…/,
    ],
    ['another limit', () => ['--fuel', '7'], /a limit was .*"fuel".* and is .*"fuel":7/],
    ['another order', () => ['--unordered'], /--unordered was input and is completion/],
    ['another way to sign', () => ['--sign', 'each'], /--sign was batch and is each/],
    ['other receipts', () => ['--receipts', 'elsewhere'], /--receipts was .* and is elsewhere/],
    [
      'another environment',
      (here) => {
        rmSync(here.path('.touchstone/environment.pem'));
        rmSync(here.path('.touchstone/environment.pem.pub'));
        return [];
      },
      /the environment's key was \w{8}… and is \w{8}…/,
    ],
  ];
  for (const [name, change, problem] of changes) {
    test(`${name}: refused, and nothing is changed`, async (t) => {
      const here = await prepared(t);
      assertExit(await here.run(...OUT), 0);
      const [out, chain] = [here.read('out.jsonl'), here.read('.touchstone/receipts/echo.jsonl')];
      const result = await here.run(...OUT, ...change(here));
      assertExit(result, 2);
      assert.match(result.stderr, problem);
      assert.match(result.stderr, /go on as it was begun, or choose another --out/);
      assert.deepEqual(here.read('out.jsonl'), out);
      assert.deepEqual(here.read('.touchstone/receipts/echo.jsonl'), chain);
    });
  }

  test('results that are gone, or those of another chain, are not begun anew', async (t) => {
    const here = await prepared(t, linesOf(600));
    assertExit(await here.run(...OUT), 0);
    rmSync(here.path('.touchstone/receipts'), { recursive: true });
    assertBadInput(await here.run(...OUT), /does not hold the results of this batch and its chain/);
    rmSync(here.path('out.jsonl'));
    assertBadInput(await here.run(...OUT), /out\.jsonl/);
    assert.throws(() => readFileSync(here.path('out.jsonl')));
  });

  test('an empty results file without a binding is one that a crash left', async (t) => {
    const here = await prepared(t);
    here.write('out.jsonl', '');
    assertExit(await here.run(...OUT), 0);
    truncateSync(here.path('out.jsonl'), 0); // and one with a binding is a batch without results
    assert.equal(await verified(here), 200);
  });
});
