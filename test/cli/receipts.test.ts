import assert from 'node:assert/strict';
import { rmSync, statSync, truncateSync } from 'node:fs';
import { describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { answerOf, assertBadInput, type Result, type Workspace, workspace } from './support.ts';

const hex = z.string().regex(/^[0-9a-f]{64}$/);
const common = { chain: z.string(), detail: z.string().min(1), holds: z.int().min(0) };

/** `receipts verify --format json`: exactly one of the answers of DESIGN 8 a chain, with its epoch. */
const contract = z.strictObject({
  chains: z.array(
    z.discriminatedUnion('verdict', [
      z.strictObject({
        ...common,
        verdict: z.literal('valid'),
        length: z.int(),
        firstEpoch: z.int(),
        lastEpoch: z.int(),
        tip: z.strictObject({ epoch: z.int(), hash: hex }),
      }),
      z.strictObject({ ...common, verdict: z.literal('empty') }),
      z.strictObject({ ...common, verdict: z.literal('invalid-signature'), epoch: z.int() }),
      z.strictObject({
        ...common,
        verdict: z.literal('broken-chain'),
        epoch: z.int(),
        expectedHash: hex,
        actualHash: hex,
      }),
      z.strictObject({
        ...common,
        verdict: z.literal('epoch-gap'),
        expected: z.int(),
        got: z.int(),
      }),
      z.strictObject({ ...common, verdict: z.literal('truncated'), epoch: z.int() }),
    ]),
  ),
});

const CHAIN = '.touchstone/receipts/echo.jsonl';

/** A workspace in which echo ran three times. */
async function afterThreeRuns(t: TestContext): Promise<Workspace> {
  const here = workspace(t);
  await here.certified('echo');
  for (let i = 0; i < 3; i++) {
    const { code } = await here.run('run', 'echo', '--input', JSON.stringify({ context: { i } }));
    assert.equal(code, 0);
  }
  return here;
}

const verify = (here: Workspace, ...args: readonly string[]) =>
  here.run('receipts', 'verify', '.touchstone/receipts', ...args);

const documentOf = (result: Result, code: 0 | 1) =>
  contract.parse(JSON.parse(answerOf(result, code))).chains;

describe('receipts verify', { concurrency: 4 }, () => {
  test('a chain of three runs is valid, as a folder and as a file', async (t) => {
    const here = await afterThreeRuns(t);
    assert.match(
      answerOf(await verify(here)),
      /^✔ echo {2}valid: receipts 0 to 2 hold \(tip \w{8}…\)\n$/,
    );
    assert.match(answerOf(await here.run('receipts', 'verify', CHAIN)), /^✔ echo {2}valid/);
    const [chain] = documentOf(await verify(here, '--format', 'json'), 0);
    assert.equal(chain?.verdict, 'valid');
    assert.deepEqual(
      { ...chain, tip: undefined, detail: undefined },
      {
        chain: 'echo',
        verdict: 'valid',
        length: 3,
        firstEpoch: 0,
        lastEpoch: 2,
        holds: 3,
        tip: undefined,
        detail: undefined,
      },
    );
  });

  test('one flipped byte is found, with the epoch; exit 1', async (t) => {
    const here = await afterThreeRuns(t);
    const bytes = here.read(CHAIN);
    const second =
      bytes.indexOf('\n') + 1 + bytes.subarray(bytes.indexOf('\n')).indexOf('inputHash');
    bytes[second + 15] = bytes[second + 15] === 0x61 ? 0x62 : 0x61;
    here.write(CHAIN, bytes);
    assert.match(answerOf(await verify(here), 1), /^✖ echo {2}invalid-signature: /);
    const [chain] = documentOf(await verify(here, '--format', 'json'), 1);
    assert.deepEqual(
      { ...chain, detail: undefined },
      {
        chain: 'echo',
        verdict: 'invalid-signature',
        epoch: 1,
        holds: 1,
        detail: undefined,
      },
    );
  });

  test('cut off in the middle of a receipt, or after one: truncated', async (t) => {
    const here = await afterThreeRuns(t);
    truncateSync(here.path(CHAIN), statSync(here.path(CHAIN)).size - 10);
    const [torn] = documentOf(await verify(here, '--format', 'json'), 1);
    assert.equal(torn?.verdict, 'truncated');
    const bytes = here.read(CHAIN);
    here.write(CHAIN, bytes.subarray(0, bytes.lastIndexOf('\n') + 1));
    assert.match(answerOf(await verify(here), 1), /^✖ echo {2}truncated: /);
    const [cut] = documentOf(await verify(here, '--format', 'json'), 1);
    assert.deepEqual(
      { ...cut, detail: undefined },
      {
        chain: 'echo',
        verdict: 'truncated',
        epoch: 2,
        holds: 2,
        detail: undefined,
      },
    );
  });

  test('a receipt taken out is an epoch gap; a deleted chain is truncated', async (t) => {
    const here = await afterThreeRuns(t);
    const [first, , third] = here.read(CHAIN).toString().split('\n');
    here.write(CHAIN, `${first}\n${third}\n`);
    const [gap] = documentOf(await verify(here, '--format', 'json'), 1);
    assert.deepEqual(
      { ...gap, detail: undefined },
      {
        chain: 'echo',
        verdict: 'epoch-gap',
        expected: 1,
        got: 2,
        holds: 1,
        detail: undefined,
      },
    );
    rmSync(here.path(CHAIN));
    const [gone] = documentOf(await verify(here, '--format', 'json'), 1);
    assert.equal(gone?.verdict, 'truncated');
  });

  test('an environment that --trust does not name is not believed', async (t) => {
    const here = await afterThreeRuns(t);
    here.write('nobody.json', { format: 'trust-store/1', keys: [] });
    assert.match(
      answerOf(await verify(here, '--trust', 'nobody.json'), 1),
      /✖ echo {2}invalid-signature/,
    );
    const key = '.touchstone/environment.pem.pub';
    answerOf(await here.run('keys', 'trust', key, '--as', 'environment', '--trust', 'env.json'));
    assert.match(answerOf(await verify(here, '--trust', 'env.json')), /✔ echo {2}valid/);
    answerOf(
      await here.run('keys', 'trust', key, '--as', 'certifier', '--trust', 'other-role.json'),
    );
    assert.match(answerOf(await verify(here, '--trust', 'other-role.json'), 1), /✖ echo/);
  });

  test('a folder without receipts is empty, which is no failure', async (t) => {
    const here = workspace(t);
    here.write('audit/readme.txt', '');
    assert.equal(
      answerOf(await here.run('receipts', 'verify', 'audit')),
      '● empty: there are no receipts in audit\n',
    );
    assert.deepEqual(
      documentOf(await here.run('receipts', 'verify', 'audit', '--format', 'json'), 0),
      [],
    );
  });

  const bad: readonly (readonly [string, RegExp])[] = [
    ['missing', /missing: no such file/],
    ['missing.jsonl', /missing\.jsonl: no such file/],
    ['notes.txt', /notes\.txt: a chain of receipts ends in \.jsonl/],
    ['No Chain.jsonl', /cannot name a chain/],
  ];
  for (const [path, problem] of bad) {
    test(`${path}: ${problem.source}`, async (t) => {
      const here = workspace(t);
      here.write('notes.txt', '');
      here.write('No Chain.jsonl', '');
      assertBadInput(await here.run('receipts', 'verify', path), problem);
    });
  }
});
