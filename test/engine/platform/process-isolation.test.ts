// Executors in their own process, behind the gate, the launcher and the host of the product.

import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { createProcessIsolation } from '../../../engine/platform/node/process-isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { admit, answering, calling, planning, run } from '../runtime/executors.ts';
import { bundleHost, handWritten, READY } from './process-support.ts';

const folder = await mkdtemp(join(tmpdir(), 'process-isolation-'));

async function scriptOf(name: string, text: Uint8Array): Promise<URL> {
  const path = join(folder, name);
  await writeFile(path, text);
  return pathToFileURL(path);
}

const script = await scriptOf(
  'host.js',
  await bundleHost('../../../engine/platform/node/process-main.ts'),
);
const isolation = createProcessIsolation({ script });
after(async () => {
  await isolation.close();
  await rm(folder, { recursive: true, force: true });
});

const ANSWER = answering('{"result":1}');
/** Its own instructions end it long after the clock of the tests. */
const ENDLESS = planning('(loop $again (br $again))');
const PATIENT = { fuel: Number.MAX_SAFE_INTEGER };

const OUTCOMES: readonly (readonly [what: string, module: string])[] = [
  ['a result with directives', calling('llm_call', '{"model":"m"}', '{"model":"n"}')],
  ['an error', answering('{"error":{"message":"no"}}')],
  ['an output that is no document', answering('[')],
  ['a trap', planning('unreachable')],
  ['a bad pointer', planning('(call $set_output (i32.const -1) (i32.const 4))')],
  ['no output', planning('')],
  ['no fuel left', ENDLESS],
  ['endless recursion', planning('(call $plan)')],
  ['a missing entry', '(module (memory (export "memory") 1))'],
  [
    'logs up to their limit',
    planning('(loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 20000)) (br $l))'),
  ],
];

for (const [what, module] of OUTCOMES) {
  test(`a process gives the same outcome as this thread: ${what}`, async () => {
    assert.deepEqual(await run(module, { isolation }), await run(module));
  });
}

test('the wall clock ends a run, says how far it came, and the next run works', async () => {
  const limits = { ...PATIENT, timeoutMs: 200 };
  const outcome = await run(ENDLESS, { isolation, limits });
  assert.equal(outcome.status, 'timeout');
  assert.deepEqual(outcome.completed, ['gate', 'instantiate']);
  assert.equal(outcome.fuel.used, null);
  const start = planning('', { fields: '(func $s (loop $l (br $l))) (start $s)' });
  const early = await run(start, { isolation, limits });
  assert.equal(early.status, 'timeout');
  assert.deepEqual(early.completed, ['gate']);
  assert.equal((await run(ANSWER, { isolation })).result, 1);
});

test('a signal ends a run in the middle, and the next run works', async () => {
  const controller = new AbortController();
  const running = run(ENDLESS, { isolation, limits: PATIENT, signal: controller.signal });
  setTimeout(() => controller.abort(), 100);
  assert.equal((await running).status, 'cancelled');
  assert.equal((await run(ANSWER, { isolation })).result, 1);
});

test('a run leaves nothing to the next one of the same executor', async () => {
  const counter = planning(
    `(global.set $g (i32.add (global.get $g) (i32.const 1)))
     (i32.store8 (i32.const 10) (i32.add (i32.load8_u (i32.const 10)) (global.get $g)))
     (drop (memory.grow (i32.const 1)))
     (if (i32.ne (memory.size) (i32.const 2)) (then unreachable))
     (call $set_output (i32.const 0) (i32.const 12))`,
    { fields: '(data (i32.const 0) "{\\"result\\":0}") (global $g (mut i32) (i32.const 0))' },
  );
  const executor = await admit(counter);
  const request = { input: {}, limits: DEFAULT_LIMITS };
  const first = await runExecutor(executor, request, isolation);
  assert.equal(first.result, 1);
  for (let i = 0; i < 5; i++) {
    assert.deepEqual(await runExecutor(executor, request, isolation), first);
  }
});

test('the isolation says what holds, and Node at least does', async (t) => {
  const layers = await isolation.layers();
  t.diagnostic(JSON.stringify(layers));
  assert.equal(isolation.mode, 'process');
  assert.equal(layers.permissionModel, true);
});

test('where nothing keeps files away nothing runs, unless that is accepted', async () => {
  const without = ['permissionModel', 'noDescriptors'] as const;
  const open = createProcessIsolation({ script, without });
  await assert.rejects(run(ANSWER, { isolation: open }), (error) => {
    assert.ok(error instanceof InputError && error.code === 'usage');
    assert.match(error.message, /nothing on this machine keeps/);
    return true;
  });
  await open.close();
  const accepted = createProcessIsolation({ script, without, acceptFileAccess: true });
  assert.equal((await run(ANSWER, { isolation: accepted })).result, 1);
  await accepted.close();
});

test('a script that is not there is told, each time', async () => {
  const missing = createProcessIsolation({ script: new URL('missing.js', script) });
  for (let i = 0; i < 2; i++) {
    await assert.rejects(run(ANSWER, { isolation: missing }), /missing\.js: the script .* cannot/);
  }
  await missing.close();
});

test('a process that answers something else is not believed, and says so', async () => {
  const json = JSON.stringify('{"hasOutput":false,"status":"ok","result":1}');
  const body = `for (;;) { const job = takeJob(); const text = Buffer.from(${json});
    const length = Buffer.alloc(4); length.writeUInt32LE(text.length, 0);
    send(4, 0, job.turn, Buffer.concat([length, text])); }`;
  const other = createProcessIsolation({
    script: await scriptOf('liar.js', handWritten(`${READY} ${body}`)),
  });
  for (let i = 0; i < 2; i++) {
    const outcome = await run(ANSWER, { isolation: other });
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'host-crashed');
    assert.match(outcome.problem.message, /makes no sense/);
  }
  await other.close();
});

test('a closed isolation has ended its run as cancelled and takes no other', async () => {
  const closing = createProcessIsolation({ script });
  const running = run(ENDLESS, { isolation: closing, limits: PATIENT });
  const waiting = run(ANSWER, { isolation: closing });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await closing.close();
  assert.equal((await running).status, 'cancelled');
  assert.equal((await waiting).status, 'cancelled');
  await assert.rejects(run(ANSWER, { isolation: closing }), /closed/);
});
