// Organisations of the tests: each with keys, a whitelist, documents and executors of its own, in a folder.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { CompatibilityCode } from '../../../../../engine/attestation/compatibility.ts';
import type { EnvironmentDescriptor } from '../../../../../engine/attestation/types.ts';
import type { Signer } from '../../../../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../../../../engine/crypto/keys.ts';
import type { JsonObject } from '../../../../../engine/encoding/json.ts';
import { makeTrustStore, serializeTrustStore } from '../../../../../engine/gate/trust-store.ts';
import type { GateEnvironment, TrustedKey } from '../../../../../engine/gate/types.ts';
import type { EffectHandler } from '../../../../../engine/governance/effect.ts';
import { machineGrant } from '../../../../../engine/governance/grants/machine.ts';
import { DEFAULT_GOVERNANCE } from '../../../../../engine/governance/policy-file.ts';
import type { RunServices } from '../../../../../engine/governed/run.ts';
import { nodeCrypto } from '../../../../../engine/platform/node/crypto.ts';
import { readPolicy, readTrustStore } from '../../../../../engine/platform/node/deciders.ts';
import { createInterpreter } from '../../../../../engine/platform/node/effects/interpreter.ts';
import {
  createMachineHandler,
  type MachineCaller,
} from '../../../../../engine/platform/node/effects/machine/machine-handler.ts';
import {
  createRemoteMachine,
  type RemoteMachineOptions,
} from '../../../../../engine/platform/node/effects/machine/remote-machine.ts';
import { describeEnvironment } from '../../../../../engine/platform/node/environment-descriptor.ts';
import { fileNonceStore } from '../../../../../engine/platform/node/nonce-store.ts';
import { fileReceiptStore } from '../../../../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../../../../engine/platform/node/run-journal.ts';
import {
  type MachineServer,
  type MachineServerOptions,
  startMachineServer,
} from '../../../../../engine/platform/node/serve/machine-server.ts';
import { createServedMachine } from '../../../../../engine/platform/node/serve/served-machine.ts';
import { parseReceipt } from '../../../../../engine/provenance/receipt.ts';
import type { Receipt } from '../../../../../engine/provenance/types.ts';
import { inThread } from '../../../../../engine/runtime/isolation.ts';
import type { Whitelist } from '../../../../../engine/whitelist/types.ts';
import { parseWhitelist } from '../../../../../engine/whitelist/whitelist.ts';
import { whitelist as builtIn, certificateFor } from '../../../../support/gate.ts';
import { assemble } from '../../../../support/wat.ts';
import { secretsOf } from '../support/network-requests.ts';

export const crypto = nodeCrypto;

const ROOT = new URL('../../../../../', import.meta.url);

/** Answers with its input. */
export const ECHO = new Uint8Array(readFileSync(new URL('examples/echo/build/echo.wasm', ROOT)));

/** An executor that answers with a document, whatever it is given. */
export function answering(document: JsonObject): Uint8Array {
  const text = JSON.stringify(document);
  return assemble(`(module
    (import "mashin" "set_output" (func $out (param i32 i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) ${JSON.stringify(text)})
    (func (export "plan") (call $out (i32.const 0) (i32.const ${Buffer.byteLength(text)}))))`);
}

/** An executor that calls a machine, with an input of its own. */
export function calling(machine: string): Uint8Array {
  const directive = { type: 'call_machine', machine, inputs: { by: machine } };
  return answering({ result: `called ${machine}`, directives: [directive] });
}

/** One that never ends by itself. */
export const ENDLESS = assemble(
  '(module (memory (export "memory") 1) (func (export "plan") (loop $on (br $on))))',
);

/** A whitelist of the same functions under another name. */
export function whitelistCalled(name: string, version: number): Whitelist {
  const { functions } = builtIn;
  return parseWhitelist(crypto, JSON.stringify({ name, version, functions }), name);
}

export interface Organisation {
  readonly name: string;
  readonly folder: string;
  readonly environment: Signer;
  readonly certifier: Signer;
  readonly whitelist: Whitelist;
  readonly descriptor: EnvironmentDescriptor;
  readonly services: RunServices;
  /** What its executors may call, as entries of the grant. */
  machines: readonly JsonObject[];
  path(...steps: readonly string[]): string;
  /** Puts the keys that count into the trust store. */
  trust(...keys: readonly TrustedKey[]): void;
  policy(document: JsonObject): void;
  /** Makes a certified project. */
  project(name: string, module: Uint8Array, changes?: JsonObject): Promise<string>;
  serve(
    projects: readonly string[],
    changes?: Partial<MachineServerOptions>,
  ): Promise<MachineServer>;
  remote(changes?: Partial<RemoteMachineOptions>): MachineCaller;
  /** Performs `call_machine` for executors here. */
  handler(changes?: Partial<RemoteMachineOptions>): EffectHandler;
  receipts(chain: string): readonly Receipt[];
  /** Names of the files that were kept of calls. */
  kept(): readonly string[];
}

/** @param seed tells its keys from those of others. */
export function organisation(
  name: string,
  seed: number,
  whitelist: Whitelist = builtIn,
): Organisation {
  const folder = mkdtempSync(join(tmpdir(), `touchstone-${name}-`));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const path = (...steps: readonly string[]) => join(folder, ...steps);
  mkdirSync(path('receipts'));
  const environment = seeded(seed);
  const certifier = seeded(seed + 1);
  const trustFile = path('trust.json');
  const policyFile = path('policy.json');
  const build = { version: '0.1.0', hash: crypto.sha256(new Uint8Array([seed])), signer: null };
  const descriptor = describeEnvironment({ build, whitelist, isolation: 'process' });
  const services: RunServices = {
    crypto,
    environment,
    isolation: inThread,
    receipts: fileReceiptStore(crypto, path('receipts')),
    journal: fileRunJournal(crypto, path('receipts')),
    now: () => performance.now(),
  };
  const gate = async (): Promise<GateEnvironment> => ({
    ...{ crypto, whitelist, now: Date.now },
    trust: await readTrustStore(trustFile),
    policy: (await readPolicy(policyFile)).gate,
  });
  const here: Organisation = {
    ...{ name, folder, environment, certifier, whitelist, descriptor, services, path },
    machines: [],
    trust: (...keys) => writeFileSync(trustFile, serializeTrustStore(makeTrustStore(keys))),
    policy: (document) =>
      writeFileSync(policyFile, JSON.stringify({ format: 'policy/1', ...document })),
    project: async (project, module, changes = {}) => {
      const manifest = {
        ...{ name: project, version: '1.0.0', artifact: `${project}.wasm`, tier: 1 },
        ...{ trust: 'reviewed', capabilities: ['machine.call'] },
        ...changes,
      };
      mkdirSync(path(project), { recursive: true });
      writeFileSync(path(project, 'executor.json'), JSON.stringify(manifest));
      writeFileSync(path(project, `${project}.wasm`), module);
      writeFileSync(
        path(project, `${project}.wasm.purity.json`),
        await certificateFor(module, { whitelist, certifier, issuedAt: Date.now() }),
      );
      return project;
    },
    serve: async (projects, changes = {}) => {
      const deciding = { environmentFor: gate, deciders: () => [trustFile, policyFile] };
      const served = projects.map(
        (project) => [project, createServedMachine(path(project), deciding)] as const,
      );
      const stopped = new AbortController();
      const server = await startMachineServer({
        ...{ host: '127.0.0.1', port: 0, services },
        machines: new Map(served),
        describe: () => descriptor,
        nonces: fileNonceStore(crypto, path('nonces')),
        openInterpreter: () =>
          createInterpreter({
            governance: DEFAULT_GOVERNANCE,
            grants: { 'machine.call': grantOf(here) },
            base: folder,
            ledger: path('effects.sqlite'),
            secrets: secretsOf({}),
            services,
            environmentFor: gate,
            remote: () => here.remote(),
          }),
        onError: (error) =>
          process.stderr.write(`${error instanceof Error ? error.stack : error}\n`),
        ...changes,
      });
      after(() => {
        stopped.abort();
        return server.stop(stopped.signal);
      });
      return server;
    },
    remote: (changes = {}) =>
      createRemoteMachine({
        ...{ gate, secrets: secretsOf({}), base: folder, attestations: path('attestations') },
        ...changes,
      }),
    handler: (changes) => {
      const nowhere: MachineCaller = {
        call: () => Promise.reject(new Error('no machine is called here')),
      };
      return createMachineHandler(grantOf(here), { local: nowhere, remote: here.remote(changes) });
    },
    receipts: (chain) => {
      const lines = readFileSync(path('receipts', `${chain}.jsonl`), 'utf8')
        .trimEnd()
        .split('\n');
      return lines.map((line) => parseReceipt(Buffer.from(line), 'a receipt'));
    },
    kept: () => {
      try {
        return readdirSync(path('attestations')).sort();
      } catch {
        return [];
      }
    },
  };
  here.policy({});
  here.trust(trusted(certifier, 'certifier'));
  return here;
}

function seeded(byte: number): Signer {
  return signerFromSeed(crypto, new Uint8Array(32).fill(byte));
}

export function trusted(
  { publicKey }: Signer,
  role: TrustedKey['role'],
  more: Partial<TrustedKey> = {},
): TrustedKey {
  return { key: publicKey, role, ...more };
}

function grantOf({ machines }: Organisation) {
  return machineGrant.parse({ machines, timeoutMs: 20_000 });
}

/** The keys by which one organisation recognises its own executors and those of another. */
export function keysOf(own: Organisation, other: Organisation): readonly TrustedKey[] {
  return [
    trusted(own.certifier, 'certifier'),
    trusted(other.certifier, 'certifier'),
    trusted(other.environment, 'environment'),
  ];
}

/** What one organisation demands of another, met; or without what one conjunct needs. */
export function compatibilityWith(
  { whitelist, descriptor, certifier }: Organisation,
  unmet?: CompatibilityCode,
): JsonObject {
  const { name, version, hash } = whitelist;
  const unless = (code: CompatibilityCode, values: readonly JsonObject[] | readonly string[]) =>
    unmet === code ? [] : values;
  return {
    format: 'compatibility/1',
    whitelists: unless('whitelist-recognised', [{ name, hash }]),
    minimumWhitelistVersion: { [name]: unmet === 'whitelist-version' ? version + 1 : version },
    runtimes: unless('runtime-trusted', [{ build: descriptor.build.hash }]),
    certifiers: unless('certifier-accepted', [certifier.publicKey.keyId]),
  };
}

/** Makes one organisation trust another, and gives the entry of a machine there. */
export function befriend(
  here: Organisation,
  there: Organisation,
  { url }: { readonly url: string },
  machine: string,
  changes: JsonObject = {},
): JsonObject {
  here.trust(...keysOf(here, there));
  const compatibility = `${there.name}.compatibility.json`;
  writeFileSync(here.path(compatibility), JSON.stringify(compatibilityWith(there)));
  const entry = { name: machine, url, compatibility, addresses: ['127.0.0.1/32'], ...changes };
  here.machines = [...here.machines, entry];
  return entry;
}

export function callMachine(machine: string, inputs: JsonObject = {}) {
  return { type: 'call_machine', machine, inputs };
}
