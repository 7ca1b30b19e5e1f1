import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, type TestContext, test } from 'node:test';
import {
  CancellationTokenSource,
  WorkDoneProgress,
  type WorkDoneProgressBegin,
  type WorkDoneProgressEnd,
  type WorkDoneProgressReport,
} from 'vscode-languageserver-protocol';
import { encodeBase64 } from '../../../engine/encoding/base64.ts';
import { makeTrustStore, serializeTrustStore } from '../../../engine/gate/trust-store.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import type { ChainVerdict } from '../../../engine/provenance/chain.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import { type ReviewParams, Run, type RunParams } from '../../../server/protocol.ts';
import { MODULES } from '../../cli/run-support.ts';
import { answering } from '../../engine/runtime/executors.ts';
import { bundleExecutorHost } from '../../support/executor-host.ts';
import { certificateFor } from '../../support/gate.ts';
import { assemble } from '../../support/wat.ts';
import {
  assertFails,
  bytesOf,
  type ClientOptions,
  connect,
  keyText,
  makeWorkspace,
  receiptKey,
  signRightly,
} from './support.ts';

type Folder = ReturnType<typeof makeWorkspace>;

let host: Awaited<ReturnType<typeof bundleExecutorHost>>;
before(async () => {
  host = await bundleExecutorHost();
});
after(() => host.remove());

const environment = keyText(receiptKey);

/** A workspace with a certified project of `examples/`, trusted. */
async function certified(t: TestContext, name: string): Promise<Folder> {
  const folder = makeWorkspace(t);
  folder.trust();
  folder.example(name);
  const artifact = `${name}/build/${name}.wasm`;
  folder.write(`${artifact}.purity.json`, await certificateFor(folder.read(artifact)));
  return folder;
}

/** A workspace with a project that runs until it is stopped. */
async function endless(t: TestContext): Promise<Folder> {
  const folder = makeWorkspace(t);
  folder.trust();
  const bytes = assemble(MODULES.loop);
  folder.write('endless/endless.wasm', bytes);
  folder.write('endless/endless.wasm.purity.json', await certificateFor(bytes));
  folder.write('endless/executor.json', {
    name: 'endless',
    version: '1.0.0',
    artifact: 'endless.wasm',
    limits: { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 60_000 },
  });
  return folder;
}

const connectTo = (t: TestContext, folder: Folder, options: ClientOptions = {}) =>
  connect(t, [folder.root], { executorHost: host.script, ...options });

/** What verifying the stored chain says, where the client's key counts as an environment. */
async function verdictOn(folder: Folder, name: string): Promise<ChainVerdict> {
  const store = fileReceiptStore(nodeCrypto, folder.path('.touchstone/receipts'));
  const trust = makeTrustStore([{ key: receiptKey.publicKey, role: 'environment' }]);
  return verifyStoredChain(nodeCrypto, store.open(name), trust);
}

test('runs leave a chain of receipts that holds, signed by the client', async (t) => {
  const folder = await certified(t, 'echo');
  const { connection, asked } = await connectTo(t, folder);
  const uri = folder.uri('echo/executor.json');
  const run = (say: string) =>
    connection.sendRequest(Run, { uri, environment, input: { context: { say } } });
  const [first, second] = [await run('hello'), await run('again')];

  assert.equal(first.status, 'ok', JSON.stringify(first.problem));
  assert.deepEqual([first.tier, first.purityMethod], [1, 'wasm_certified']);
  assert.match(JSON.stringify(first.result), /hello/);
  assert.deepEqual([first.receipt?.epoch, second.receipt?.epoch], [0, 1]);
  assert.equal(first.receipt?.signer, receiptKey.publicKey.keyId);
  assert.deepEqual(
    asked.map(({ purpose, key }) => [purpose, key]),
    [
      ['receipt', environment],
      ['receipt', environment],
    ],
  );
  assert.ok(
    Buffer.from(bytesOf(asked[0]?.message ?? ''))
      .toString()
      .startsWith('touchstone/receipt/1\n{'),
  );
  const verdict = await verdictOn(folder, 'echo');
  assert.deepEqual([verdict.verdict, verdict.holds], ['valid', 2]);
  assert.match(readFileSync(folder.path('.touchstone/.gitignore'), 'utf8'), /^receipts\/$/m);
});

test('the phases of a run are told as they begin', async (t) => {
  const folder = await certified(t, 'call');
  const { connection } = await connectTo(t, folder);
  const told: (WorkDoneProgressBegin | WorkDoneProgressReport | WorkDoneProgressEnd)[] = [];
  connection.onProgress(WorkDoneProgress.type, 'the run', (value) => void told.push(value));
  const uri = folder.uri('call/executor.json');
  await connection.sendRequest(Run, { uri, environment, input: {}, workDoneToken: 'the run' });
  assert.deepEqual(
    told.map((each) => (each.kind === 'end' ? each.kind : each.message)),
    ['gate', 'instantiate', 'plan', 'govern', 'record', 'end'],
  );
  const [begin] = told;
  assert.ok(begin?.kind === 'begin');
  assert.deepEqual([begin.title, begin.cancellable], ['call', true]);
});

test('directives come with what became of them, and grants count for this run', async (t) => {
  const folder = await certified(t, 'call');
  const { connection } = await connectTo(t, folder);
  const uri = folder.uri('call/executor.json');
  const input = { step_config: { machine: 'mail/send' } };
  const run = (grants: readonly string[]) =>
    connection.sendRequest(Run, { uri, environment, input, grants });
  const [recorded, granted] = [await run([]), await run(['machine.call'])];
  assert.deepEqual(recorded.directives, granted.directives);
  assert.deepEqual(
    granted.decisions.map(({ type, hash }) => [type, hash]),
    granted.receipt?.directives.map(({ type, hash }) => [type, hash]),
  );
  assert.ok(!('directive' in (granted.decisions[0] ?? {})));
  assert.deepEqual(
    [recorded, granted].map(({ decisions }) => decisions.map(({ reason }) => reason)),
    [
      ['NotGranted(machine.call)'],
      ['GrantRefused(machine-not-granted: mail/send is not among the machines of the grant)'],
    ],
  );
});

/** A workspace whose policy grants the memory, and has a hook that wants a person. */
async function reviewed(t: TestContext): Promise<Folder> {
  const folder = await certified(t, 'memory');
  folder.write(
    'guard.wasm',
    assemble(answering('{"result":{"verdict":"review","reason":"mine"}}')),
  );
  folder.write('guard.wasm.purity.json', await certificateFor(folder.read('guard.wasm')));
  const governance = {
    grants: { memory: {} },
    preHooks: [{ name: 'guard', path: '../guard.wasm' }],
  };
  folder.write('.touchstone/policy.json', { format: 'policy/1', governance });
  return folder;
}

test('a grant for this run performs, and a hook asks the person through the client', async (t) => {
  const folder = await reviewed(t);
  const uri = folder.uri('memory/executor.json');
  const input = { step_config: { operations: [{ store: { key: 'last', value: 3 } }] } };
  const decided = async (grants: readonly string[], review?: (params: ReviewParams) => boolean) => {
    const { connection } = await connectTo(t, folder, review && { review });
    const { decisions } = await connection.sendRequest(Run, { uri, environment, input, grants });
    return decisions.map(({ decision, reason = '' }) => `${decision} ${reason}`.trim());
  };
  const asked: ReviewParams[] = [];
  const allow = (params: ReviewParams) => {
    asked.push(params);
    return true;
  };
  assert.deepEqual(await decided(['memory'], allow), ['performed']);
  assert.deepEqual(
    asked.map(({ stage, hook, reason, executor }) => [stage, hook, reason, executor]),
    [['pre-hooks', 'guard', 'mine', 'memory@1.0.0']],
  );
  assert.deepEqual(await decided([], allow), ['recorded NotGranted(memory)']);
  assert.deepEqual(await decided(['memory'], () => false), ['denied ReviewDenied(guard: mine)']);
  assert.deepEqual(await decided(['memory']), ['denied ReviewUnavailable(guard: mine)']);
});

test('a run that is cancelled ends so, and leaves a receipt', async (t) => {
  const folder = await endless(t);
  const { connection } = await connectTo(t, folder);
  const source = new CancellationTokenSource();
  connection.onProgress(WorkDoneProgress.type, 'the run', (value) => {
    if (value.kind === 'report' && value.message === 'plan') setTimeout(() => source.cancel(), 50);
  });
  const uri = folder.uri('endless/executor.json');
  const params = { uri, environment, input: {}, workDoneToken: 'the run' };
  const answer = await connection.sendRequest(Run, params, source.token);
  assert.equal(answer.status, 'cancelled');
  assert.equal(answer.fuel.used, null);
  assert.equal(answer.receipt?.status, 'cancelled');
  assert.equal((await verdictOn(folder, 'endless')).verdict, 'valid');
  // The process was ended with the run; the next run has another.
  const next = await connection.sendRequest(Run, { uri, environment, input: {}, fuel: 1_000 });
  assert.equal(next.status, 'out-of-fuel');
  assert.deepEqual(next.fuel, { limit: 1_000, used: next.fuel.used });
  assert.equal((await verdictOn(folder, 'endless')).holds, 2);
});

test('the end of the server ends a run as cancelled, with a receipt', async (t) => {
  const folder = await endless(t);
  const { connection, requests } = await connectTo(t, folder);
  connection.onProgress(WorkDoneProgress.type, 'the run', (value) => {
    if (value.kind === 'report' && value.message === 'plan') void requests.close();
  });
  const uri = folder.uri('endless/executor.json');
  const params = { uri, environment, input: {}, workDoneToken: 'the run' };
  const answer = await connection.sendRequest(Run, params);
  assert.equal(answer.status, 'cancelled');
  assert.equal((await verdictOn(folder, 'endless')).verdict, 'valid');
  await assertFails(connection.sendRequest(Run, params), 'cancelled', /^cancelled$/);
});

test('what the gate refuses is answered, and does not run', async (t) => {
  const folder = makeWorkspace(t);
  folder.example('echo');
  const { connection, asked } = await connectTo(t, folder);
  const uri = folder.uri('echo/executor.json');
  const { problem, ...answer } = await connection.sendRequest(Run, { uri, environment, input: {} });
  assert.deepEqual(answer, {
    status: 'not-admitted',
    result: null,
    directives: [],
    decisions: [],
    logs: [],
    fuel: { limit: 50_000_000, used: null },
    tier: 1,
    purityMethod: 'wasm_certified',
    receipt: null,
  });
  assert.equal(problem?.code, 'signature');
  assert.deepEqual(asked, []);
  assert.ok(!existsSync(folder.path('.touchstone')));
});

test('what is designated tier 1 runs at no other, also by the name of its module', async (t) => {
  const folder = await certified(t, 'echo');
  folder.write('.touchstone/policy.json', { format: 'policy/1', minimumTier: 3 });
  const { connection } = await connectTo(t, folder);
  for (const name of ['echo/executor.json', 'echo/build/echo.wasm']) {
    const params: RunParams = { uri: folder.uri(name), environment, input: {}, tier: 3 };
    const answer = await connection.sendRequest(Run, params);
    assert.deepEqual([answer.status, answer.problem?.code], ['not-admitted', 'policy'], name);
  }
});

test('an untrusted workspace runs nothing', async (t) => {
  const folder = await certified(t, 'echo');
  const { connection, asked } = await connectTo(t, folder, { isTrusted: false });
  const uri = folder.uri('echo/executor.json');
  await assertFails(
    connection.sendRequest(Run, { uri, environment, input: {} }),
    'not-trusted',
    /^running needs a trusted workspace/,
  );
  assert.deepEqual(asked, []);
  assert.ok(!existsSync(folder.path('.touchstone/receipts')));
});

test('a receipt that is signed wrongly is not written, and the run is not acknowledged', async (t) => {
  const folder = await certified(t, 'echo');
  let isRight = false;
  const { connection } = await connectTo(t, folder, {
    signing: (params) =>
      isRight ? signRightly(params) : encodeBase64(bytesOf(signRightly(params)).fill(0, 32)),
  });
  const uri = folder.uri('echo/executor.json');
  const run = () => connection.sendRequest(Run, { uri, environment, input: {} });
  await assertFails(
    run(),
    'signature-refused',
    /^nothing of this run is acknowledged: the receipt is not signed: /,
  );
  assert.equal((await verdictOn(folder, 'echo')).verdict, 'empty');
  isRight = true;
  assert.equal((await run()).receipt?.epoch, 0);
});

test('wrong parameters run nothing, and are named', async (t) => {
  const folder = await certified(t, 'echo');
  const { send } = await connectTo(t, folder);
  const good = { uri: folder.uri('echo/executor.json'), environment, input: {} };
  let deep: object = {};
  for (let depth = 0; depth < 300; depth++) deep = { deep };
  const wrong: readonly (readonly [params: object, problem: RegExp])[] = [
    [{ ...good, environment: 'AAAA' }, /environment/],
    [{ ...good, input: [] }, /input/],
    [{ ...good, input: { other: 1 } }, /input.*"step_config" and "context"/],
    [{ ...good, input: { context: deep } }, /input.*nested too deep/],
    [{ ...good, input: { context: { text: '\ud800' } } }, /input.*lone surrogate/],
    [{ ...good, tier: 4 }, /tier/],
    [{ ...good, fuel: 0.5 }, /fuel/],
    [{ ...good, grants: ['everything'] }, /grants.*no such capability/],
  ];
  for (const [params, problem] of wrong) {
    await assertFails(send(Run, params), 'invalid-params', problem);
  }
  assert.ok(!existsSync(folder.path('.touchstone/receipts')));
});

test('the trust of a workspace ends at its folder', async (t) => {
  const [folder, other] = [makeWorkspace(t), await certified(t, 'echo')];
  folder.write('.touchstone/trust.json', serializeTrustStore(makeTrustStore([])));
  const { connection } = await connectTo(t, folder);
  const uri = other.uri('echo/executor.json');
  await assertFails(
    connection.sendRequest(Run, { uri, environment, input: {} }),
    'outside-workspace',
    /open its folder first/,
  );
});
