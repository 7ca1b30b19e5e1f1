// The paper's theorems about the gate, against the whole surface of the library.
//
// 4.10: an artifact that differs in one bit from the certified one is refused.
// 4.13: no exported path runs bytes that the gate has not admitted. Everything that the two entry
// points export, and every method of the services that they make, is called with things that were
// not admitted, in every place of every argument, while whatever could run WebAssembly is watched.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import * as engine from '../engine/index.ts';
import * as node from '../engine/platform/node/index.ts';
import { type Job, openJob } from '../engine/runtime/job.ts';
import { flipBit } from './support/bytes.ts';
import { byPurity, readExamples } from './support/examples.ts';
import { takeStarts, watchExecution } from './support/execution-watch.ts';
import { bundleExecutorHost } from './support/executor-host.ts';
import {
  certificateFor,
  certifier,
  environment,
  NOW,
  publisher,
  stranger,
  whitelist,
} from './support/gate.ts';
import {
  answeringModule,
  canary,
  captureJob,
  copyBytes,
  jobContents,
  UNADMITTED,
  unadmittedThings,
} from './support/unadmitted.ts';

const { nodeCrypto: crypto } = node;
const { inThread } = engine;
const PACKAGE = new URL('../package.json', import.meta.url);

const good = answeringModule('admitted');
const goodCertificate = await certificateFor(good);
const goodReport = engine.inspectModule(crypto, good);
const examples = byPurity(await readExamples()).pure;

const folder = mkdtempSync(join(tmpdir(), 'theorems-'));
const before = process.cwd();
process.chdir(folder); // where files are written whose names are nonsense
writeFileSync('good.wasm', good);
writeFileSync('canary.wasm', canary);

const bundle = await bundleExecutorHost();
watchExecution();
// The assembler is itself a module, which starts with every use.
await engine.assembleWat('(module)', 'warm.wat');
const [assembler] = takeStarts();
const isolated = node.createProcessIsolation({ script: bundle.script });
after(async () => {
  await isolated.close();
  await bundle.remove();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

function admit(
  bytes: Uint8Array,
  certificate: Uint8Array,
  gate = engine.createGate(environment()),
): engine.AdmittedExecutor {
  const admission = gate.admit({ bytes, tier: 1, certificate });
  if (!admission.admitted) assert.fail(admission.detail);
  return admission.executor;
}

const executor = admit(good, goodCertificate);
const job = await captureJob(executor);
const things = unadmittedThings(executor, job);

const runRequest = { input: {}, limits: engine.DEFAULT_LIMITS };
const policy = { trust: 'reviewed', declared: [], grants: new Set<never>() } as const;
const services = () => ({
  crypto,
  isolation: inThread,
  receipts: engine.memoryReceiptStore(),
  environment: stranger,
});
const governedRequest = { executor, name: 'good', version: '1.0.0', policy, ...runRequest };

/** What began, but for what the gate admitted and the assembler. */
function startedUnadmitted(): readonly string[] {
  return takeStarts().flatMap(({ via, identity }) =>
    identity === 'admitted' || identity === assembler?.identity ? [] : `${identity} by ${via}`,
  );
}

/** Makes a call to its very end, whatever comes of it. */
async function settle(call: () => unknown): Promise<unknown> {
  try {
    const result = await call();
    if (isObject(result) && Symbol.asyncIterator in result) {
      for await (const _ of result as AsyncIterable<unknown>);
    }
    return result;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Asks for a run of whatever came back from a call. */
async function tryToRun(value: unknown): Promise<void> {
  if (!isObject(value)) return;
  for (const each of [value, Reflect.get(value, 'executor')]) {
    await settle(() => engine.runExecutor(each as engine.AdmittedExecutor, runRequest, inThread));
    await settle(() => inThread.execute(each as never, { timeoutMs: 10_000 }));
  }
}

const CLASS = /^class\b/;

function call(callable: object, self: unknown, args: readonly unknown[]): unknown {
  if (typeof callable !== 'function') return undefined;
  return CLASS.test(Function.prototype.toString.call(callable))
    ? Reflect.construct(callable, args)
    : Reflect.apply(callable, self, args);
}

/** The arguments with a thing in each place, and in each member of each of them. */
function* withThing(usual: readonly unknown[], places: number, thing: unknown) {
  for (let place = 0; place < Math.max(usual.length, places, 1); place++) {
    const filled = Array.from({ length: Math.max(usual.length, place + 1) }, (_, i) => usual[i]);
    yield filled.with(place, thing);
    const argument = usual[place];
    if (!isObject(argument) || Object.getPrototypeOf(argument) !== Object.prototype) continue;
    for (const key of Object.keys(argument)) {
      yield filled.with(place, { ...argument, [key]: thing });
    }
  }
}

/** Calls with every thing in every place, and asks for a run of whatever comes back. */
async function assail(callable: object, self: unknown, usual: readonly unknown[]): Promise<number> {
  const places = typeof callable === 'function' ? callable.length : 0;
  let calls = 0;
  for (const [, thing] of things) {
    for (const args of withThing(usual, places, thing)) {
      const result = await settle(() => call(callable, self, args));
      await tryToRun(result);
      calls++;
      if (result !== inThread && isObject(result) && 'execute' in result && 'close' in result) {
        await settle(() => call(result.close as object, result, []));
      }
    }
  }
  return calls;
}

const manifestText = JSON.stringify({ name: 'good', version: '1.0.0', artifact: 'good.wasm' });
const manifest = engine.parseManifest(manifestText, 'executor.json');
const whitelistText = JSON.stringify({ name: 'mashin', version: 1, functions: [] });
const trustStore = environment().trust;
const chain = engine.memoryReceiptStore().open('good');
const kept = services();
const receipt = (await engine.governedRun(kept, governedRequest)).receipt;
const recorded = kept.receipts.open('good');
const proof = await engine.proveReceipt(crypto, recorded, 0);
const { state = new Uint8Array() } = await engine.runExecutor(
  executor,
  { ...runRequest, state: { before: undefined } },
  inThread,
);
const snapshotFacts = {
  executor: 'good@1.0.0',
  admitted: executor,
  memoryProfile: undefined,
  tip: { epoch: 0, hash: crypto.sha256(engine.serializeReceipt(receipt)) },
  state,
};
const snapshotBytes = await engine.writeSnapshot(crypto, snapshotFacts, stranger);
const snapshot = engine.parseSnapshot(snapshotBytes, 'a snapshot');
const snapshotEnvironment = {
  ...snapshotFacts,
  trust: engine.makeTrustStore([{ key: stranger.publicKey, role: 'environment' }]),
  limits: engine.DEFAULT_LIMITS,
};
const moduleInput = { path: 'good.wasm', contents: good };
const examineOptions = { crypto, whitelist, environment: environment() };
const certified = engine.parseCertificate(goodCertificate, 'good.wasm.purity.json');
const voucherEnvironment = {
  crypto,
  trust: trustStore,
  revokedKeys: new Set<never>(),
  nonces: engine.memoryNonceStore(),
  now: () => NOW,
};
const voucherUse = {
  artifactHash: executor.artifactHash,
  environment: stranger.publicKey.keyId,
};
const voucher = await engine.mintVoucher(crypto, certifier, {
  ...voucherUse,
  fuel: 1_000,
  expiry: NOW / 1_000 + 60,
});
const attestation = await engine.attest(
  crypto,
  {
    certificate: certified.certificate,
    executor: 'good@1.0.0',
    environment: {
      runtime: { name: 'touchstone', version: '0.1.0' },
      engine: { name: 'node', version: '20.0.0', v8: '11' },
      build: { hash: executor.artifactHash, signer: null },
      whitelist: { name: 'mashin', version: 1, hash: executor.whitelistHash },
      platform: { os: 'linux', arch: 'x64' },
      isolation: 'process',
    },
    receipts: [],
  },
  stranger,
);
const attestationBytes = engine.serializeAttestation(attestation);
const envelope = Buffer.from(
  JSON.stringify(await engine.signAttestationStatement(attestation, stranger)),
);
const enveloped = engine.parseEnvelopedAttestation(envelope, 'an envelope');
const compatibilityText = JSON.stringify({
  format: 'compatibility/1',
  whitelists: [],
  minimumWhitelistVersion: {},
  runtimes: [],
  certifiers: [],
});
const compatibility = engine.parseCompatibility(compatibilityText, 'compatibility.json');
const trytetEnvironment = { ...voucherEnvironment, provider: 'here', agents: 'any-agent' } as const;
const trytetGrant = {
  provider_id: 'here',
  fuel_limit: 50_000_000n,
  expiry_timestamp: BigInt(NOW / 1_000 + 60),
};
const trytetVoucher = await engine.mintTrytetVoucher(crypto, certifier, trytetGrant);
const trytetText = JSON.stringify({ payload: [...good], max_memory_mb: 1 });

/** How each exported function is called when all is well; a new export needs its line here. */
const USUAL: Readonly<Record<string, readonly unknown[]>> = {
  AdmissionError: ['refused'],
  InputError: ['usage', 'wrong'],
  allowed: ['reviewed', 'net.http', []],
  assembleWat: ['(module)', 'a.wat'],
  attest: [crypto, attestation, stranger],
  attestationHash: [crypto, attestation],
  attestationStatement: [attestation],
  builtInWhitelist: [crypto],
  canonicalBytes: [{}],
  canonicalJson: [{}],
  certify: [
    crypto,
    {
      report: goodReport,
      artifactName: 'good.wasm',
      whitelist,
      certifier,
      publisher,
      issuedAt: NOW,
    },
  ],
  checkCompatibility: [attestation, compatibility, environment()],
  compareCase: [
    { status: 'ok', result: 1 },
    { status: 'ok', result: 1, directives: [] },
  ],
  countAgreeing: [goodReport],
  createChainVerifier: [crypto, trustStore, {}],
  createGate: [environment()],
  diffWhitelists: [whitelist, whitelist],
  displayText: ['text', 10],
  examineExecutor: [
    {
      ...moduleInput,
      manifestPath: 'executor.json',
      manifest,
      reading: engine.readManifest(manifestText),
    },
    examineOptions,
  ],
  examineModule: [moduleInput, examineOptions],
  functionTypeText: [{ params: [], results: [] }],
  govern: [crypto, [], { policy }],
  governedRun: [services(), governedRequest],
  inputBytes: [{}],
  inspectModule: [crypto, good],
  isKeyId: [''],
  isSha256: [''],
  makeTrustStore: [[]],
  memoryNonceStore: [],
  memoryReceiptStore: [crypto],
  mintTrytetVoucher: [crypto, certifier, trytetGrant],
  mintVoucher: [crypto, certifier, { ...voucherUse, fuel: 1_000, expiry: NOW / 1_000 + 60 }],
  parseAgency: ['{"format":"agency/1","providers":[],"models":[]}', 'an agency'],
  parseAttestation: [attestationBytes, 'an attestation'],
  parseCapability: ['net.http'],
  parseCase: ['{"input":{},"expect":{}}', 'a case'],
  parseCertificate: [goodCertificate, 'a certificate'],
  parseCompatibility: [compatibilityText, 'compatibility.json'],
  parseEnvelopedAttestation: [envelope, 'an envelope'],
  parseJson: ['{}', 'a document'],
  parseManifest: [manifestText, 'a manifest'],
  parsePolicy: ['{"format":"policy/1"}', 'a policy'],
  parsePrivateKeyPem: [crypto, engine.privateKeyPem(new Uint8Array(32).fill(9)), 'a key'],
  parsePublicKeyPem: [crypto, engine.publicKeyPem(stranger.publicKey), 'a key'],
  parseProof: [engine.serializeProof(proof), 'a proof'],
  parseReceipt: [engine.serializeReceipt(receipt), 'a receipt'],
  parseSnapshot: [snapshotBytes, 'a snapshot'],
  parseTrustStore: [crypto, engine.serializeTrustStore(trustStore), 'a trust store'],
  parseTrytetRequest: [trytetText, 'a request'],
  parseTrytetVoucher: [engine.serializeTrytetVoucher(trytetVoucher), 'a voucher'],
  parseVoucher: [engine.serializeVoucher(voucher), 'a voucher'],
  parseWhitelist: [crypto, whitelistText, 'a whitelist'],
  privateKeyPem: [new Uint8Array(32)],
  prove: [goodReport.imports, whitelist, certifier.publicKey.keyId, NOW],
  proveReceipt: [crypto, recorded, 0],
  publicKeyFromRaw: [crypto, stranger.publicKey.raw, 'a key'],
  publicKeyPem: [stranger.publicKey],
  readLayout: [good],
  readManifest: [manifestText],
  recipeFor: [goodReport.imports[0], goodReport.callGraph.pathTo(0)],
  requireAgreement: [goodReport],
  runExecutor: [executor, runRequest, inThread],
  runTrytetRequest: [
    {
      crypto,
      gate: engine.createGate(environment()),
      run: (each: engine.AdmittedExecutor, request: engine.RunRequest) =>
        engine.runExecutor(each, request, inThread),
      vouchers: { accepted: 'if-present', ...trytetEnvironment },
      clock: () => 0,
    },
    engine.parseTrytetRequest(trytetText, 'a request'),
  ],
  serializeAttestation: [attestation],
  serializeCertificate: [certified.certificate],
  serializeProof: [proof],
  serializeReceipt: [receipt],
  serializeTrustStore: [trustStore],
  serializeTrytetVoucher: [trytetVoucher],
  serializeVoucher: [voucher],
  signAttestationStatement: [attestation, stranger],
  signerFromSeed: [crypto, new Uint8Array(32)],
  spendTrytetVoucher: [trytetEnvironment, trytetVoucher],
  spendVoucher: [voucherEnvironment, voucher, voucherUse],
  staysClassified: [goodReport.imports, whitelist],
  suggestFunction: [whitelist, goodReport.imports[0]],
  toSarif: [[engine.examineModule(moduleInput, examineOptions)], { version: '1.0.0' }],
  verifyAttestation: [environment(), attestation, {}],
  verifyEnvelopedAttestation: [environment(), enveloped, {}],
  verifyProof: [crypto, proof, trustStore],
  verifyChain: [crypto, engine.serializeReceipt(receipt), trustStore, {}],
  verifySnapshot: [crypto, snapshot, 'a snapshot', snapshotEnvironment],
  verifyTrytetVoucher: [trytetEnvironment, trytetVoucher],
  verifyVoucher: [voucherEnvironment, voucher, voucherUse],
  verifyStoredChain: [crypto, chain, trustStore],
  createFile: ['made.txt', 'text', 0o600],
  createProcessIsolation: [{ script: bundle.script, size: 1 }],
  discover: [['.'], {}],
  fileNonceStore: [crypto, 'nonces', {}],
  fileReceiptStore: [crypto, 'receipts', {}],
  fileRunJournal: [crypto, 'receipts'],
  projectFiles: ['.', ['*.wasm']],
  readDocument: ['good.wasm'],
  readFileBounded: ['good.wasm', 1_000_000, 'a module'],
  readModule: ['good.wasm'],
  readTextFile: ['executor.json'],
  resolveInProject: ['.', 'good.wasm'],
  writeSnapshot: [crypto, snapshotFacts, stranger],
  writeFileAtomic: ['written.txt', 'text', 0o600],
};

/** The exports that are no functions. */
const VALUES = [
  'CAPABILITIES',
  'CHECK_CODES',
  'DEFAULT_LIMITS',
  'DEFAULT_POLICY',
  'DIRECTIVES',
  'EMPTY_TRUST_STORE',
  'NONCES_FOLDER',
  'PURITY_METHODS',
  'RECEIPTS_FOLDER',
  'RULES',
  'RUN_STATUSES',
  'TRUST_LEVELS',
  'TRYTET_CHECK_CODES',
  'VOUCHER_CHECK_CODES',
  'inThread',
  'nobleCrypto',
  'nodeCrypto',
];

const exported = new Map<string, unknown>([...Object.entries(engine), ...Object.entries(node)]);

test('the library has the entry points and the exports that were reviewed', () => {
  const { exports } = JSON.parse(readFileSync(PACKAGE, 'utf8'));
  assert.deepEqual(Object.keys(exports), ['.', './node']);
  assert.deepEqual([...exported.keys()].sort(), [...Object.keys(USUAL), ...VALUES].sort());
  for (const [name, value] of exported) {
    assert.equal(typeof value === 'function', name in USUAL, name);
  }
});

test('the watch sees every way to run a module', async () => {
  takeStarts();
  const imports = { mashin: { set_output: () => {} } };
  new WebAssembly.Instance(new WebAssembly.Module(canary), imports);
  await WebAssembly.instantiate(canary, imports);
  await WebAssembly.instantiate(new WebAssembly.Module(canary), imports);
  const thread = new Worker('', { eval: true, workerData: { deep: [canary] } });
  thread.postMessage({ deep: [new WebAssembly.Module(canary)] });
  await thread.terminate();
  const ways = new Set(startedUnadmitted());
  for (const way of ['Instance', 'instantiate', 'workerData', 'postMessage']) {
    assert.ok(ways.has(`${UNADMITTED} by ${way}`), way);
  }
});

test('what the gate admitted runs, and is seen, in this thread and in a process of its own', async () => {
  takeStarts();
  for (const isolation of [inThread, isolated]) {
    const outcome = await engine.runExecutor(executor, runRequest, isolation);
    assert.equal(outcome.result, 1);
  }
  await engine.governedRun(services(), governedRequest);
  const seen = takeStarts().map(({ via, identity }) => `${identity} by ${via}`);
  assert.deepEqual([...new Set(seen)], ['admitted by Instance', 'admitted by write']);
});

for (const [name, usual] of Object.entries(USUAL)) {
  test(`${name} runs nothing that was not admitted`, async (t) => {
    const callable = exported.get(name);
    assert.ok(isObject(callable));
    takeStarts();
    const calls = await assail(callable, undefined, usual);
    assert.deepEqual(startedUnadmitted(), []);
    assert.ok(calls >= things.length);
    t.diagnostic(`${calls} calls`);
  });
}

/** What the exports make or are, whose methods are exported paths as well. */
const SERVICES: Readonly<Record<string, object>> = {
  nodeCrypto: crypto,
  nobleCrypto: engine.nobleCrypto,
  inThread,
  isolated: node.createProcessIsolation({ script: bundle.script }),
  gate: engine.createGate(environment()),
  trustStore,
  whitelist,
  signer: stranger,
  callGraph: goodReport.callGraph,
  manifestReading: engine.readManifest(manifestText),
  chainVerifier: engine.createChainVerifier(crypto, trustStore),
  memoryStore: engine.memoryReceiptStore(),
  memoryChain: chain,
  memoryNonces: engine.memoryNonceStore(),
  fileNonces: node.fileNonceStore(crypto, 'nonces'),
  fileStore: node.fileReceiptStore(crypto, 'receipts'),
  fileChain: node.fileReceiptStore(crypto, 'receipts').open('good'),
  admissionError: new engine.AdmissionError('refused'),
  ...Object.fromEntries([...engine.RULES].map((rule) => [`rule ${rule.code}`, rule])),
};

const USUAL_OF_METHODS: Readonly<Record<string, readonly unknown[]>> = {
  'gate.admit': [{ bytes: good, tier: 1, designatedTier: 1, certificate: goodCertificate }],
  'gate.verify': [good, goodCertificate, 'a certificate'],
  'inThread.execute': [job, { timeoutMs: 10_000 }],
  'isolated.execute': [job, { timeoutMs: 10_000 }],
};

for (const [name, service] of Object.entries(SERVICES)) {
  test(`the methods of ${name} run nothing that was not admitted`, async (t) => {
    takeStarts();
    const told: string[] = [];
    for (const [method, callable] of Object.entries(service)) {
      if (typeof callable !== 'function') continue;
      const usual = USUAL_OF_METHODS[`${name}.${method}`] ?? [];
      told.push(`${method} ${await assail(callable, service, usual)}`);
    }
    assert.deepEqual(startedUnadmitted(), []);
    t.diagnostic(`calls: ${told.join(', ')}`);
  });
}

test('a gate admits no uncertified bytes, whatever else the request says', () => {
  const gate = engine.createGate(environment());
  for (const tier of [1, 2, 3, 0, 4, -1, Number.NaN, '1', null, undefined]) {
    for (const designatedTier of [1, 2, 3, undefined]) {
      const request = { bytes: canary, tier, designatedTier, certificate: goodCertificate };
      let admission: engine.Admission | undefined;
      try {
        admission = gate.admit(request as engine.AdmissionRequest);
      } catch {
        continue;
      }
      assert.equal(admission.admitted, false, `tier ${tier}, designated ${designatedTier}`);
    }
  }
});

/** Functions, and objects with functions, that a program gets at from a value by its properties. */
function functionsWithin(root: object): readonly object[] {
  const intrinsics = new Set<unknown>([Object, Function, Object.prototype, Function.prototype]);
  const seen = new Set<object>();
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const at = waiting.pop();
    if (!isObject(at) || intrinsics.has(at) || seen.has(at)) continue;
    seen.add(at);
    waiting.push(Object.getPrototypeOf(at));
    for (const descriptor of Object.values(Object.getOwnPropertyDescriptors(at))) {
      waiting.push(descriptor.value, descriptor.get, descriptor.set);
    }
  }
  return [...seen].filter((each) => typeof each === 'function');
}

/** Overwrites whatever can be, so that it would let the unadmitted module through. */
function tamper(value: unknown, depth = 3): void {
  if (!isObject(value) || depth === 0) return;
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return;
  for (const key of Reflect.ownKeys(value)) {
    const member: unknown = Reflect.get(value, key);
    if (key === 'copyBytes') Reflect.set(value, key, copyBytes);
    else if (typeof member === 'boolean') Reflect.set(value, key, true);
    else if (typeof member === 'number') Reflect.set(value, key, Number.POSITIVE_INFINITY);
    else tamper(member, depth - 1);
  }
}

/** Calls and constructs all that `real` leads to, and tampers with all that comes of it. */
async function prise(real: object): Promise<number> {
  const functions = functionsWithin(real);
  const firsts = [real, Symbol('gate'), Symbol.for('gate'), ...things.map(([, thing]) => thing)];
  for (const callable of functions) {
    if (typeof callable !== 'function') continue;
    for (const first of firsts) {
      const args = [first, executor, { ...jobContents, ...executor }];
      for (const make of [
        () => Reflect.apply(callable, real, args),
        () => Reflect.apply(callable, callable, args),
        () => Reflect.construct(callable, args),
      ]) {
        const result = await settle(make);
        tamper(result);
        await tryToRun(result);
      }
    }
  }
  await tryToRun(real);
  return functions.length;
}

test('an admitted executor leads to nothing that opens or makes one', async (t) => {
  const own = admit(good, goodCertificate);
  takeStarts();
  t.diagnostic(`${await prise(own)} functions lie in its reach`);
  assert.deepEqual(startedUnadmitted(), []);
});

test('a dropped executor cannot be revived', async () => {
  const gate = engine.createGate(environment());
  const dropped = answeringModule('dropped');
  const own = admit(dropped, await certificateFor(dropped), gate);
  gate.update(environment());
  takeStarts();
  await tryToRun(own);
  await prise(own);
  assert.deepEqual(startedUnadmitted(), []);
});

test('a job leads to nothing that opens or makes one', async (t) => {
  const own = await captureJob(admit(good, goodCertificate));
  takeStarts();
  t.diagnostic(`${await prise(own)} functions lie in its reach`);
  assert.deepEqual(startedUnadmitted(), []);
});

test('a job that was kept does not run once its executor is dropped', async () => {
  const gate = engine.createGate(environment());
  const dropped = answeringModule('dropped');
  const kept = await captureJob(admit(dropped, await certificateFor(dropped), gate));
  gate.update(environment());
  takeStarts();
  for (const isolation of [inThread, isolated]) {
    await assert.rejects(isolation.execute(kept, { timeoutMs: 10_000 }), engine.AdmissionError);
  }
  assert.deepEqual(startedUnadmitted(), []);
});

test('an executor whose certifier has expired does not run', async () => {
  let now = NOW;
  const trust = engine.makeTrustStore([
    { key: certifier.publicKey, role: 'certifier', validUntil: NOW + 1_000 },
  ]);
  const gate = engine.createGate(environment({ trust, now: () => now }));
  const expired = answeringModule('expired');
  const own = admit(expired, await certificateFor(expired), gate);
  now += 1_000;
  takeStarts();
  await tryToRun(own);
  assert.deepEqual(startedUnadmitted(), []);
});

/** The same in everything that is proved, and as long: only its answer is another. */
const swapped = answeringModule('SWAPPED!', 2);

const HOOKS = ['length', 'byteLength', 'byteOffset', 'buffer', 'subarray', 'slice', 'at'] as const;

for (const [name, provider] of Object.entries({
  nodeCrypto: crypto,
  nobleCrypto: engine.nobleCrypto,
})) {
  test(`bytes that change while the gate reads them run as certified or not at all (${name})`, async () => {
    assert.equal(swapped.length, good.length);
    const gate = engine.createGate(environment({ crypto: provider }));
    takeStarts();
    for (const hook of [...HOOKS, Symbol.iterator] as const) {
      for (let turn = 1, reads = turn; reads >= turn; turn++) {
        reads = 0;
        const bytes = good.slice();
        Object.defineProperty(bytes, hook, {
          get: () => {
            reads++;
            if (reads === turn) Uint8Array.prototype.set.call(bytes, swapped);
            const genuine: unknown = Reflect.get(Uint8Array.prototype, hook, bytes);
            return typeof genuine === 'function' ? genuine.bind(bytes) : genuine;
          },
        });
        const request = { bytes, tier: 1, certificate: goodCertificate } as const;
        await tryToRun(await settle(() => gate.admit(request)));
      }
    }
    assert.deepEqual([...new Set(startedUnadmitted())], []);
  });
}

test('a request that answers otherwise when it is asked again is believed once', async () => {
  const gate = engine.createGate(environment());
  takeStarts();
  for (const field of ['bytes', 'certificate', 'tier'] as const) {
    const first = { bytes: good, certificate: goodCertificate, tier: 1 } as const;
    const later = { bytes: swapped, certificate: new Uint8Array(0), tier: 3 } as const;
    for (const [now, then] of [
      [first, later],
      [later, first],
    ] as const) {
      let asked = 0;
      const request = Object.defineProperty({ ...first }, field, {
        enumerable: true,
        get: () => (asked++ === 0 ? now : then)[field],
      });
      await tryToRun(await settle(() => gate.admit(request)));
    }
  }
  assert.deepEqual(startedUnadmitted(), []);
});

test('a receipt names the executor and the input of the run, however often the request changes', async () => {
  const other = admit(swapped, await certificateFor(swapped));
  const now = { executor, input: { context: { a: 1 } } };
  const later = { executor: other, input: { context: { a: 2 } } };
  for (const field of ['executor', 'input'] as const) {
    for (let turn = 1; turn <= 3; turn++) {
      let asked = 0;
      const request = Object.defineProperty({ ...governedRequest, ...now }, field, {
        enumerable: true,
        get: () => (++asked > turn ? later : now)[field],
      });
      const jobs: Job[] = [];
      const isolation: engine.Isolation = {
        ...inThread,
        execute: (each, options) => {
          jobs.push(each);
          return inThread.execute(each, options);
        },
      };
      takeStarts();
      const { receipt } = await engine.governedRun({ ...services(), isolation }, request);
      const [started] = takeStarts();
      const [ran] = jobs.map(openJob);
      assert.ok(started && ran);
      const artifact = started.identity === 'admitted' ? good : swapped;
      const said = [receipt.artifactHash, receipt.inputHash];
      const done = [crypto.sha256(artifact), crypto.sha256(ran.input)];
      assert.deepEqual(said, done, `${field}, asked ${asked} times`);
    }
  }
});

test('every single-bit flip of a certified artifact is refused for its binding', async (t) => {
  const echo = examples.find(({ name }) => name === 'echo');
  assert.ok(echo);
  const { bytes } = echo;
  const certificate = await certificateFor(bytes);
  const gate = engine.createGate(environment());
  assert.equal(gate.admit({ bytes, tier: 1, certificate }).admitted, true);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const admission = gate.admit({ bytes: flipBit(bytes, bit), tier: 1, certificate });
    assert.equal(!admission.admitted && admission.failed, 'artifact-binding', `bit ${bit}`);
  }
  t.diagnostic(`${bytes.length * 8} bits of ${bytes.length} bytes`);
});
