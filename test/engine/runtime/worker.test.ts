import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { createWorkerIsolation } from '../../../engine/platform/node/worker-isolation.ts';
import type { Isolation } from '../../../engine/runtime/isolation.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS } from '../../../engine/runtime/types.ts';
import { admit, answering, calling, planning, run } from './executors.ts';
import { bundleWorker } from './worker-script.ts';

const ENDLESS = planning('(loop $again (br $again))');
const ANSWER = answering('{"result":1}');

let bundle: Awaited<ReturnType<typeof bundleWorker>>;
let isolation: Isolation;
before(async () => {
  bundle = await bundleWorker();
  isolation = createWorkerIsolation({ script: bundle.script });
});
after(async () => {
  await isolation.close();
  await bundle.remove();
});

const OUTCOMES: readonly (readonly [what: string, module: string])[] = [
  ['a result with directives', calling('llm_call', '{"model":"m"}', '{"model":"n"}')],
  ['an error', answering('{"error":{"message":"no"}}')],
  ['an output that is no document', answering('[')],
  ['a trap', planning('unreachable')],
  ['a bad pointer', planning('(call $set_output (i32.const -1) (i32.const 4))')],
  ['no output', planning('')],
  ['a missing entry', '(module (memory (export "memory") 1))'],
  [
    'logs up to their limit',
    planning('(loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 20000)) (br $l))'),
  ],
];

for (const [what, module] of OUTCOMES) {
  test(`a worker gives the same outcome as this thread: ${what}`, async () => {
    assert.deepEqual(await run(module, { isolation }), await run(module));
  });
}

test('endless recursion in a worker ends with the status call-depth', async () => {
  const outcome = await run(planning('(call $plan)'), { isolation });
  assert.equal(outcome.status, 'call-depth');
});

test('the wall clock ends an endless loop, and the next run works', async () => {
  const outcome = await run(ENDLESS, { isolation, limits: { timeoutMs: 100 } });
  assert.equal(outcome.status, 'timeout');
  assert.equal(outcome.problem?.code, 'timeout');
  assert.deepEqual(outcome.completed, ['gate', 'instantiate']);
  assert.equal(outcome.fuel.used, null);
  assert.equal((await run(ANSWER, { isolation })).result, 1);
});

test('a loop that catches everything ends as well', async () => {
  const body = `(loop $again
    try (call $log (i32.const 9) (i32.const 0) (i32.const 0)) catch_all end (br $again))`;
  const outcome = await run(planning(body), { isolation, limits: { timeoutMs: 100 } });
  assert.equal(outcome.status, 'timeout');
});

test('an endless start function ends before instantiate is complete', async () => {
  const module = planning('', { fields: '(func $s (loop $l (br $l))) (start $s)' });
  const outcome = await run(module, { isolation, limits: { timeoutMs: 100 } });
  assert.equal(outcome.status, 'timeout');
  assert.deepEqual(outcome.completed, ['gate']);
});

test('a signal ends a run in the middle, and the next run works', async () => {
  const controller = new AbortController();
  const running = run(ENDLESS, { isolation, signal: controller.signal });
  setTimeout(() => controller.abort(), 50);
  const outcome = await running;
  assert.equal(outcome.status, 'cancelled');
  assert.equal((await run(ANSWER, { isolation })).result, 1);
});

test('a run that waits for its turn is cancelled at once', async () => {
  const waiting = new AbortController();
  const first = run(ENDLESS, { isolation, limits: { timeoutMs: 300 } });
  const second = run(ANSWER, { isolation, signal: waiting.signal });
  const third = run(ANSWER, { isolation });
  setTimeout(() => waiting.abort(), 50);
  assert.equal(await Promise.race([first, second].map(async (o) => (await o).status)), 'cancelled');
  assert.equal((await first).status, 'timeout');
  assert.equal((await third).result, 1);
});

test('many runs at once all get their own answer', async () => {
  const modules = Array.from({ length: 20 }, (_, i) => answering(`{"result":${i}}`));
  const outcomes = await Promise.all(modules.map((module) => run(module, { isolation })));
  assert.deepEqual(
    outcomes.map(({ result }) => result),
    modules.map((_, i) => i),
  );
});

test('a worker that runs out of memory is lost and replaced', async () => {
  const small = createWorkerIsolation({
    script: bundle.script,
    resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
  });
  const body = '(loop $l (call $log (i32.const 2) (i32.const 0) (i32.const 0)) (br $l))';
  const limits = { logBytes: 1_000_000_000, timeoutMs: 60_000 };
  const outcome = await run(planning(body), { isolation: small, limits });
  assert.equal(outcome.status, 'trap');
  assert.equal(outcome.problem?.code, 'host-crashed');
  assert.deepEqual(outcome.completed, ['gate', 'instantiate']);
  assert.equal((await run(ANSWER, { isolation: small })).result, 1);
  await small.close();
});

test('a closed isolation has ended its run as cancelled and takes no other', async () => {
  const closing = createWorkerIsolation({ script: bundle.script });
  const running = run(ENDLESS, { isolation: closing });
  const waiting = run(ANSWER, { isolation: closing });
  await new Promise((resolve) => setTimeout(resolve, 100));
  await closing.close();
  assert.equal((await running).status, 'cancelled');
  assert.equal((await waiting).status, 'cancelled');
  await assert.rejects(run(ANSWER, { isolation: closing }), /closed/);
});

/** An isolation whose worker runs `code`, in place of the executor's host. */
async function withScript(code: string, use: (isolation: Isolation) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'other-host-'));
  const script = join(folder, 'host.mjs');
  await writeFile(script, `import { parentPort } from 'node:worker_threads';\n${code}`);
  const other = createWorkerIsolation({ script: pathToFileURL(script) });
  try {
    await use(other);
  } finally {
    await other.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const NONSENSE = [
  'null',
  '"ready"',
  '{ status: "ok", result: 1 }',
  '{ output: undefined, constructed: [], logs: [], completed: ["gate", "plan"] }',
  '{ output: new Uint8Array(20_000_000), constructed: [], logs: [], completed: ["gate", "instantiate", "plan"] }',
];

for (const answer of NONSENSE) {
  test(`a worker that answers ${answer} is not believed`, async () => {
    const code = `parentPort.on('message', () => parentPort.postMessage(${answer}));
      parentPort.postMessage('ready');`;
    await withScript(code, async (other) => {
      const outcome = await run(ANSWER, { isolation: other });
      assert.equal(outcome.problem?.code, 'host-crashed');
    });
  });
}

test('a worker that exits or throws is lost', async () => {
  for (const crash of ['process.exit(3)', 'throw new Error("broken")']) {
    const code = `parentPort.on('message', () => { ${crash} }); parentPort.postMessage('ready');`;
    await withScript(code, async (other) => {
      for (let i = 0; i < 2; i++) {
        const outcome = await run(ANSWER, { isolation: other });
        assert.equal(outcome.problem?.code, 'host-crashed');
        assert.match(outcome.problem.message, /exited with code 3|broken/);
      }
    });
  }
});

test('a script that is not there is an outcome', async () => {
  const missing = createWorkerIsolation({ script: new URL('missing.mjs', bundle.script) });
  for (let i = 0; i < 2; i++) {
    const outcome = await run(ANSWER, { isolation: missing });
    assert.equal(outcome.problem?.code, 'host-crashed');
  }
  await missing.close();
});

test('the worker sees no environment and no arguments', async () => {
  const code = `parentPort.on('message', () => {
      throw new Error(JSON.stringify([process.env, process.argv.slice(2), process.execArgv]));
    });
    parentPort.postMessage('ready');`;
  await withScript(code, async (other) => {
    const outcome = await run(ANSWER, { isolation: other });
    assert.match(outcome.problem?.message ?? '', /\[\{\},\[\],\["--no-addons","--no-warnings"\]\]/);
  });
});

test('a result is what the bytes say, whatever else the worker claims', async () => {
  const bytes = JSON.stringify([...new TextEncoder().encode('{"result":"from bytes"}')]);
  const code = `parentPort.on('message', () => parentPort.postMessage({
      output: new Uint8Array(${bytes}), constructed: [{ tag: 'x', text: '{"type":"y"}' }],
      logs: [], completed: ['gate', 'instantiate', 'plan'] }));
    parentPort.postMessage('ready');`;
  await withScript(code, async (other) => {
    const outcome = await run(ANSWER, { isolation: other });
    assert.equal(outcome.status, 'trap');
    assert.deepEqual(outcome.directives, []);
  });
});

test('an idle worker keeps no process alive', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'idle-'));
  const isolationUrl = new URL(
    '../../../engine/platform/node/worker-isolation.ts',
    import.meta.url,
  );
  const program = join(folder, 'idle.mts');
  await writeFile(
    program,
    `import { createWorkerIsolation } from ${JSON.stringify(isolationUrl.href)};
     createWorkerIsolation({ script: new URL(${JSON.stringify(bundle.script.href)}) });`,
  );
  const root = new URL('../../../', import.meta.url);
  await promisify(execFile)(process.execPath, ['--import', 'tsx', program], {
    cwd: root,
    timeout: 20_000,
  });
  await rm(folder, { recursive: true, force: true });
});

test('a job can be executed again with the same request', async () => {
  const executor = await admit(ANSWER);
  const request = { input: { context: { a: 1 } }, limits: DEFAULT_LIMITS };
  const first = await runExecutor(executor, request, isolation);
  assert.deepEqual(await runExecutor(executor, request, isolation), first);
});

test('what a worker prints reaches nobody and blocks nothing', async () => {
  const code = `parentPort.on('message', () => {
      for (let i = 0; i < 1000; i++) { console.log('x'.repeat(1000)); console.error('y'); }
      parentPort.postMessage({ output: undefined, constructed: [], logs: [],
        completed: ['gate', 'instantiate', 'plan'] });
    });
    parentPort.postMessage('ready');`;
  await withScript(code, async (other) => {
    const outcome = await run(ANSWER, { isolation: other });
    assert.equal(outcome.problem?.code, 'no-output');
  });
});
