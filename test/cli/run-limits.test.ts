import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { assemble } from '../support/wat.ts';
import { documentOf } from './run-support.ts';
import { assertBadInput, workspace } from './support.ts';

/** Runs a module in tier 2 whose project has these limits; `body` is its `plan`. */
async function runWith(t: TestContext, limits: object, body: string, pages = 1) {
  const here = workspace(t);
  const module = `(module
    (import "mashin" "set_output" (func $set_output (param i32 i32)))
    (memory (export "memory") ${pages}) (data (i32.const 0) "{\\"result\\":1}")
    (func (export "plan") ${body} (call $set_output (i32.const 0) (i32.const 12))))`;
  here.write('build/a.wasm', assemble(module));
  here.write('.touchstone/policy.json', { format: 'policy/1', minimumTier: 2 });
  here.write('executor.json', {
    name: 'a',
    version: '1.0.0',
    artifact: 'build/a.wasm',
    tier: 2,
    limits,
  });
  return here.run('run', '.', '--format', 'json');
}

describe('what executor.json says of limits', { concurrency: 2 }, () => {
  test('a memory profile bounds how far the memory grows', async (t) => {
    const grow = (pages: number) => `(drop (memory.grow (i32.const ${pages})))`;
    const within = await runWith(t, { memoryProfile: 'edge' }, grow(3));
    assert.equal(documentOf(within).status, 'ok');
    const beyond = documentOf(await runWith(t, { memoryProfile: 'edge' }, grow(4)));
    assert.equal(beyond.status, 'memory-limit');
  });

  test('a memory profile that is too small for the module', async (t) => {
    const document = documentOf(await runWith(t, { memoryProfile: 'tile' }, '', 2));
    assert.equal(document.problem?.code, 'memory-profile');
    assert.match(document.problem?.message ?? '', /needs 2 pages .* the memory profile has 1/);
  });

  test('a memory profile beside a number of pages is refused', async (t) => {
    const result = await runWith(t, { memoryProfile: 'tile', memoryPages: 1 }, '');
    assertBadInput(
      result,
      /executor\.json:\d+:\d+: limits\.memoryProfile: .*leave out "memoryPages"/,
    );
  });

  test('a share of wall clock that runs out ends the run in its phase', async (t) => {
    const limits = { fuel: Number.MAX_SAFE_INTEGER, phaseMs: { plan: 50 } };
    const document = documentOf(await runWith(t, limits, '(loop $again (br $again))'));
    assert.equal(document.status, 'timeout');
    assert.equal(document.problem?.code, 'budget-exhausted');
    assert.deepEqual(document.receipt?.completed.slice(0, 1), ['gate']);
    assert.equal(document.fuel.used, null);
  });

  test('the bytes of stack bound the depth of calls', async (t) => {
    const deep = documentOf(await runWith(t, { stackBytes: 4_096 }, '(call 1)'));
    assert.equal(deep.status, 'call-depth');
    assert.match(deep.problem?.message ?? '', /deeper than 4096 bytes of stack/);
  });
});
