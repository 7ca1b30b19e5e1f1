// A client and the requests of the server over a real connection in memory, a folder of its own, and
// keys that the client keeps to itself.

import assert from 'node:assert/strict';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import {
  createProtocolConnection,
  type ProtocolConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
} from 'vscode-languageserver-protocol/node';
import { z } from 'zod';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../../../engine/encoding/base64.ts';
import { serializeTrustStore } from '../../../engine/gate/trust-store.ts';
import { createAssembler } from '../../../engine/module/wat.ts';
import type { JobFailure, JobResults } from '../../../server/analysis/jobs.ts';
import type { Lane } from '../../../server/analysis/lane.ts';
import { doJob } from '../../../server/analysis/work.ts';
import {
  type RequestFailure,
  Review,
  type ReviewParams,
  Sign,
  type SignParams,
} from '../../../server/protocol.ts';
import { type Requests, registerRequests } from '../../../server/requests/handlers.ts';
import { DEFAULT_SETTINGS } from '../../../server/settings.ts';
import { createWorkspace } from '../../../server/workspace/workspace.ts';
import { EXAMPLES } from '../../support/examples.ts';
import { certifier, environment, publisher, stranger } from '../../support/gate.ts';
import { grammars } from '../../support/grammars.ts';

// Whom the user of this machine trusts is nothing to the tests.
process.env.XDG_CONFIG_HOME = join(tmpdir(), 'touchstone-no-config');

/** The key that signs receipts: the client's, and in no trust store. */
export const receiptKey = stranger;

/** A public key as requests name it. */
export function keyText({ publicKey }: Signer): string {
  return encodeBase64(publicKey.raw);
}

/** What the client answers when it is asked to sign. */
export type Signing = (params: SignParams) => string | Promise<string>;

export interface ClientOptions {
  readonly isTrusted?: boolean;
  /** In place of a right signature by the key that is asked for. */
  readonly signing?: Signing;
  readonly executorHost?: URL;
  /** Answers for the person where a hook asks for one; without it the client says it cannot. */
  readonly review?: (params: ReviewParams) => boolean;
}

export interface RequestClient {
  readonly connection: ProtocolConnection;
  readonly requests: Requests;
  /** What the client was asked to sign. */
  readonly asked: readonly SignParams[];
  /** Sends whatever it is given, also what the types forbid. */
  send(type: { readonly method: string }, params: unknown): Promise<unknown>;
}

/** A folder of the workspace, gone when the test ends. */
export function makeWorkspace(t: TestContext) {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'touchstone-requests-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string): string => join(root, name);
  const write = (name: string, contents: string | Uint8Array | object): string => {
    mkdirSync(dirname(path(name)), { recursive: true });
    const isRaw = typeof contents === 'string' || contents instanceof Uint8Array;
    writeFileSync(path(name), isRaw ? contents : JSON.stringify(contents));
    return path(name);
  };
  return {
    root,
    path,
    write,
    uri: (name: string) => pathToFileURL(path(name)).href,
    read: (name: string) => new Uint8Array(readFileSync(path(name))),
    /** Copies a project of `examples/` here, without certificates, to a folder of its last name. */
    example: (name: string): string => {
      const folder = name.split('/').at(-1) ?? name;
      for (const part of ['executor.json', join('build', `${folder}.wasm`)]) {
        cpSync(join(EXAMPLES, name, part), path(join(folder, part)));
      }
      return folder;
    },
    /** Writes the workspace's own trust store, with the test's certifier and publisher. */
    trust: () => write('.touchstone/trust.json', serializeTrustStore(environment().trust)),
  };
}

/** Connects a client to the requests of a server that has looked through `folders`. */
export async function connect(
  t: TestContext,
  folders: readonly string[],
  { isTrusted = true, signing = signRightly, executorHost, review }: ClientOptions = {},
): Promise<RequestClient> {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const server = createConnection(
    ProposedFeatures.all,
    new StreamMessageReader(toServer),
    new StreamMessageWriter(toClient),
  );
  const client = createProtocolConnection(
    new StreamMessageReader(toClient),
    new StreamMessageWriter(toServer),
  );
  const files = laneInThread();
  const workspace = createWorkspace({
    files,
    cacheFolder: undefined,
    version: '0',
    isTrusted: () => isTrusted,
    settings: () => DEFAULT_SETTINGS,
    openText: () => undefined,
    textFound: async () => undefined,
    settled: () => undefined,
    removed: () => undefined,
  });
  const requests = registerRequests({
    connection: server,
    client: { isTrusted: () => isTrusted, reviews: review !== undefined },
    options: { executorHost: executorHost ?? new URL('file:///none') },
    session: { files, workspace },
  });
  const asked: SignParams[] = [];
  client.onRequest(Sign, async (params) => {
    asked.push(params);
    return { signature: await signing(params) };
  });
  if (review !== undefined) {
    client.onRequest(Review, (params) => ({ allow: review(params) }));
  }
  server.listen();
  client.listen();
  t.after(async () => {
    await requests.close();
    await workspace.close();
    client.dispose();
    server.dispose();
  });
  const progress = { signal: new AbortController().signal, examined() {}, problem() {} };
  for (const folder of folders) await workspace.addFolder(folder, progress);
  return {
    connection: client,
    requests,
    asked,
    send: (type, params) => client.sendRequest(type.method, params),
  };
}

/** Signs as a client does that holds all the keys of the tests. */
export function signRightly({ key, message }: SignParams): string {
  const signer = [certifier, publisher, receiptKey].find((each) => keyText(each) === key);
  assert.ok(signer, 'an unknown key');
  const signature = signer.sign(bytesOf(message));
  assert.ok(signature instanceof Uint8Array);
  return encodeBase64(signature);
}

export function bytesOf(base64: string): Uint8Array {
  const bytes = tryDecodeBase64(base64);
  assert.ok(bytes);
  return bytes;
}

/** Does the jobs of the requests here: the thread has tests of its own. */
function laneInThread(): Lane {
  const tools = { assembler: createAssembler(), grammars };
  return {
    // What a kind of job is answered with is known to the work only.
    do: (job) => doJob(job, tools) as Promise<JobResults[typeof job.kind] | JobFailure>,
    close: async () => undefined,
  };
}

const failure = z.strictObject({ code: z.string() });

/** Asserts that a request fails for this reason, and says so in one line for a person. */
export async function assertFails(
  answer: Promise<unknown>,
  code: RequestFailure['code'],
  message: RegExp,
): Promise<void> {
  await assert.rejects(answer, (error) => {
    assert.ok(error instanceof ResponseError);
    assert.doesNotMatch(error.message, /\n|\bat .+:\d+:\d+/);
    assert.match(error.message, message);
    assert.equal(failure.parse(error.data).code, code);
    return true;
  });
}
