import { resolve } from 'node:path';
import { base64urlnopad } from '@scure/base';
import { type Compatibility, parseCompatibility } from '../../../../attestation/compatibility.ts';
import {
  type CallAnswer,
  callInputHash,
  MAX_CALL_OUTPUT_BYTES,
  MAX_CALL_RECORDS_BYTES,
  parseCallAnswer,
} from '../../../../attestation/exchange.ts';
import { checkAnswer, checkOffer } from '../../../../attestation/exchange-checks.ts';
import {
  attestationHash,
  MAX_ATTESTATION_BYTES,
  parseAttestation,
} from '../../../../attestation/record.ts';
import type { AttestationRecord } from '../../../../attestation/types.ts';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { canonicalBytes } from '../../../../encoding/json.ts';
import type { GateEnvironment } from '../../../../gate/types.ts';
import {
  type EffectOutcome,
  type Failed,
  failed,
  type Link,
  performed,
  type Refused,
  refused,
} from '../../../../governance/effect.ts';
import type { SecretReference, Secrets } from '../../../../governance/secret.ts';
import { type OutputDocument, readOutput } from '../../../../runtime/output.ts';
import { readDocument } from '../../files.ts';
import { withDeadline } from '../network/deadline.ts';
import { describeFailure } from '../network/failure.ts';
import type { NetworkOptions } from '../network/guarded-client.ts';
import { NetworkRefusal } from '../network/network-refusal.ts';
import { keepCall } from './kept-calls.ts';
import type { MachineCall, MachineCaller } from './machine-handler.ts';
import {
  createRemoteEndpoint,
  type RemoteEndpoint,
  type RemoteEntry,
  RemoteRefusal,
} from './remote-endpoint.ts';

export interface RemoteMachineOptions extends NetworkOptions {
  /** Whose environments and certifiers count here, by which whitelist and policy; asked for each call. */
  readonly gate: () => Promise<GateEnvironment>;
  readonly secrets: Secrets;
  /** The folder that relative paths are relative to: the policy's. */
  readonly base: string;
  /** Where attestations and receipts of calls are kept. */
  readonly attestations: string;
}

/** One call on its way. */
interface Conversation extends RemoteMachineOptions {
  readonly entry: RemoteEntry;
  readonly call: MachineCall;
  readonly gateNow: GateEnvironment;
  readonly compatibility: Compatibility;
  readonly endpoint: RemoteEndpoint;
}

const NONCE_BYTES = 32;

/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Calls machines of other organisations. Each is asked first for certificate and environment, and gets
 * no byte of input before they are verified and compatible (`checkOffer`). Its answer counts only with
 * an attestation that binds this call (`checkAnswer`), which is kept before the result is used, and
 * which the caller's receipt names.
 *
 * What does not hold before input is sent is refused: `offer-refused` with the step or conjunct first
 * in the message. What fails is data: the network by its own codes, `machine-refused` where the other
 * side does nothing, `attestation-mismatch` with what differs, `machine-failed` where the run did not
 * end `ok`, `too-large`, `unwritable`.
 */
export function createRemoteMachine(options: RemoteMachineOptions): MachineCaller {
  return {
    call: async (entry, call) => {
      if (!('url' in entry))
        return refused('machine-not-remote', `${shown(entry)} is not elsewhere`);
      let endpoint: RemoteEndpoint | undefined;
      try {
        const outcome = await withDeadline(call.signal, call.timeoutMs, async (signal) => {
          const terms = await termsOf(options, entry);
          if ('kind' in terms) return terms;
          const { token, ...deciding } = terms;
          endpoint = endpointOf(options, entry, call, token);
          return converse({
            ...options,
            ...deciding,
            ...{ entry, endpoint },
            call: { ...call, signal },
          });
        });
        return outcome.kind === 'refused' ? outcome : { ...outcome, cost: costOf(endpoint) };
      } catch (error) {
        // The deadline; anything else was made an outcome where it happened, or is a bug here.
        const { code, message } = describeFailure(error);
        return failed(code, `${shown(entry)}: ${message}`, costOf(endpoint));
      } finally {
        await endpoint?.close();
      }
    },
  };
}

function shown({ name }: { readonly name: string }): string {
  return displayText(name, 100);
}

function costOf(endpoint: RemoteEndpoint | undefined) {
  return { bytes: endpoint?.bytes ?? 0 };
}

/** What the call is decided by, and the token that goes with it; or why there is none of it. */
async function termsOf({ base, gate, secrets }: RemoteMachineOptions, entry: RemoteEntry) {
  try {
    const path = resolve(base, entry.compatibility);
    const compatibility = parseCompatibility(await readDocument(path), displayText(path, 500));
    const token = entry.token && (await tokenOf(entry.token, secrets));
    return typeof token === 'object' ? token : { compatibility, token, gateNow: await gate() };
  } catch (error) {
    if (error instanceof InputError) return refused(error.code, error.message);
    throw error;
  }
}

async function tokenOf({ secret }: SecretReference, secrets: Secrets): Promise<string | Refused> {
  const token = await secrets.get(secret);
  if (token === undefined) {
    return refused('secret-missing', `the secret "${secret}" has no value: set it and run again`);
  }
  return BEARER_TOKEN.test(token)
    ? token
    : refused(
        'secret-unusable',
        `the secret "${secret}" is no bearer token: letters, digits, -._~+/=`,
      );
}

function endpointOf(
  { ca, resolve }: NetworkOptions,
  entry: RemoteEntry,
  { allowance, resultBytes }: MachineCall,
  token: string | undefined,
): RemoteEndpoint {
  return createRemoteEndpoint(entry, {
    ...{ token, ca, resolve },
    totalBytes: allowance.bytes,
    responseBytes: Math.max(MAX_ATTESTATION_BYTES, answerBytes(resultBytes)),
  });
}

/** Bytes that an answer may have: its output in base64, and what is signed about it. */
function answerBytes(resultBytes: number): number {
  // Beside the result an output holds directives, for which there is some room.
  const output = Math.min(MAX_CALL_OUTPUT_BYTES, 2 * resultBytes + 65_536);
  return Math.ceil((output * 4) / 3) + MAX_CALL_RECORDS_BYTES;
}

async function converse(conversation: Conversation): Promise<EffectOutcome> {
  const offer = await askOffer(conversation);
  return 'kind' in offer ? offer : sendInput(conversation, offer);
}

/** An offer that holds, or why no input is sent. */
async function askOffer(conversation: Conversation): Promise<AttestationRecord | Failed | Refused> {
  const { entry, gateNow, compatibility, endpoint, call } = conversation;
  const { machine = entry.name, environment } = entry;
  const nonce = freshNonce(conversation);
  let body: Uint8Array;
  try {
    body = await endpoint.post('offer', { nonce }, MAX_ATTESTATION_BYTES, call.signal);
  } catch (error) {
    if (error instanceof NetworkRefusal) return refused(error.code, error.message);
    return networkFailure(entry, error);
  }
  const record = readOffer(body);
  const problem =
    record === undefined
      ? { code: 'record', detail: 'what it offers is no attestation record' }
      : checkOffer(gateNow, record, { machine, nonce, compatibility, environment });
  return problem === undefined && record !== undefined
    ? record
    : refused('offer-refused', `${problem?.code}: ${problem?.detail}`);
}

function readOffer(body: Uint8Array): AttestationRecord | undefined {
  try {
    return parseAttestation(body, 'the offer');
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

async function sendInput(
  conversation: Conversation,
  offer: AttestationRecord,
): Promise<EffectOutcome> {
  const { entry, gateNow, endpoint, call, attestations } = conversation;
  const { crypto } = gateNow;
  const nonce = freshNonce(conversation);
  const { inputs: input, depth } = call;
  const request = { nonce, offer: attestationHash(crypto, offer), input, depth };
  let body: Uint8Array;
  try {
    body = await endpoint.post('calls', request, answerBytes(call.resultBytes), call.signal);
  } catch (error) {
    return networkFailure(entry, error);
  }
  const answer = readAnswer(body);
  if (answer === undefined) return mismatch(entry, 'answer: it is not that of a call');
  const problem = checkAnswer(
    gateNow,
    { offer, nonce, inputHash: callInputHash(crypto, input) },
    answer,
  );
  if (problem !== undefined) return mismatch(entry, `${problem.code}: ${problem.detail}`);
  const attestation = attestationHash(crypto, answer.attestation);
  try {
    await keepCall(attestations, attestation, answer.attestation, answer.receipt);
  } catch (error) {
    if (error instanceof InputError) return failed(error.code, error.message);
    throw error;
  }
  return resultOf(entry, answer, call.resultBytes, { attestation });
}

function freshNonce({ gateNow: { crypto } }: Conversation): string {
  return base64urlnopad.encode(crypto.randomBytes(NONCE_BYTES));
}

function readAnswer(body: Uint8Array): CallAnswer | undefined {
  try {
    return parseCallAnswer(body);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** What an answer that holds came to. */
function resultOf(
  entry: RemoteEntry,
  { status, output }: CallAnswer,
  resultBytes: number,
  link: Link,
): EffectOutcome {
  if (status !== 'ok') {
    return {
      ...failed('machine-failed', `${shown(entry)} ended ${displayText(status, 64)}`),
      link,
    };
  }
  const document = output && readResult(output);
  if (document?.kind !== 'result')
    return { ...mismatch(entry, 'output: it holds no result'), link };
  const { result } = document;
  const bytes = canonicalBytes(result).length;
  if (bytes > resultBytes) {
    const message = `${shown(entry)} answered ${bytes} bytes; at most ${resultBytes} are taken`;
    return { ...failed('too-large', message), link };
  }
  return { ...performed({ result }), link };
}

function readResult(output: Uint8Array): OutputDocument | undefined {
  try {
    return readOutput(output);
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

function mismatch(entry: RemoteEntry, problem: string): Failed {
  return failed('attestation-mismatch', `the answer of ${shown(entry)} does not hold: ${problem}`);
}

function networkFailure(entry: RemoteEntry, error: unknown): Failed {
  if (error instanceof RemoteRefusal) {
    return failed('machine-refused', `${shown(entry)}: ${error.message}`);
  }
  const { code, message } = describeFailure(error);
  return failed(code, `${shown(entry)}: ${message}`);
}
