// What three organisations leave behind: one calls the second, which calls the third. Everything is made
// by the engine itself: certified modules, governed runs with effects, receipts, attestations.

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  attest,
  attestationHash,
  serializeAttestation,
} from '../../../engine/attestation/record.ts';
import { parseCertificate } from '../../../engine/certificate/parse.ts';
import type { Signer } from '../../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { canonicalBytes, type JsonObject } from '../../../engine/encoding/json.ts';
import { type AdmittedExecutor, createGate } from '../../../engine/gate/admit.ts';
import { makeTrustStore, serializeTrustStore } from '../../../engine/gate/trust-store.ts';
import { type EffectHandler, failed, performed } from '../../../engine/governance/effect.ts';
import type { Hook } from '../../../engine/governance/hook.ts';
import type { Means, Policy } from '../../../engine/governance/types.ts';
import { governedRun, type RunReport } from '../../../engine/governed/run.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { fileRunJournal } from '../../../engine/platform/node/run-journal.ts';
import { serializeReceipt } from '../../../engine/provenance/receipt.ts';
import { inThread } from '../../../engine/runtime/isolation.ts';
import { DEFAULT_LIMITS, type Directive } from '../../../engine/runtime/types.ts';
import { certificateFor, certifier, environment } from '../../support/gate.ts';
import { RELAY } from '../../support/relay.ts';
import { descriptor } from '../attestation/fixtures.ts';

export const crypto = nodeCrypto;

/** Where an organisation runs what, and signs for it. */
export interface Organisation {
  readonly name: string;
  readonly signer: Signer;
  readonly receipts: string;
}

/** The relay with a name of its own in a custom section, so that modules differ. */
export function moduleNamed(name: string): Uint8Array {
  const text = new TextEncoder().encode(name);
  return new Uint8Array([...RELAY, 0, text.length + 1, text.length, ...text]);
}

/** A folder that is removed when the test, or the process, ends. */
export function temporary(t?: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-audit-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  if (t === undefined) process.on('exit', remove);
  else t.after(remove);
  return folder;
}

export function organisation(folder: string, name: string, seed: number): Organisation {
  return {
    name,
    signer: signerFromSeed(crypto, new Uint8Array(32).fill(seed)),
    receipts: join(folder, name, '.touchstone/receipts'),
  };
}

/** Certifies the module of an executor and admits it; both files lie in the organisation's folder. */
export async function deploy(
  folder: string,
  { name: where }: Organisation,
  name: string,
): Promise<AdmittedExecutor> {
  const bytes = moduleNamed(name);
  const certificate = await certificateFor(bytes);
  write(join(folder, where, 'build', `${name}.wasm`), bytes);
  write(join(folder, where, 'build', `${name}.wasm.purity.json`), certificate);
  const admission = createGate(environment()).admit({ bytes, tier: 1, certificate });
  if (!admission.admitted) throw new Error(admission.detail);
  return admission.executor;
}

export interface RunOptions {
  readonly name: string;
  readonly directives?: readonly JsonObject[];
  readonly handlers?: readonly EffectHandler[];
  readonly policy?: Partial<Policy>;
  readonly means?: Partial<Means>;
  readonly context?: JsonObject;
}

/** Runs an executor that asks for `directives`. */
export async function run(
  { signer, receipts }: Organisation,
  executor: AdmittedExecutor,
  { name, directives = [], handlers = [], policy = {}, means = {}, context = {} }: RunOptions,
): Promise<RunReport> {
  const journal = fileRunJournal(crypto, receipts);
  const report = await governedRun(
    {
      crypto,
      isolation: inThread,
      receipts: fileReceiptStore(crypto, receipts),
      journal,
      environment: signer,
    },
    {
      ...{ executor, name, version: '1.0.0', limits: DEFAULT_LIMITS },
      input: { context: { directives: directives as readonly Directive[], ...context } },
      policy: {
        trust: 'reviewed',
        declared: ['memory', 'machine.call', 'net.http'],
        grants: new Set(['memory', 'machine.call']),
        ...policy,
      },
      means: {
        handlers: new Map(handlers.flatMap((each) => each.tags.map((tag) => [tag, each] as const))),
        ...means,
      },
    },
  );
  await journal.close();
  return report;
}

/** Keeps a value, where it is not told to fail. */
export const memory: EffectHandler = {
  tags: ['memory_op'],
  capability: 'memory',
  perform: async ({ directive }) =>
    directive.key === 'full' ? failed('storage-full', 'no room') : performed({ kept: true }),
};

export const store = (key: string): JsonObject => ({
  ...{ type: 'memory_op', operation: 'MemStore', key, value: 1 },
});

/** What performs `call_machine` by running another executor, and links its receipt. */
export function localCall(callee: () => Promise<RunReport>): EffectHandler {
  return {
    tags: ['call_machine'],
    capability: 'machine.call',
    perform: async () => {
      const { result, receipt } = await callee();
      return {
        ...performed({ result }),
        link: { receipt: crypto.sha256(serializeReceipt(receipt)) },
      };
    },
  };
}

let nonces = 0;

/** What performs `call_machine` at another organisation: it attests, and the caller keeps its answer. */
export function remoteCall(
  folder: string,
  caller: Organisation,
  callee: Organisation,
  name: string,
  run: () => Promise<RunReport>,
): EffectHandler {
  return {
    tags: ['call_machine'],
    capability: 'machine.call',
    perform: async () => {
      const report = await run();
      const { receipt, status, result } = report;
      const bytes = readFileSync(join(folder, callee.name, 'build', `${name}.wasm.purity.json`));
      const nonce = Buffer.alloc(16, ++nonces).toString('base64url');
      const { inputHash, outputHash } = receipt;
      const line = serializeReceipt(receipt);
      const record = await attest(
        crypto,
        {
          certificate: parseCertificate(bytes, name).certificate,
          executor: receipt.executor,
          environment: descriptor(),
          receipts: [crypto.sha256(line)],
          call: { nonce, inputHash, outputHash, status },
        },
        callee.signer,
      );
      const hash = attestationHash(crypto, record);
      const kept = join(folder, caller.name, 'calls', hash);
      write(`${kept}.attestation.json`, serializeAttestation(record));
      write(`${kept}.receipt.json`, line);
      const outcome =
        status === 'ok' ? performed({ result }) : failed('machine-failed', `it ended ${status}`);
      return { ...outcome, link: { attestation: hash } };
    },
  };
}

export const call = (machine: string): JsonObject => ({
  ...{ type: 'call_machine', machine, inputs: {} },
});

/** A hook that lets everything pass but a key. */
export const hook: Hook = {
  name: 'hook',
  ask: async ({ directive }) =>
    directive.key === 'hooked'
      ? { artifactHash: null, verdict: 'deny', reason: 'not this one' }
      : { artifactHash: null, verdict: 'allow' },
};

/** What an auditor trusts: the certifier, and the three environments by their names. */
export function auditorTrust(organisations: readonly Organisation[]): string {
  return serializeTrustStore(
    makeTrustStore([
      { key: certifier.publicKey, role: 'certifier', label: 'the certifier' },
      ...organisations.map(({ name, signer }) => ({
        ...{ key: signer.publicKey, role: 'environment' as const, label: name },
      })),
    ]),
  );
}

/** The whole of it, as it lies in a folder, with the trust store of its auditor outside. */
export interface Evidence {
  readonly folder: string;
  readonly trust: string;
  readonly travel: Organisation;
  readonly hotel: Organisation;
  readonly bank: Organisation;
}

/**
 * Travel has four runs: effects, a call of the hotel (which calls the bank), a call of its own planner,
 * and a denial.
 */
export async function makeEvidence(folder: string): Promise<Evidence> {
  const travel = organisation(folder, 'travel', 41);
  const hotel = organisation(folder, 'hotel', 42);
  const bank = organisation(folder, 'bank', 43);
  const traveller = await deploy(folder, travel, 'travel');
  const planner = await deploy(folder, travel, 'planner');
  const hotelier = await deploy(folder, hotel, 'hotel');
  const banker = await deploy(folder, bank, 'bank');

  const payment = remoteCall(folder, hotel, bank, 'bank', () =>
    run(bank, banker, { name: 'bank', directives: [store('booking')], handlers: [memory] }),
  );
  const booking = remoteCall(folder, travel, hotel, 'hotel', () =>
    run(hotel, hotelier, { name: 'hotel', directives: [call('bank')], handlers: [payment] }),
  );
  const planning = localCall(() => run(travel, planner, { name: 'planner' }));
  const traveling = (options: Partial<RunOptions>) =>
    run(travel, traveller, { name: 'travel', ...options });

  await traveling({
    directives: [
      store('a'),
      store('full'),
      { type: 'http_request', method: 'GET', url: 'https://a.example/' },
    ],
    handlers: [memory],
    means: { preHooks: [hook] },
  });
  await traveling({ directives: [call('hotel')], handlers: [booking] });
  await traveling({ directives: [call('planner')], handlers: [planning] });
  await traveling({
    directives: [store('b'), store('hooked'), store('never')],
    handlers: [memory],
    means: { preHooks: [hook] },
  });
  return { folder, travel, hotel, bank, trust: auditorTrust([travel, hotel, bank]) };
}

let made: Promise<Evidence> | undefined;

/** A copy of it that a test may change. */
export async function evidence(t: TestContext): Promise<Evidence> {
  made ??= makeEvidence(temporary());
  const { folder: from, ...rest } = await made;
  const folder = temporary(t);
  cpSync(from, folder, { recursive: true });
  const moved = (each: Organisation) => organisation(folder, each.name, seedOf(each, rest));
  return {
    ...{ folder, trust: rest.trust },
    ...{ travel: moved(rest.travel), hotel: moved(rest.hotel), bank: moved(rest.bank) },
  };
}

function seedOf(each: Organisation, { travel, hotel }: Omit<Evidence, 'folder'>): number {
  return each === travel ? 41 : each === hotel ? 42 : 43;
}

export function write(path: string, contents: Uint8Array | string | object): void {
  mkdirSync(dirname(path), { recursive: true });
  const isRaw = typeof contents === 'string' || contents instanceof Uint8Array;
  writeFileSync(path, isRaw ? contents : canonicalBytes(contents));
}
