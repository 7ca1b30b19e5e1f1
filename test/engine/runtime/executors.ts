import { certifierMessage, serializeCertificate } from '../../../engine/certificate/certificate.ts';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { nobleCrypto } from '../../../engine/crypto/noble.ts';
import { encodeBase64 } from '../../../engine/encoding/base64.ts';
import { canonicalBytes, type JsonValue } from '../../../engine/encoding/json.ts';
import { type Admission, type AdmittedExecutor, createGate } from '../../../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../../../engine/gate/policy.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { Tier } from '../../../engine/gate/types.ts';
import { readLayout } from '../../../engine/module/walker.ts';
import { prove } from '../../../engine/proof/proof.ts';
import { type Isolation, inThread } from '../../../engine/runtime/isolation.ts';
import {
  type Program,
  type ProgramSettings,
  prepareProgram,
} from '../../../engine/runtime/program.ts';
import { runExecutor } from '../../../engine/runtime/run.ts';
import { DEFAULT_LIMITS, type Outcome, type RunLimits } from '../../../engine/runtime/types.ts';
import type { Whitelist } from '../../../engine/whitelist/types.ts';
import { builtInWhitelist, parseWhitelist } from '../../../engine/whitelist/whitelist.ts';
import { assemble } from '../../support/wat.ts';

const NOW = Date.UTC(2026, 10, 20);
const MASHIN = builtInWhitelist(nobleCrypto);
/** Signs the certificates of these tests. */
export const certifier = signerFromSeed(nobleCrypto, new Uint8Array(32).fill(1));

export interface GateOptions {
  readonly tier?: Tier;
  /** The gate's whitelist: `mashin@1` unless another is given. */
  readonly whitelist?: Whitelist;
  /** The certifier's whitelist, if it is not the gate's. */
  readonly provedAgainst?: Whitelist;
}

/** A whitelist that calls itself `mashin@1` and holds `functions`. */
export function whitelistOf(functions: readonly object[]): Whitelist {
  const document = { name: 'mashin', version: 1, functions };
  return parseWhitelist(nobleCrypto, JSON.stringify(document), 'the test whitelist');
}

/**
 * Puts a module before a real gate. For tier 1 it is given a correctly signed certificate of
 * whatever it imports, as a careless or hostile certifier might issue it.
 */
export async function askGate(
  source: string | Uint8Array,
  { tier = 1, whitelist = MASHIN, provedAgainst = whitelist }: GateOptions = {},
): Promise<Admission> {
  const bytes = typeof source === 'string' ? assemble(source) : source;
  const gate = createGate({
    crypto: nobleCrypto,
    whitelist,
    trust: makeTrustStore([{ key: certifier.publicKey, role: 'certifier' }]),
    policy: { ...DEFAULT_POLICY, minimumTier: 3 },
    now: () => NOW,
  });
  if (tier !== 1) return gate.admit({ bytes, tier });
  return gate.admit({ bytes, tier, certificate: await certificateOf(bytes, provedAgainst) });
}

/** A signed certificate of a module, whatever it imports. */
export async function certificateOf(
  bytes: Uint8Array,
  whitelist: Whitelist = MASHIN,
): Promise<Uint8Array> {
  const { imports } = readLayout(bytes);
  const proof = prove(imports, whitelist, certifier.publicKey.keyId, NOW);
  const artifactHash = nobleCrypto.sha256(bytes);
  const proofHash = nobleCrypto.sha256(canonicalBytes(proof));
  const signature = await certifier.sign(certifierMessage(artifactHash, proofHash));
  return serializeCertificate({
    format: 'purity-certificate/1',
    artifactHash,
    proofHash,
    proof,
    signature: encodeBase64(signature),
  });
}

/** Admits a module that is expected to be admitted. */
export async function admit(
  source: string | Uint8Array,
  options: GateOptions = {},
): Promise<AdmittedExecutor> {
  const admission = await askGate(source, options);
  if (!admission.admitted)
    throw new Error(`not admitted: ${admission.failed}, ${admission.detail}`);
  return admission.executor;
}

export interface RunOptions {
  readonly tier?: Tier;
  readonly whitelist?: Whitelist;
  readonly input?: JsonValue;
  readonly limits?: Partial<RunLimits>;
  readonly entry?: string;
  readonly signal?: AbortSignal;
  readonly isolation?: Isolation;
}

/** Admits a module through a real gate and runs it once, in this thread unless told otherwise. */
export async function run(source: string | Uint8Array, options: RunOptions = {}): Promise<Outcome> {
  const { input = {}, limits, entry, signal, isolation = inThread } = options;
  const executor = await admit(source, options);
  return runExecutor(
    executor,
    {
      input,
      limits: { ...DEFAULT_LIMITS, ...limits },
      ...(entry !== undefined && { entry }),
      signal,
    },
    isolation,
  );
}

const IMPORTS = `
  (import "mashin" "get_input_len" (func $get_input_len (result i32)))
  (import "mashin" "get_input" (func $get_input (param i32)))
  (import "mashin" "set_output" (func $set_output (param i32 i32)))
  (import "mashin" "log" (func $log (param i32 i32 i32)))
  (import "mashin" "context_len" (func $context_len (param i32 i32) (result i32)))
  (import "mashin" "context_read" (func $context_read (param i32 i32 i32) (result i32)))
  (import "mashin" "llm_call" (func $llm_call (param i32 i32)))
  (import "mashin" "http_request" (func $http_request (param i32 i32)))`;

/** A module with all kinds of host functions, `pages` of memory and `body` as its `plan`. */
export function planning(
  body: string,
  { fields = '', pages = 1 }: { fields?: string; pages?: number } = {},
): string {
  return `(module ${IMPORTS} (memory (export "memory") ${pages}) ${fields}
    (func $plan (export "plan") ${body}))`;
}

/** A data segment with `text` or bytes at address 0, and how long it is. */
export function data(content: string | Uint8Array, at = 0): { field: string; length: number } {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const escaped = Array.from(bytes, (b) => `\\${b.toString(16).padStart(2, '0')}`).join('');
  return { field: `(data (i32.const ${at}) "${escaped}")`, length: bytes.length };
}

/** A module that hands `document` to `set_output` and does nothing else. */
export function answering(document: string | Uint8Array): string {
  const { field, length } = data(document);
  const pages = Math.ceil(length / 65_536) || 1;
  const body = `(call $set_output (i32.const 0) (i32.const ${length}))`;
  return planning(body, { fields: field, pages });
}

/** Calls of `function` with a constant text, one after the other, and then an output of `null`. */
export function calling(name: string, ...texts: (string | Uint8Array)[]): string {
  let at = 0;
  const fields: string[] = [];
  const calls: string[] = [];
  for (const text of texts) {
    const { field, length } = data(text, at);
    fields.push(field);
    calls.push(`(call $${name} (i32.const ${at}) (i32.const ${length}))`);
    at += length;
  }
  const output = data('{"result":null}', at);
  fields.push(output.field);
  calls.push(`(call $set_output (i32.const ${at}) (i32.const ${output.length}))`);
  return planning(calls.join('\n'), {
    fields: fields.join('\n'),
    pages: Math.ceil((at + output.length) / 65_536),
  });
}

/** The program of an executor that can be run here. */
export function programOf(executor: AdmittedExecutor, settings?: ProgramSettings): Program {
  const prepared = prepareProgram(executor, settings);
  if ('program' in prepared) return prepared.program;
  throw new Error(`the executor cannot be run: ${prepared.message}`);
}

/** The text of an outcome's output. */
export function outputText({ output }: Outcome): string | undefined {
  return output === undefined ? undefined : new TextDecoder().decode(output);
}
