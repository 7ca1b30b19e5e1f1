import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assertBadInput, workspace } from './support.ts';

/** Wrong usage, what is said of it, and the command whose help is named. */
const CASES: readonly (readonly [string, RegExp, string])[] = [
  ['nosuch', /unknown command 'nosuch'/, ''],
  ['chek', /unknown command 'chek'.*Did you mean check\?/, ''],
  ['keys nosuch', /unknown command 'nosuch'/, ' keys'],
  ['--nosuch', /unknown option '--nosuch'/, ''],
  ['check --formt json', /unknown option '--formt'.*Did you mean --format\?/, ' check'],
  ['check --format xml', /'xml' is invalid.*text, json, sarif/, ' check'],
  ['check --whitelist', /argument missing/, ' check'],
  ['certify', /missing required argument 'path'|required option '--key/, ' certify'],
  ['certify a.wasm', /required option '--key <file>' not specified/, ' certify'],
  ['certify a.wasm b.wasm --key k', /too many arguments.*Expected 1 argument/, ' certify'],
  ['certify a.wasm --key k --format sarif', /'sarif' is invalid/, ' certify'],
  ['verify', /missing required argument 'path'/, ' verify'],
  ['verify a.wasm --receipts x', /unknown option '--receipts'/, ' verify'],
  ['run', /missing required argument 'path'/, ' run'],
  ['run a.wasm --tier 4', /'4' is invalid.*expected 1, 2 or 3/, ' run'],
  ['run a.wasm --tier 01', /'01' is invalid.*expected 1, 2 or 3/, ' run'],
  ['run a.wasm --fuel 0', /whole number of at least 1/, ' run'],
  ['run a.wasm --fuel -1', /whole number of at least 1/, ' run'],
  ['run a.wasm --fuel 1e3', /whole number of at least 1/, ' run'],
  ['run a.wasm --fuel 99999999999999999999', /whole number/, ' run'],
  ['run a.wasm --timeout soon', /whole number of at least 1/, ' run'],
  ['run a.wasm --grant everything', /"everything" is no capability; there are compute\.exec/, ''],
  ['receipts verify', /missing required argument 'path'/, ' receipts verify'],
  ['receipts nosuch', /unknown command 'nosuch'/, ' receipts'],
  ['keys generate', /required option '--out <file>' not specified/, ' keys generate'],
  ['keys show', /missing required argument 'file'/, ' keys show'],
  ['keys trust k.pub', /required option '--trust <file>'/, ' keys trust'],
  ['keys trust k.pub --trust t --as king', /'king' is invalid.*certifier/, ' keys trust'],
  ['keys trust k.pub --trust t --valid-until soon', /"soon" is not a day such as/, ''],
  ['keys trust k.pub --trust t --valid-until 2027-02-31', /"2027-02-31" is not a day/, ''],
  ['whitelist show a b', /too many arguments/, ' whitelist show'],
  ['whitelist diff a', /missing required argument 'after'/, ' whitelist diff'],
];

describe('wrong usage is told in one line, with exit code 2', { concurrency: 4 }, () => {
  for (const [args, problem, command] of CASES) {
    test(`touchstone ${args}`, async (t) => {
      const result = await workspace(t).run(...args.split(' '));
      assertBadInput(result, problem);
      if (command !== '') {
        assert.ok(result.stderr.endsWith(`(see touchstone${command} --help)\n`), result.stderr);
      }
    });
  }

  test('an option from a hostile script cannot reach the terminal', async (t) => {
    const result = await workspace(t).run('check', '--\u001b[2J\u202eevil\nsecond');
    assertBadInput(result, /unknown option '--\\u\{1b\}\[2J\\u\{202e\}evil second'/);
  });
});
