import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import type { Signer } from '../../engine/crypto/crypto.ts';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import type { RunServices } from '../../engine/governed/run.ts';
import { checkBuild } from '../../engine/platform/node/build-hash.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { isWhitelistName } from '../../engine/platform/node/deciders.ts';
import { createInterpreter } from '../../engine/platform/node/effects/interpreter.ts';
import { describeEnvironment } from '../../engine/platform/node/environment-descriptor.ts';
import { readDocument } from '../../engine/platform/node/files.ts';
import { fileNonceStore } from '../../engine/platform/node/nonce-store.ts';
import { fileReceiptStore } from '../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../engine/platform/node/run-journal.ts';
import { nodeSecrets } from '../../engine/platform/node/secrets.ts';
import {
  type MachineServer,
  startMachineServer,
} from '../../engine/platform/node/serve/machine-server.ts';
import {
  createServedMachine,
  type ServedMachine,
  type ServedMachineOptions,
} from '../../engine/platform/node/serve/served-machine.ts';
import { findSubject } from '../../engine/platform/node/subject.ts';
import { environmentSigner } from '../environment-key.ts';
import { createExecutorPool } from '../executor-pool.ts';
import { complain } from '../failure.ts';
import { type Format, formatOption, type GateOptions } from '../options.ts';
import { remoteMachines } from '../serve-remote.ts';
import {
  describeAnswered,
  describeServing,
  type ListedMachine,
  serveDocument,
} from '../serve-text.ts';
import { message, print, printJson } from '../terminal.ts';
import {
  filesHere,
  gateEnvironment,
  loadPolicy,
  policyFolder,
  workspaceFile,
} from '../workspace.ts';

interface ServeOptions extends Omit<GateOptions, 'certificate'> {
  readonly name?: readonly NamedPath[];
  readonly host: string;
  readonly port: number;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly token?: string;
  readonly receipts?: string;
  readonly format: Format;
}

/** An executor under a name of its own. */
interface NamedPath {
  readonly name: string;
  readonly path: string;
}

/** `touchstone serve PATH…`. */
export function serveCommand(): Command {
  return new Command('serve')
    .description('serve executors to other organisations, which call them as machines')
    .argument('[paths...]', 'executors, each under the name of its project')
    .option('--name <name=path>', 'an executor under another name; may be repeated', collectName)
    .option('--host <address>', 'where to listen; without TLS 127.0.0.1 or ::1', '127.0.0.1')
    .option('--port <port>', 'the port; 0 for any that is free', portNumber, 0)
    .option('--tls-cert <file>', 'the certificate chain for TLS, in PEM')
    .option('--tls-key <file>', 'its private key, in PEM')
    .option('--token <secret>', 'the secret whose value callers must send as bearer token')
    .option('--receipts <folder>', 'where receipts go (default: .touchstone/receipts)')
    .option('--trust <file>', "the trust store (default: .touchstone/trust.json, then the user's)")
    .option('--policy <file>', 'the policy (default: .touchstone/policy.json, if there is one)')
    .option('--whitelist <reference>', 'NAME@VERSION or a file (default: mashin@1)')
    .addOption(formatOption())
    .addHelpText(
      'after',
      `
Examples:
  $ touchstone serve examples/echo
  $ touchstone serve --name billing/refund=../refund --host 0.0.0.0 --port 8443 \\
      --tls-cert chain.pem --tls-key key.pem --token callers

A caller gets certificate and environment first, signed for its nonce, and sends
input only if they satisfy it. Its answer is attested: nonce, input and output.
What executors ask for is governed by the policy here. An executor whose files
change is put before the gate again; one that is refused is not offered.

Each request is a line on stderr. Ctrl-C waits for calls under way, a second one
cancels them; both are recorded.`,
    )
    .action(serveAction);
}

function collectName(text: string, before: readonly NamedPath[] = []): readonly NamedPath[] {
  const at = text.indexOf('=');
  if (at < 1 || at === text.length - 1) throw new InvalidArgumentError('expected NAME=PATH');
  return [...before, { name: text.slice(0, at), path: text.slice(at + 1) }];
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new InvalidArgumentError('expected a port, 0 to 65535');
  }
  return port;
}

async function serveAction(paths: readonly string[], options: ServeOptions): Promise<void> {
  // A build that is not as it was made says nothing about anything.
  const build = await checkBuild(new URL('./', import.meta.url));
  const machines = await machinesOf(paths, options);
  const listed = await askGate(machines);
  const tls = await readTls(options);
  const token = await readToken(options.token);
  const environment = await environmentSigner();
  const isolation = createExecutorPool(Math.min(4, availableParallelism()));
  const services = servicesOf(environment, isolation, options);
  try {
    const server = await startMachineServer({
      ...{ machines, services, tls, token },
      ...{ host: options.host, port: options.port },
      describe: (whitelist) => describeEnvironment({ build, whitelist, isolation: 'process' }),
      nonces: fileNonceStore(nodeCrypto, workspaceFile('nonces', 'calls')),
      openInterpreter: () => openInterpreter(services, options),
      onAnswered: (answered) => message(describeAnswered(answered)),
      onError: tellError,
    });
    const stop = waitForStop();
    tell(server, environment, listed, options.format);
    await stop.first;
    await server.stop(stop.second);
  } finally {
    await isolation.close();
    await services.journal?.close();
  }
}

/** The executors by the names that callers know them by. */
async function machinesOf(
  paths: readonly string[],
  options: ServeOptions,
): Promise<ReadonlyMap<string, ServedMachine>> {
  const own = await Promise.all(
    paths.map(async (path) => ({ name: (await findSubject(path)).name, path })),
  );
  const named = [...own, ...(options.name ?? [])];
  if (named.length === 0) {
    throw new InputError('usage', 'name the executors to serve: PATH, or --name NAME=PATH');
  }
  const deciding: ServedMachineOptions = {
    environmentFor: (subject) => gateEnvironment(subject, options),
    deciders: () => decidingFiles(options),
  };
  const machines = new Map<string, ServedMachine>();
  for (const { name, path } of named) {
    if (machines.has(name)) {
      throw new InputError(
        'usage',
        `two executors are called ${displayText(name)}: give one of them another name, --name NAME=PATH`,
      );
    }
    machines.set(name, createServedMachine(path, deciding));
  }
  return machines;
}

/** The files that the gate decides by here. */
function decidingFiles(options: ServeOptions): readonly string[] {
  const { trust, policy } = filesHere(options);
  const { whitelist } = options;
  const files = [
    trust,
    policy,
    whitelist !== undefined && !isWhitelistName(whitelist) && whitelist,
  ];
  return files.filter((file) => typeof file === 'string');
}

async function readTls({ tlsCert, tlsKey }: ServeOptions) {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined) {
    throw new InputError('usage', '--tls-cert and --tls-key belong together');
  }
  return { cert: await readDocument(tlsCert), key: await readDocument(tlsKey) };
}

async function readToken(name: string | undefined): Promise<string | undefined> {
  const token = name === undefined ? undefined : await nodeSecrets().get(name);
  if (name !== undefined && token === undefined) {
    throw new InputError('usage', `--token: the secret "${displayText(name)}" has no value`);
  }
  return token;
}

function servicesOf(
  environment: Signer,
  isolation: RunServices['isolation'],
  { receipts = workspaceFile('receipts') }: ServeOptions,
): RunServices {
  return {
    crypto: nodeCrypto,
    isolation,
    receipts: fileReceiptStore(nodeCrypto, receipts),
    journal: fileRunJournal(nodeCrypto, receipts),
    environment,
    now: () => performance.now(),
  };
}

/** What governs one call: the policy as it is now. Nobody sits here to review anything. */
async function openInterpreter(services: RunServices, options: ServeOptions) {
  const { governance } = await loadPolicy(options.policy);
  return createInterpreter({
    governance,
    services,
    grants: governance.grants,
    base: policyFolder(options.policy),
    ledger: workspaceFile('effects.sqlite'),
    secrets: nodeSecrets(),
    environmentFor: (subject) => gateEnvironment(subject, options),
    remote: remoteMachines(options),
  });
}

/** Waits for Ctrl-C or an order to end; the second aborts `second`, the third ends the process. */
function waitForStop(): { readonly first: Promise<void>; readonly second: AbortSignal } {
  const abort = new AbortController();
  let count = 0;
  const first = new Promise<void>((resolve) => {
    const stop = () => {
      if (++count === 1) {
        resolve();
        return;
      }
      abort.abort();
      process.removeListener('SIGINT', stop);
      process.removeListener('SIGTERM', stop);
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
  });
  return { first, second: abort.signal };
}

/** Each machine as the gate finds it now. */
function askGate(machines: ReadonlyMap<string, ServedMachine>): Promise<readonly ListedMachine[]> {
  return Promise.all(
    [...machines].map(async ([name, machine]) => ({
      ...{ name, path: machine.path },
      state: await machine.current(),
    })),
  );
}

function tell(
  { url }: MachineServer,
  { publicKey: { keyId } }: Signer,
  machines: readonly ListedMachine[],
  format: Format,
): void {
  if (format === 'json') printJson(serveDocument(url, keyId, machines));
  else print(describeServing(url, keyId, machines));
}

function tellError(error: unknown): void {
  const detail = error instanceof Error ? error.message : String(error);
  complain(`a request could not be answered: ${displayText(detail, 500)}`);
}
