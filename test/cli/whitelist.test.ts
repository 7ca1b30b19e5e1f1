import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { DIRECTIVES } from '../../engine/whitelist/directives.ts';
import { whitelist as builtIn } from '../support/gate.ts';
import { answerOf, workspace } from './support.ts';

const types = z.array(z.enum(['i32', 'i64', 'f32', 'f64', 'v128', 'funcref', 'externref']));
const hostFunction = z.strictObject({
  module: z.string(),
  name: z.string(),
  params: types,
  results: types,
  class: z.enum(['pure', 'directive']),
  category: z.string(),
  directive: z.string().optional(),
  doc: z.string().min(1),
});
const identity = z.strictObject({
  name: z.string(),
  version: z.int(),
  hash: z.string().regex(/^[0-9a-f]{64}$/),
});
const show = identity.extend({ functions: z.array(hostFunction) });
const change = z.strictObject({ before: hostFunction, after: hostFunction });
const diff = z.strictObject({
  before: identity,
  after: identity,
  added: z.array(hostFunction),
  removed: z.array(hostFunction),
  retyped: z.array(change),
  reclassified: z.array(change),
  monotonic: z.boolean(),
  sameVersionOtherContent: z.boolean(),
  certificates: z.int(),
  invalidated: z.array(z.string()),
});

const [first, ...others] = builtIn.functions;
const document = (version: number, functions: readonly object[]) => ({
  name: 'mashin',
  version,
  functions,
});
const added = {
  module: 'mashin',
  name: 'abs',
  params: ['i32'],
  results: ['i32'],
  class: 'pure',
  category: 'compute',
  doc: 'The absolute value.',
};

describe('whitelist', { concurrency: 4 }, () => {
  test('show lists every host function with its type and what it does', async (t) => {
    const stdout = answerOf(await workspace(t).run('whitelist', 'show'));
    assert.match(stdout, /^mashin@1 {2}[0-9a-f]{64}\n/);
    assert.match(stdout, /^ {2}mashin\.get_input_len \(\) -> i32\n {4}Byte length/m);
    for (const tag of DIRECTIVES.keys())
      assert.ok(stdout.includes(`  mashin.${tag} (i32, i32) -> ()\n`), tag);
  });

  test('show --format json is the document with its hash', async (t) => {
    const here = workspace(t);
    const json = answerOf(await here.run('whitelist', 'show', 'mashin@1', '--format', 'json'));
    const shown = show.parse(JSON.parse(json));
    assert.equal(shown.hash, builtIn.hash);
    here.write('copy.json', document(1, shown.functions));
    const copy = answerOf(await here.run('whitelist', 'show', './copy.json', '--format', 'json'));
    assert.equal(show.parse(JSON.parse(copy)).hash, builtIn.hash, 'a file of it is the same');
  });

  test('diff: what was added is monotonic, and no certificate suffers; exit 0', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    here.write('two.json', document(2, [...builtIn.functions, added]));
    const stdout = answerOf(await here.run('whitelist', 'diff', 'mashin@1', 'two.json', 'echo'));
    assert.match(
      stdout,
      /^mashin@1 to mashin@2\n {2}\+ added {2}mashin\.abs \(i32\) -> i32 {2}pure\n✔ monotonic/,
    );
    assert.match(stdout, /✔ of 1 certificate at hand none classifies otherwise\n$/);
    const json = await here.run('whitelist', 'diff', 'mashin@1', 'two.json', '--format', 'json');
    const answer = diff.parse(JSON.parse(answerOf(json)));
    assert.deepEqual(answer.added, [added]);
    assert.equal(answer.monotonic, true);
  });

  test('diff: what was removed is not, and the certificates that suffer are named; exit 1', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    assert.equal(first?.name, 'get_input_len');
    here.write('two.json', document(2, others));
    const stdout = answerOf(await here.run('whitelist', 'diff', 'mashin@1', 'two.json', 'echo'), 1);
    assert.match(stdout, /- removed {2}mashin\.get_input_len \(\) -> i32 {2}pure\n✖ not monotonic/);
    assert.match(
      stdout,
      /✖ of 1 certificate at hand 1 would be refused:\n {4}echo\/build\/echo\.wasm\.purity\.json\n$/,
    );
    const json = await here.run(
      'whitelist',
      'diff',
      'mashin@1',
      'two.json',
      'echo',
      '--format',
      'json',
    );
    const answer = diff.parse(JSON.parse(answerOf(json, 1)));
    assert.deepEqual(answer.invalidated, ['echo/build/echo.wasm.purity.json']);
    assert.equal(answer.certificates, 1);
  });

  test('diff: retyped, reclassified, and the same version with other content; exit 1', async (t) => {
    const here = workspace(t);
    const retyped = { ...first, results: ['i64'] };
    here.write('same.json', document(1, [retyped, ...others]));
    const stdout = answerOf(await here.run('whitelist', 'diff', 'mashin@1', 'same.json'), 1);
    assert.match(stdout, /~ retyped {2}mashin\.get_input_len \(\) -> i32 {2}now \(\) -> i64/);
    assert.match(
      stdout,
      /✖ both are called mashin@1 but differ: a changed whitelist needs a new version/,
    );
  });
});
