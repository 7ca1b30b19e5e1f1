// What client and server say to each other beyond the protocol, in one session over stdio: a client that
// holds its keys itself, examples that are certified, run and recorded, and what the command line then
// says of the files.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import {
  CancellationTokenSource,
  type Hover,
  WorkDoneProgress,
} from 'vscode-languageserver-protocol/node';
import { z } from 'zod';
import { makeTrustStore, serializeTrustStore } from '../../engine/gate/trust-store.ts';
import {
  Certify,
  Inspect,
  Receipts,
  type ReceiptsParams,
  Run,
  Sign,
  type SignParams,
  TrustGranted,
  Verify,
} from '../../server/protocol.ts';
import { MODULES } from '../cli/run-support.ts';
import { EXAMPLES } from '../support/examples.ts';
import { certificateFor, certifier, publisher } from '../support/gate.ts';
import { assemble } from '../support/wat.ts';
import { assertFails, keyText, receiptKey, signRightly } from './requests/support.ts';
import { type Client, type ClientOptions, makeFolder, startClient } from './support/client.ts';
import { has, lacks, TRUST } from './support/manifest.ts';

const CLI = resolve('dist', 'cli.js');
const environment = keyText(receiptKey);
const ENVIRONMENTS = serializeTrustStore(
  makeTrustStore([{ key: receiptKey.publicKey, role: 'environment' }]),
);

type Folder = ReturnType<typeof makeFolder>;

/** A trusted workspace with projects of `examples/`, none of them certified. */
function workspaceWith(...examples: readonly string[]): Folder {
  const folder = makeFolder({ '.touchstone/trust.json': TRUST });
  for (const name of examples) {
    for (const part of ['executor.json', 'build']) {
      cpSync(join(EXAMPLES, name, part), folder.path(join(name, part)), { recursive: true });
    }
  }
  return folder;
}

interface SigningClient extends Client {
  /** What the server asked to be signed, in order. */
  readonly asked: readonly SignParams[];
}

/** A client that signs what it is asked to, as `signing` does. */
async function signingClient(
  folder: Folder,
  { signing = signRightly, ...options }: ClientOptions & { signing?: typeof signRightly } = {},
): Promise<SigningClient> {
  const client = await startClient({ folders: [folder.root], ...options });
  const asked: SignParams[] = [];
  client.connection.onRequest(Sign, (params) => {
    asked.push(params);
    return { signature: signing(params) };
  });
  return { ...client, asked };
}

/** Runs the command line in a folder; gives its exit code and the document that it prints. */
function cli(folder: Folder, ...args: readonly string[]): Promise<{ code: number; json: unknown }> {
  return new Promise((done, failed) => {
    const options = { cwd: folder.root };
    execFile(process.execPath, [CLI, ...args, '--format', 'json'], options, (error, stdout) => {
      const code = error === null ? 0 : error.code;
      if (typeof code === 'number') done({ code, json: JSON.parse(stdout) });
      else failed(error);
    });
  });
}

/** Certifies an executor, and tells of the new file as the editor's watcher does. */
async function certify(client: Client, uri: string): Promise<void> {
  const params = { uri, certifier: keyText(certifier) };
  const answer = await client.connection.sendRequest(Certify, params);
  assert.ok(answer.certified);
  client.fileChanged(answer.certificateUri, answer.inTotoUri);
}

test('an executor that is certified loses the finding, and the command line admits it', async () => {
  using folder = workspaceWith('call');
  await using client = await signingClient(folder);
  const uri = folder.uri('call/executor.json');
  await client.until(uri, has('certificate-missing'));
  const keys = { certifier: keyText(certifier), publisher: keyText(publisher) };
  const answer = await client.connection.sendRequest(Certify, { uri, ...keys });

  assert.ok(answer.certified);
  assert.equal(answer.certificateUri, folder.uri('call/build/call.wasm.purity.json'));
  assert.equal(answer.inTotoUri, folder.uri('call/build/call.wasm.intoto.json'));
  assert.deepEqual(
    client.asked.map(({ purpose, key }) => [purpose, key]),
    [
      ['certificate', keys.certifier],
      ['publisher', keys.publisher],
      ['in-toto', keys.certifier],
    ],
  );
  client.fileChanged(answer.certificateUri, answer.inTotoUri);
  await client.until(uri, lacks('certificate-missing'));
  await client.until(folder.uri('call/build/call.wasm'), lacks('certificate-missing'));

  const verified = await client.connection.sendRequest(Verify, { uri });
  assert.ok(verified.admitted);
  const { code, json } = await cli(folder, 'verify', 'call');
  assert.equal(code, 0);
  assert.deepEqual(json, verified);
});

test('an impure module is not certified, and nothing is asked or written', async () => {
  using folder = workspaceWith('impure/println');
  await using client = await signingClient(folder);
  const uri = folder.uri('impure/println/executor.json');
  const params = { uri, certifier: keyText(certifier) };
  const answer = await client.connection.sendRequest(Certify, params);
  assert.ok(!answer.certified);
  assert.match(answer.reason, /^4 imports outside the whitelist mashin@1$/);
  assert.deepEqual(answer.impure, [
    'wasi_snapshot_preview1.fd_write',
    'wasi_snapshot_preview1.environ_get',
    'wasi_snapshot_preview1.environ_sizes_get',
    'wasi_snapshot_preview1.proc_exit',
  ]);
  assert.deepEqual(client.asked, []);
  assert.ok(!existsSync(folder.path('impure/println/build/println.wasm.purity.json')));
});

test('a signature by another key certifies nothing', async () => {
  using folder = workspaceWith('echo');
  const signing = (params: SignParams) => signRightly({ ...params, key: keyText(publisher) });
  await using client = await signingClient(folder, { signing });
  const uri = folder.uri('echo/executor.json');
  const params = { uri, certifier: keyText(certifier) };
  await assertFails(
    client.connection.sendRequest(Certify, params),
    'signature-refused',
    /^the certificate is not signed: what came back is no signature by key /,
  );
  assert.ok(!existsSync(folder.path('echo/build/echo.wasm.purity.json')));
  assert.ok(!existsSync(folder.path('echo/build/echo.wasm.intoto.json')));
});

test('a client that cannot sign is told so', async () => {
  using folder = workspaceWith('echo');
  await using client = await startClient({ folders: [folder.root] });
  const params = { uri: folder.uri('echo/executor.json'), certifier: keyText(certifier) };
  await assertFails(
    client.connection.sendRequest(Certify, params),
    'signature-refused',
    /^the certificate is not signed: the editor did not sign: /,
  );
});

test('what is not trusted is inspected and verified, and certified and run once it is trusted', async () => {
  using folder = workspaceWith('echo');
  await using client = await signingClient(folder, { initialization: { trusted: false } });
  const { connection, asked } = client;
  const uri = folder.uri('echo/executor.json');
  const run = () => connection.sendRequest(Run, { uri, environment, input: {} });
  const certifying = { uri, certifier: keyText(certifier) };
  await assertFails(run(), 'not-trusted', /^running needs a trusted workspace/);
  await assertFails(
    connection.sendRequest(Certify, certifying),
    'not-trusted',
    /^certifying needs a trusted workspace/,
  );
  assert.deepEqual(asked, []);
  assert.ok((await connection.sendRequest(Inspect, { uri })).allImportsPure);
  folder.write(
    'echo/build/echo.wasm.purity.json',
    await certificateFor(readFileSync(folder.path('echo/build/echo.wasm'))),
  );
  assert.equal((await connection.sendRequest(Verify, { uri })).admitted, false);

  await connection.sendNotification(TrustGranted);
  assert.equal((await connection.sendRequest(Verify, { uri })).admitted, true);
  await certify(client, uri);
  assert.equal((await run()).status, 'ok');
});

test('verifying tells each check up to the one that fails', async () => {
  using folder = workspaceWith('echo');
  await using client = await signingClient(folder);
  const uri = folder.uri('echo/executor.json');
  const checks = async () => {
    const { checks: made } = await client.connection.sendRequest(Verify, { uri });
    return made.map(({ code, ok }) => `${ok ? 'ok' : 'not ok'} ${code}`);
  };
  assert.deepEqual(await checks(), ['not ok signature']);
  folder.write('echo/build/echo.wasm.purity.json', await certificateFor(assemble(MODULES.trap)));
  assert.deepEqual(await checks(), ['ok signature', 'not ok artifact-binding']);
});

test('a run tells its phases, and leaves receipts that hold for whoever trusts the key', async () => {
  using folder = workspaceWith('call');
  folder.write('environments.json', ENVIRONMENTS);
  await using client = await signingClient(folder);
  const { connection } = client;
  const uri = folder.uri('call/executor.json');
  await certify(client, uri);
  const phases: (string | undefined)[] = [];
  connection.onProgress(WorkDoneProgress.type, 'run 1', (told) => {
    phases.push(told.kind === 'end' ? 'end' : told.message);
  });
  const input = { step_config: { machine: 'mail/send' } };
  const answer = await connection.sendRequest(Run, {
    uri,
    environment,
    input,
    workDoneToken: 'run 1',
  });
  assert.equal(answer.status, 'ok', JSON.stringify(answer.problem));
  assert.deepEqual(phases, ['gate', 'instantiate', 'plan', 'govern', 'record', 'end']);
  assert.deepEqual(answer.result, { machine: 'mail/send', calls: 1 });
  assert.deepEqual(
    answer.directives.map(({ type }) => type),
    ['call_machine'],
  );
  const [decision] = answer.decisions;
  assert.deepEqual([decision?.type, decision?.decision], ['call_machine', 'recorded']);
  assert.deepEqual([answer.tier, answer.purityMethod], [1, 'wasm_certified']);
  assert.equal(client.asked.at(-1)?.purpose, 'receipt');
  assert.equal(answer.receipt?.signer, receiptKey.publicKey.keyId);

  const verify = (...more: readonly string[]) =>
    cli(folder, 'receipts', 'verify', '.touchstone/receipts', ...more);
  assert.deepEqual(await verdicts(verify('--trust', 'environments.json')), [0, 'call valid 1']);
  assert.deepEqual(await verdicts(verify()), [1, 'call invalid-signature 0']);
});

const chainsSchema = z.object({
  chains: z.array(z.object({ chain: z.string(), verdict: z.string(), holds: z.int() })),
});

async function verdicts(answer: ReturnType<typeof cli>): Promise<readonly [number, ...string[]]> {
  const { code, json } = await answer;
  const { chains } = chainsSchema.parse(json);
  return [code, ...chains.map(({ chain, verdict, holds }) => `${chain} ${verdict} ${holds}`)];
}

/** A certified project that loops for longer than anybody waits. */
async function endless(folder: Folder): Promise<string> {
  const bytes = assemble(MODULES.loop);
  folder.write('endless/endless.wasm', bytes);
  folder.write('endless/endless.wasm.purity.json', await certificateFor(bytes));
  const manifest = { name: 'endless', version: '1.0.0', artifact: 'endless.wasm' };
  const limits = { fuel: Number.MAX_SAFE_INTEGER, timeoutMs: 600_000 };
  folder.write('endless/executor.json', JSON.stringify({ ...manifest, limits }));
  return folder.uri('endless/executor.json');
}

test('while a run goes on other documents are answered, and it can be cancelled, with a receipt', async () => {
  using folder = workspaceWith();
  folder.write('environments.json', ENVIRONMENTS);
  const uri = await endless(folder);
  await using client = await signingClient(folder);
  const { connection } = client;
  const other = folder.uri('other.wat');
  client.open(other, 'wat', '(module\n  (import "env" "now" (func (result i64))))\n');
  await client.until(other, has('unreachable-impure-import'));

  const source = new CancellationTokenSource();
  const planning = new Promise<void>((resolved) => {
    connection.onProgress(WorkDoneProgress.type, 7, (told) => {
      if (told.kind === 'report' && told.message === 'plan') resolved();
    });
  });
  const params = { uri, environment, input: {}, workDoneToken: 7 };
  const running = connection.sendRequest(Run, params, source.token);
  await planning;
  const asked = performance.now();
  const hover: Hover | null = await connection.sendRequest('textDocument/hover', {
    textDocument: { uri: other },
    position: { line: 1, character: 18 },
  });
  assert.ok(performance.now() - asked < 1_000);
  assert.match(JSON.stringify(hover), /impure/);

  source.cancel();
  const { status, fuel, receipt, problem } = await running;
  assert.deepEqual([status, fuel.used, receipt?.status], ['cancelled', null, 'cancelled']);
  assert.equal(problem?.code, 'cancelled');
  const verified = cli(
    folder,
    ...['receipts', 'verify', '.touchstone/receipts', '--trust', 'environments.json'],
  );
  assert.deepEqual(await verdicts(verified), [0, 'endless valid 1']);
});

test('the end of the session in the middle of a run ends that as cancelled', async () => {
  using folder = workspaceWith();
  const uri = await endless(folder);
  const client = await signingClient(folder);
  const { connection } = client;
  const planning = new Promise<void>((resolved) => {
    connection.onProgress(WorkDoneProgress.type, 7, (told) => {
      if (told.kind === 'report' && told.message === 'plan') resolved();
    });
  });
  const params = { uri, environment, input: {}, workDoneToken: 7 };
  const running = connection.sendRequest(Run, params);
  await planning;
  await Promise.all([client.stop(), running]);
  assert.equal((await running).status, 'cancelled');
  assert.equal(client.process.exitCode, 0);
});

test('receipts come page by page, with a verdict on the whole chain', async () => {
  using folder = workspaceWith('echo');
  await using client = await signingClient(folder);
  const { connection } = client;
  const uri = folder.uri('echo/executor.json');
  await certify(client, uri);
  const receipts = [];
  for (const say of ['one', 'two', 'three']) {
    const run = { uri, environment, input: { context: { say } } };
    receipts.push((await connection.sendRequest(Run, run)).receipt);
  }
  const ask = async (more: Partial<ReceiptsParams>) => {
    const params = { folder: folder.uri('.'), environment, ...more };
    return (await connection.sendRequest(Receipts, params)).chains;
  };
  const [chain, ...others] = await ask({});
  assert.deepEqual(
    [chain?.name, chain?.verdict, chain?.holds, chain?.length, chain?.receipts, others],
    ['echo', 'valid', 3, 3, undefined, []],
  );
  assert.deepEqual((await ask({ chain: 'echo' }))[0]?.receipts, receipts);
  const page = await ask({ chain: 'echo', from: 1, count: 1 });
  assert.deepEqual(page[0]?.receipts, receipts.slice(1, 2));
  assert.deepEqual((await ask({ chain: 'echo', from: 3 }))[0]?.receipts, []);
  const [stranger] = await ask({ environment: keyText(publisher) });
  assert.equal(stranger?.verdict, 'invalid-signature');
});

test('inspecting println tells how each import is reached, and what to do about it', async () => {
  using folder = workspaceWith('impure/println');
  await using client = await signingClient(folder);
  const module = folder.uri('impure/println/build/println.wasm');
  for (const uri of [module, folder.uri('impure/println/executor.json')]) {
    const inspection = await client.connection.sendRequest(Inspect, { uri });
    assert.deepEqual([inspection.uri, inspection.allImportsPure], [module, false]);
    const impure = inspection.imports.filter((each) => each.class === 'impure');
    assert.equal(impure.length, 4);
    for (const { name, path = [], recipe } of impure) {
      assert.equal(path[0]?.via, 'root', name);
      assert.ok(path.at(-1)?.name.endsWith(name), name);
      assert.doesNotMatch(path.map((frame) => frame.name).join(), /_ZN|_R[A-Z]|17h[0-9a-f]{16}/);
      assert.equal(path.filter(({ lastOfAuthor }) => lastOfAuthor).length, 1, name);
      assert.match(recipe ?? '', /`wasm32-unknown-unknown`/, name);
    }
    const [write] = impure;
    assert.match(write?.path?.map(({ name }) => name).join(' ') ?? '', /std::io::Write::write_all/);
    assert.match(write?.recipe ?? '', /`println!`/);
    const pure = inspection.imports.find(({ name }) => name === 'get_input_len');
    assert.deepEqual([pure?.path, pure?.recipe, pure?.category], [undefined, undefined, 'context']);
    const asking = inspection.imports.find(({ name }) => name === 'call_machine');
    assert.equal(asking?.capability, 'machine.call');
    assert.equal(inspection.readers.filter(({ outcome }) => outcome === 'agrees').length, 3);
  }
});
