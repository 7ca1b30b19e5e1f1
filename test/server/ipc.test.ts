// The two ways that editors start the server: as VS Code does, over Node's IPC, and over standard
// streams, where nothing but the protocol may ever stand on stdout.

import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import {
  createProtocolConnection,
  type InitializeResult,
  IPCMessageReader,
  IPCMessageWriter,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
} from 'vscode-languageserver-protocol/node';
import { BAD_MODULES, SUBTLY_BAD_MODULES } from '../support/bad-modules.ts';
import { codesOf, makeFolder } from './support/client.ts';

const IMPURE = '(module\n  (import "env" "now" (func (result i64))))\n';

interface Forked extends Disposable {
  readonly child: ChildProcess;
  readonly connection: ProtocolConnection;
  /** Resolves with how the process ended. */
  readonly ended: Promise<readonly [code: number | null, signal: string | null]>;
  readonly output: () => string;
}

/** Starts the server as VS Code does: a plain Node process that speaks over its channel. */
function forkServer(): Forked {
  const child = fork('dist/server.js', ['--node-ipc'], { execArgv: [], silent: true });
  const connection = createProtocolConnection(
    new IPCMessageReader(child),
    new IPCMessageWriter(child),
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (data) => {
      output += data;
    });
  }
  const ended = new Promise<readonly [number | null, string | null]>((resolve) => {
    child.once('exit', (code, signal) => resolve([code, signal]));
  });
  connection.listen();
  return {
    child,
    connection,
    ended,
    output: () => output,
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

/** What an editor says first. Without its process id only the end of the connection tells of its end. */
const introduction = (rootUri: string | null) => ({
  processId: null,
  rootUri,
  capabilities: {},
  initializationOptions: { trusted: true, cacheFolder: null },
});

async function initialize(
  { connection }: Forked,
  rootUri: string | null = null,
): Promise<InitializeResult> {
  const params = introduction(rootUri);
  const result: InitializeResult = await connection.sendRequest('initialize', params);
  await connection.sendNotification('initialized', {});
  return result;
}

/** Opens a document and resolves with what is found in it. */
async function open({ connection }: Forked, uri: string): Promise<PublishDiagnosticsParams> {
  const published = new Promise<PublishDiagnosticsParams>((resolve) => {
    connection.onNotification(
      'textDocument/publishDiagnostics',
      (params: PublishDiagnosticsParams) => {
        if (params.uri === uri && params.diagnostics.length > 0) resolve(params);
      },
    );
  });
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'wat', version: 1, text: IMPURE },
  });
  return published;
}

test('over IPC a session goes from its introduction to its end with code 0', async () => {
  using folder = makeFolder();
  using server = forkServer();
  const { serverInfo, capabilities } = await initialize(server);
  assert.equal(serverInfo?.name, 'touchstone');
  assert.equal(capabilities.hoverProvider, true);
  const { diagnostics } = await open(server, folder.uri('plan.wat'));
  assert.ok(codesOf(diagnostics).includes('unreachable-impure-import'));
  assert.equal(await server.connection.sendRequest('shutdown'), null);
  await server.connection.sendNotification('exit');
  assert.deepEqual(await server.ended, [0, null]);
  assert.equal(server.output(), '');
});

test('an end that was not announced has code 1', async () => {
  using server = forkServer();
  await initialize(server);
  await server.connection.sendNotification('exit');
  assert.deepEqual(await server.ended, [1, null]);
});

test('over IPC a server whose editor is gone ends by itself', { timeout: 20_000 }, async () => {
  using folder = makeFolder();
  using server = forkServer();
  await initialize(server, folder.uri('.'));
  await open(server, folder.uri('plan.wat'));
  server.child.disconnect();
  assert.deepEqual(await server.ended, [1, null]);
});

test('over stdio a server whose editor is gone ends by itself', { timeout: 20_000 }, async () => {
  using folder = makeFolder();
  const child = spawn(process.execPath, ['dist/cli.js', 'lsp', '--stdio']);
  const ended = once(child, 'exit');
  // It watches the folder itself, since this client says nothing of watching.
  child.stdin.write(frame({ id: 1, method: 'initialize', params: introduction(folder.uri('.')) }));
  child.stdin.write(frame({ method: 'initialized', params: {} }));
  await once(child.stdout, 'data');
  child.stdin.end();
  assert.deepEqual(await ended, [1, null]);
});

/** The messages in what a server wrote; fails at the first byte that is not of one. */
function framesIn(bytes: Buffer): unknown[] {
  const messages: unknown[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at);
    const header = bytes.toString('latin1', at, end < 0 ? bytes.length : end);
    const length = /^Content-Length: (\d+)$/.exec(header)?.[1];
    assert.ok(end > 0 && length !== undefined, `no frame at byte ${at}: ${header.slice(0, 200)}`);
    const body = bytes.subarray(end + 4, end + 4 + Number(length));
    assert.equal(body.length, Number(length), `the frame at byte ${at} is cut off`);
    messages.push(JSON.parse(body.toString()));
    at = end + 4 + Number(length);
  }
  return messages;
}

function frame(message: object): string {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function hasId(message: unknown, id: number): boolean {
  return typeof message === 'object' && message !== null && 'id' in message && message.id === id;
}

test('over stdio every byte on stdout is the protocol’s, whatever is asked and opened', async () => {
  const bad = [...BAD_MODULES, ...SUBTLY_BAD_MODULES].map(([, bytes]) => bytes);
  using folder = makeFolder({
    ...Object.fromEntries(bad.map((bytes, i) => [`bad/${i}.wasm`, bytes])),
    'executor.json': '{"name": "a", "version": "1.0.0", "artifact": "bad/0.wasm"}',
  });
  const child = spawn(process.execPath, ['dist/cli.js', 'lsp', '--stdio']);
  const ended = once(child, 'close');
  const pieces: Buffer[] = [];
  child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
  const answered = async (id: number) => {
    while (!Buffer.concat(pieces).includes(`"id":${id},`)) await once(child.stdout, 'data');
  };
  const send = (message: object) => child.stdin.write(frame(message));
  const notify = (method: string, params: object) => send({ method, params });
  send({ id: 1, method: 'initialize', params: introduction(folder.uri('.')) });
  notify('initialized', {});
  const texts = {
    wat: ['('.repeat(300_000), '(module (func $x (call $x', IMPURE],
    rust: ['extern "C" { fn '.repeat(5_000)],
    c: [`${'#if 1\n'.repeat(5_000)}`, randomBytes(50_000).toString('latin1')],
    typescript: ['@external("'.repeat(5_000)],
    json: ['['.repeat(500_000), '\0', '{"artifact": "'],
  };
  for (const [languageId, all] of Object.entries(texts)) {
    for (const [i, text] of all.entries()) {
      const name = languageId === 'json' ? `${i}/executor.json` : `${i}.${languageId}`;
      const uri = folder.uri(name);
      notify('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
      const params = { textDocument: { uri }, position: { line: 0, character: 3 } };
      send({ id: `hover ${name}`, method: 'textDocument/hover', params });
      send({ id: `completion ${name}`, method: 'textDocument/completion', params });
    }
  }
  for (const i of bad.keys()) {
    const params = { uri: folder.uri(`bad/${i}.wasm`) };
    send({ id: `inspect ${i}`, method: 'touchstone/inspect', params });
  }
  notify('no/such/notification', { text: 'Content-Length: 2\r\n\r\n{}' });
  send({ id: 2, method: 'no/such/request', params: { deep: [[[[]]]] } });
  send({ id: 3, method: 'touchstone/certify', params: { uri: 7 } });
  child.stdin.write('Content-Length: 9\r\n\r\nnot json!');
  send({ id: 99, method: 'touchstone/inspect', params: { uri: folder.uri('bad/0.wasm') } });
  // It comes after all that was asked before.
  await answered(99);
  send({ id: 100, method: 'shutdown' });
  await answered(100);
  notify('exit', {});
  const [code] = await ended;
  assert.equal(code, 0);

  const messages = framesIn(Buffer.concat(pieces));
  for (const id of [1, 2, 3, 99, 100])
    assert.ok(
      messages.some((each) => hasId(each, id)),
      `${id}`,
    );
});
