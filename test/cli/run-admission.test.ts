import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { assemble } from '../support/wat.ts';
import { documentOf, MODULES } from './run-support.ts';
import { assertExit, workspace } from './support.ts';

describe('not admitted', { concurrency: 4 }, () => {
  test('an executor without a certificate: nothing runs, no receipt', async (t) => {
    const here = workspace(t);
    const document = documentOf(await here.run('run', here.example('echo'), '--format', 'json'));
    assert.equal(document.status, 'not-admitted');
    assert.equal(document.receipt, null);
    assert.equal(document.problem?.code, 'signature');
    const text = await here.run('run', 'echo');
    assertExit(text, 1);
    assert.match(text.stdout, /^✖ echo@1\.0\.0 was not admitted: signature: there is no/);
    assert.match(text.stderr, /^Nothing ran\./);
    assert.throws(() => here.read('.touchstone/receipts/echo.jsonl'));
  });

  test('a changed module under its old certificate', async (t) => {
    const here = workspace(t);
    await here.certified('echo');
    const bytes = here.read('echo/build/echo.wasm');
    bytes[200] = (bytes[200] ?? 0) ^ 1;
    here.write('echo/build/echo.wasm', bytes);
    const document = documentOf(await here.run('run', 'echo', '--format', 'json'));
    assert.equal(document.problem?.code, 'artifact-binding');
    assert.equal(document.tier, 1);
  });

  test('tiers 2 and 3 under the default policy', async (t) => {
    const here = workspace(t);
    here.write('trap.wasm', assemble(MODULES.trap));
    for (const tier of ['2', '3']) {
      const document = documentOf(
        await here.run('run', 'trap.wasm', '--tier', tier, '--format', 'json'),
      );
      assert.equal(document.status, 'not-admitted');
      assert.equal(document.problem?.code, 'policy');
      assert.match(document.problem?.message ?? '', /weaker than tier 1, the minimum here/);
    }
  });

  test('an executor designated tier 1, as tier 3, whatever the policy', async (t) => {
    const here = workspace(t);
    here.write('policy.json', { format: 'policy/1', minimumTier: 3 });
    const args = ['--tier', '3', '--policy', 'policy.json', '--format', 'json'];
    const document = documentOf(await here.run('run', here.example('echo'), ...args));
    assert.match(document.problem?.message ?? '', /designated tier 1/);
  });

  test('an impure module as tier 2', async (t) => {
    const here = workspace(t);
    here.write('impure.wasm', assemble(MODULES.impure));
    here.write('policy.json', { format: 'policy/1', minimumTier: 3 });
    const args = ['--tier', '2', '--policy', 'policy.json', '--format', 'json'];
    const document = documentOf(await here.run('run', 'impure.wasm', ...args));
    assert.equal(document.problem?.code, 'conclusion');
    assert.match(document.problem?.message ?? '', /env\.now is impure/);
  });
});

test('with a policy of minimum tier 3, an impure module runs as tier 3 up to its first impure call', async (t) => {
  const here = workspace(t);
  here.write('impure.wasm', assemble(MODULES.impure));
  here.write('policy.json', { format: 'policy/1', minimumTier: 3 });
  const args = ['--tier', '3', '--policy', 'policy.json', '--format', 'json'];
  const document = documentOf(await here.run('run', 'impure.wasm', ...args));
  assert.equal(document.status, 'trap');
  assert.match(document.problem?.message ?? '', /env\.now/);
  assert.equal(document.purityMethod, 'unchecked');
  assert.equal(document.receipt?.tier, 3);
  assert.equal(document.receipt?.certificateHash, null);
});
