import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, test } from 'node:test';
import { DIRECTIVES } from '../../engine/whitelist/directives.ts';
import { assemble } from '../support/wat.ts';
import { documentOf, MODULES } from './run-support.ts';
import { answerOf, assertBadInput, assertExit, ROOT, workspace } from './support.ts';

/** More fuel than any run here uses up before its clock ends it. */
const UNMETERED = ['--fuel', String(Number.MAX_SAFE_INTEGER)];

describe('run', { concurrency: 4 }, () => {
  for (const example of ['call', 'echo']) {
    const cases = readdirSync(join(ROOT, 'examples', example, 'cases'));
    assert.ok(cases.length >= 3);
    test(`${example}: its ${cases.length} cases, by @FILE, leave a chain of receipts that holds`, async (t) => {
      const here = workspace(t);
      await here.certified(example);
      for (const [epoch, name] of cases.entries()) {
        const file = `${example}/cases/${name}`;
        const { expect } = JSON.parse(here.read(file).toString());
        const document = documentOf(
          await here.run('run', example, '--input', `@${file}`, '--format', 'json'),
        );
        const about = `${example}, ${basename(name)}`;
        assert.equal(document.status, expect.status ?? 'ok', about);
        if ('result' in expect) assert.deepEqual(document.result, expect.result, about);
        if ('directives' in expect) assert.deepEqual(document.directives, expect.directives, about);
        assert.equal(document.receipt?.epoch, epoch);
        assert.equal(document.tier, 1);
        assert.equal(document.purityMethod, 'wasm_certified');
      }
      const stdout = answerOf(await here.run('receipts', 'verify', '.touchstone/receipts'));
      assert.match(
        stdout,
        new RegExp(`^✔ ${example} {2}valid: receipts 0 to ${cases.length - 1} hold`),
      );
    });
  }

  test('the answer for people: result, directives with their decisions, fuel, receipt', async (t) => {
    const here = workspace(t);
    await here.certified('call');
    const input = '@call/cases/calls-one-machine-with-expanded-inputs.json';
    const result = await here.run('run', 'call', '--input', input);
    assertExit(result, 0);
    assert.match(
      result.stdout,
      /^✔ call@1\.0\.0 ended ok\n {2}result {6}\{ "calls": 1, .* \}\n {2}directives {2}1\n/,
    );
    assert.match(
      result.stdout,
      /\n {4}● recorded {2}call_machine {2}NotGranted\(machine\.call\)\n {8}\{ "inputs": /,
    );
    assert.match(result.stdout, /\n {2}fuel {8}[\d,]+, limit 50,000,000\n/);
    assert.match(result.stdout, /\n {2}receipt {5}epoch 0 of call@1\.0\.0, [\d,]+ bytes\n/);
    assert.match(result.stdout, /tier 1 wasm_certified\n {14}signed by environment \w{8}…\n$/);
    assert.match(result.stderr, /^Made this workspace's environment key \w{8}…/);
    const again = await here.run('run', 'call', '--input', input);
    assert.equal(again.stderr, '', 'the key is made once');
  });

  test('input: in place, from a file, from standard input; the empty document by default', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const document = { context: { say: 'hé\u2028' }, step_config: { n: 1.5 } };
    const text = JSON.stringify(document);
    here.write('input.json', text);
    const json = ['--format', 'json'];
    for (const [input, piped] of [[text], ['@input.json'], ['-', text]]) {
      const options = piped === undefined ? {} : { input: piped };
      const result = await here.runWith(options, 'run', 'echo', '--input', input ?? '', ...json);
      assert.deepEqual(documentOf(result).result, document);
    }
    const { result } = documentOf(await here.run('run', 'echo', ...json));
    assert.deepEqual(result, { context: {}, step_config: {} });
  });

  test('a capability that the project does not declare is denied', async (t) => {
    const here = workspace(t);
    await here.certified('call');
    const manifest = JSON.parse(here.read('call/executor.json').toString());
    here.write('call/executor.json', { ...manifest, capabilities: [] });
    const args = ['call', '--input', '@call/cases/calls-once-for-each-item-in-order.json'];
    const document = documentOf(await here.run('run', ...args, '--format', 'json'));
    assert.equal(document.status, 'denied');
    assert.deepEqual(
      document.decisions.map(({ decision }) => decision),
      ['denied', 'skipped'],
    );
    const text = await here.run('run', ...args);
    assertExit(text, 1);
    assert.match(text.stdout, /^✖ call@1\.0\.0 ended denied: 1 directive refused\n/);
  });

  test('--grant is taken for every capability there is', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const capabilities = [
      ...new Set([...DIRECTIVES.values()].flatMap(({ capability }) => capability ?? [])),
    ];
    assert.ok(capabilities.length >= 5);
    const scopes: Readonly<Record<string, string>> = { db: '=app.sqlite', fs: '=.' };
    here.write('.touchstone/agency.json', '{"format":"agency/1","providers":[],"models":[]}');
    const grants = capabilities.flatMap((capability) => [
      '--grant',
      `${capability}${scopes[capability] ?? ''}`,
    ]);
    assert.equal(
      documentOf(await here.run('run', 'echo', ...grants, '--format', 'json')).status,
      'ok',
    );
  });

  const endings: readonly (readonly [keyof typeof MODULES, readonly string[], string, RegExp])[] = [
    ['loop', [...UNMETERED, '--timeout', '300'], 'timeout', /wall clock after 300 ms/],
    ['loop', ['--fuel', '1000'], 'out-of-fuel', /its fuel of 1000 units/],
    ['trap', [], 'trap', /unreachable/],
    ['refusal', [], 'error', /I will not/],
  ];
  for (const [name, args, status, message] of endings) {
    test(`a run that ends in ${status} says so, exits 1 and leaves a receipt`, async (t) => {
      const here = workspace(t);
      here.write(`${name}.wasm`, assemble(MODULES[name]));
      await here.certify(`${name}.wasm`);
      const document = documentOf(
        await here.run('run', `${name}.wasm`, ...args, '--format', 'json'),
      );
      assert.equal(document.status, status);
      assert.match(document.problem?.message ?? '', message);
      const text = await here.run('run', `${name}.wasm`, ...args);
      assertExit(text, 1);
      assert.match(text.stdout, new RegExp(`^✖ ${name}@0 ended ${status}: `));
      const chain = answerOf(
        await here.run('receipts', 'verify', `.touchstone/receipts/${name}.jsonl`),
      );
      assert.match(chain, /valid: receipts 0 to 1 hold/);
    });
  }

  test('Ctrl-C ends a run as cancelled, with a receipt', {
    skip: process.platform === 'win32' ? 'has no signals' : false,
  }, async (t) => {
    const here = workspace(t);
    here.write('loop.wasm', assemble(MODULES.loop));
    await here.certify('loop.wasm');
    // The first thing on stderr is that the first run makes the environment's key.
    const args = ['run', 'loop.wasm', ...UNMETERED, '--timeout', '20000', '--format', 'json'];
    const document = documentOf(await here.runWith({ interrupt: true }, ...args));
    assert.equal(document.status, 'cancelled');
    assert.equal(document.fuel.used, null);
    assert.match(
      answerOf(await here.run('receipts', 'verify', '.touchstone/receipts')),
      /receipt 0 holds/,
    );
  });

  test('--fuel and --receipts reach the receipt', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const args = ['--fuel', '12345', '--receipts', 'audit/here', '--format', 'json'];
    const { fuel: used } = documentOf(await here.run('run', 'echo', ...args));
    assert.equal(used.limit, 12345);
    assert.match(answerOf(await here.run('receipts', 'verify', 'audit/here')), /✔ echo {2}valid/);
  });

  test('two first runs at once agree on one environment key', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const runs = await Promise.all(
      [1, 2, 3].map(() => here.run('run', 'echo', '--format', 'json')),
    );
    const signers = runs.map((each) => documentOf(each).receipt?.signer);
    assert.equal(new Set(signers).size, 1);
    assert.match(
      answerOf(await here.run('receipts', 'verify', '.touchstone/receipts')),
      /receipts 0 to 2 hold/,
    );
  });

  test('a text module is for checking only', async (t) => {
    const here = workspace(t);
    assertBadInput(
      await here.run('run', here.write('a.wat', MODULES.trap)),
      /a\.wat: it is text.*assemble it/,
    );
  });
});
