// Hooks that are executors in files: certified, admitted, run behind limits, swapped while in use.

import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { GateEnvironment } from '../../../engine/gate/types.ts';
import { govern } from '../../../engine/governance/govern.ts';
import { parsePolicy } from '../../../engine/governance/policy-file.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { hookExecutors } from '../../../engine/platform/node/hook-executors.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { builtInWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { assemble } from '../../support/wat.ts';
import { wellFormed } from '../governance/well-formed.ts';
import { temporaryFolder } from '../provenance/store-harness.ts';
import { answering, calling, certificateOf, certifier, planning } from '../runtime/executors.ts';

const ENVIRONMENT: GateEnvironment = {
  crypto: nodeCrypto,
  whitelist: builtInWhitelist(nodeCrypto),
  trust: makeTrustStore([{ key: certifier.publicKey, role: 'certifier' }]),
  policy: DEFAULT_POLICY,
  now: () => Date.UTC(2026, 10, 20),
};

const CALL = wellFormed('call_machine');

/** A folder with a hook in it, and a way to ask it about a directive. */
function hookIn(entry: object = {}) {
  const base = temporaryFolder();
  const path = join(base, 'hook.wasm');
  const document = { preHooks: [{ name: 'guard', path: 'hook.wasm', ...entry }] };
  const policyFile = JSON.stringify({ format: 'policy/1', governance: document });
  const { governance } = parsePolicy(policyFile, 'policy.json');
  const preHooks = hookExecutors(governance.preHooks, {
    base,
    isolation: inThread,
    environmentFor: async () => ENVIRONMENT,
  });
  return {
    /** Puts a module in the hook's place, as somebody does who deploys it. */
    install: async (wat: string, { certified = true } = {}) => {
      const bytes = assemble(wat);
      const certificate = join(base, 'hook.wasm.purity.json');
      rmSync(certificate, { force: true });
      if (certified) writeFileSync(certificate, await certificateOf(bytes));
      writeFileSync(`${path}.new`, bytes);
      renameSync(`${path}.new`, path);
      return nodeCrypto.sha256(bytes);
    },
    remove: () => rmSync(path),
    ask: async () => {
      const [decision] = await govern(nodeCrypto, [CALL], {
        policy: { trust: 'system', declared: [], grants: new Set() },
        means: { handlers: new Map(), preHooks },
        caller: {
          executor: 'call@1.0.0',
          artifactHash: nodeCrypto.sha256(new Uint8Array()),
          depth: 0,
        },
      });
      return { reason: decision?.reason, hooks: decision?.hooks };
    },
  };
}

const answer = (result: unknown) => answering(JSON.stringify({ result }));
const ALLOW = answer({ verdict: 'allow' });
const PASSED = 'NotGranted(machine.call)';

test('a hook allows, denies or asks for a review, and is named by its hash', async () => {
  const hook = hookIn();
  const cases = [
    [{ verdict: 'allow' }, PASSED],
    [{ verdict: 'deny', reason: 'not today' }, 'HookDenied(guard: not today)'],
    [{ verdict: 'deny' }, 'HookDenied(guard)'],
    [{ verdict: 'review', reason: 'much money' }, 'ReviewUnavailable(guard: much money)'],
  ] as const;
  for (const [result, reason] of cases) {
    const artifactHash = await hook.install(answer(result));
    const { verdict } = result;
    assert.deepEqual(await hook.ask(), { reason, hooks: [{ artifactHash, verdict }] });
  }
});

test('a hook is told the directive, the stage and whose it is, and its own configuration', async () => {
  const hook = hookIn({ config: { limit: 3 } });
  // Answers a denial whose reason is the length of what it was told.
  await hook.install(
    planning(
      `(call $get_input (i32.const 64))
       (if (i32.ne (call $get_input_len) (i32.const ${told().length})) (then unreachable))
       (call $set_output (i32.const 0) (i32.const 30))`,
      { fields: `(data (i32.const 0) "{\\22result\\22:{\\22verdict\\22:\\22allow\\22}}")` },
    ),
  );
  assert.equal((await hook.ask()).reason, PASSED);
  function told() {
    const { type, machine, inputs } = CALL;
    const directive = { inputs, machine, type };
    const context = { directive, executor: 'call@1.0.0', stage: 'pre-hooks' };
    return JSON.stringify({ context, step_config: { limit: 3 } });
  }
});

const FAILURES: readonly (readonly [string, string, string])[] = [
  ['traps', planning('unreachable'), 'trap'],
  ['loops', planning('(loop $l (br $l))'), 'out-of-fuel'],
  ['says nothing', planning(''), 'trap'],
  ['answers an error', answering('{"error":{"message":"no"}}'), 'error'],
  ['answers no verdict', answer({}), 'malformed answer'],
  ['answers another verdict', answer({ verdict: 'maybe' }), 'malformed answer'],
  ['answers more than a verdict', answer({ verdict: 'allow', also: 1 }), 'malformed answer'],
  ['answers a reason that is no text', answer({ verdict: 'allow', reason: 1 }), 'malformed answer'],
  ['answers a text', answer('allow'), 'malformed answer'],
  ['answers too much', answer({ verdict: 'allow', reason: 'x'.repeat(70_000) }), 'output-limit'],
];
for (const [what, wat, why] of FAILURES) {
  test(`a hook that ${what} denies`, async () => {
    const hook = hookIn({ fuel: 100_000 });
    const artifactHash = await hook.install(wat);
    assert.deepEqual(await hook.ask(), {
      reason: `HookFailed(guard: ${why})`,
      hooks: [{ artifactHash, verdict: 'failed' }],
    });
  });
}

test('a hook has no directives of its own', async () => {
  const hook = hookIn();
  await hook.install(calling('http_request', '{"method":"GET","url":"https://a.example/"}'));
  assert.match((await hook.ask()).reason ?? '', /^HookFailed\(guard: (it gave directives|trap)\)$/);
});

test('a hook that is missing, or has no certificate that holds, denies', async () => {
  const hook = hookIn();
  assert.deepEqual(await hook.ask(), {
    reason: 'HookFailed(guard: missing)',
    hooks: [{ artifactHash: null, verdict: 'failed' }],
  });
  await hook.install(ALLOW, { certified: false });
  assert.equal((await hook.ask()).reason, 'HookFailed(guard: not admitted: signature)');
});

test('a hook that is swapped answers for the next directive', async () => {
  const hook = hookIn();
  await hook.install(ALLOW);
  assert.equal((await hook.ask()).reason, PASSED);
  await hook.install(answer({ verdict: 'deny' }));
  assert.equal((await hook.ask()).reason, 'HookDenied(guard)');
  await hook.install(ALLOW, { certified: false });
  assert.equal((await hook.ask()).reason, 'HookFailed(guard: not admitted: signature)');
  await hook.install(ALLOW);
  assert.equal((await hook.ask()).reason, PASSED);
  hook.remove();
  assert.equal((await hook.ask()).reason, 'HookFailed(guard: missing)');
});

test('an impure module stays out, certified by whomever', async () => {
  const hook = hookIn();
  await hook.install(`(module (import "wasi_snapshot_preview1" "fd_write"
    (func (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1) (func (export "plan")))`);
  assert.equal((await hook.ask()).reason, 'HookFailed(guard: not admitted: conclusion)');
});
