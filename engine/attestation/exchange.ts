// What organisations say to each other when a machine of one calls a machine of the other. First the caller
// asks for an offer: certificate and environment, signed for its nonce. Only then it sends input, with
// another nonce, and gets the output with an attestation that binds nonce, input and output.

import { z } from 'zod';
import { type Crypto, isSha256, type Sha256 } from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import {
  canonicalBytes,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { parseReceipt, serializeReceipt } from '../provenance/receipt.ts';
import type { Receipt } from '../provenance/types.ts';
import { inputBytes } from '../runtime/input.ts';
import { isNonce, parseAttestation } from './record.ts';
import type { AttestationRecord, AttestedCall } from './types.ts';

/** What stands before the name of a machine in the path of a request, with the protocol's version. */
export const MACHINES_PATH = '/v1/machines/';

/** How deep calls nest at most, across all organisations that take part. */
export const MAX_CALL_DEPTH = 5;

/** The output of a machine is no larger than this, in bytes. */
export const MAX_CALL_OUTPUT_BYTES = 10_485_760;

/** Bytes of an answer beside its output: attestation and receipt. */
export const MAX_CALL_RECORDS_BYTES = 4_194_304;

/** The `status` of a call that was offered and not made. No run ends so. */
const OFFERED = 'offered';

/** Asks for an offer: `POST /v1/machines/NAME/offer`. The answer is an attestation record. */
export interface OfferRequest {
  readonly nonce: string;
}

/** Makes a call: `POST /v1/machines/NAME/calls`. */
export interface CallRequest {
  /** Another one than that of the offer. */
  readonly nonce: string;
  /** The hash of the offer's record. */
  readonly offer: Sha256;
  /** What the machine gets as its `context`. */
  readonly input: JsonObject;
  /** How deep the machine is nested: 1 where a run that a person began calls it. */
  readonly depth: number;
}

/** The answer to a call that was made, however it ended. */
export interface CallAnswer {
  readonly status: string;
  /** The exact bytes that the executor handed over; null where there are none. */
  readonly output: Uint8Array | null;
  readonly attestation: AttestationRecord;
  readonly receipt: Receipt;
}

const nonce = z.string().refine(isNonce, 'not 16 to 64 bytes in base64url');
const object = z.custom<JsonObject>((value) => isJsonObject(value as JsonValue), 'not an object');

const offerRequestSchema = z.strictObject({ nonce });

const callRequestSchema = z.strictObject({
  nonce,
  offer: z.string().refine(isSha256, 'not a SHA-256 in hex'),
  input: object,
  depth: z.int().min(1),
});

const callAnswerSchema = z.strictObject({
  status: z.string().max(64),
  output: z.string().nullable(),
  attestation: object,
  receipt: object,
});

const errorSchema = z.strictObject({
  error: z.strictObject({
    code: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/),
    message: z.string().max(2_000),
  }),
});

/** The path of a request about a machine. */
export function machinePath(machine: string, what: 'offer' | 'calls'): string {
  return `${MACHINES_PATH}${encodeURIComponent(machine)}/${what}`;
}

/** @throws {InputError} `invalid-request`, `invalid-json` or `invalid-utf8`. */
export function parseOfferRequest(bytes: Uint8Array): OfferRequest {
  return parseRequest(offerRequestSchema, bytes);
}

/** @throws {InputError} `invalid-request`, `invalid-json` or `invalid-utf8`. */
export function parseCallRequest(bytes: Uint8Array): CallRequest {
  return parseRequest(callRequestSchema, bytes);
}

function parseRequest<Schema extends z.ZodType>(schema: Schema, bytes: Uint8Array) {
  const parsed = schema.safeParse(parseJson(bytes, 'the request'));
  if (parsed.success) return parsed.data;
  throw new InputError('invalid-request', `the request: ${describeIssues(parsed.error)}`);
}

/** The bytes of the answer to a call: RFC 8785, UTF-8. */
export function serializeCallAnswer({ output, receipt, ...rest }: CallAnswer): Uint8Array {
  serializeReceipt(receipt); // refuses what a reader would
  return canonicalBytes({ ...rest, receipt, output: output && encodeBase64(output) });
}

/**
 * Parses the answer to a call: exactly its fields. Nothing is verified here.
 * @throws {InputError} `invalid-json` or `invalid-utf8`, `invalid-attestation`, `invalid-certificate`,
 *   `invalid-receipt`, `too-large`.
 */
export function parseCallAnswer(bytes: Uint8Array): CallAnswer {
  const parsed = callAnswerSchema.safeParse(parseJson(bytes, 'the answer'));
  if (!parsed.success) throw invalid(describeIssues(parsed.error));
  const { status, attestation, receipt } = parsed.data;
  const output = parsed.data.output === null ? null : tryDecodeBase64(parsed.data.output);
  if (output === undefined) throw invalid('output: not bytes in base64');
  return {
    status,
    output,
    attestation: parseAttestation(canonicalBytes(attestation), 'the attestation in the answer'),
    receipt: readReceipt(canonicalBytes(receipt)),
  };
}

/** A receipt that can be written again, as a caller does who keeps it. */
function readReceipt(bytes: Uint8Array): Receipt {
  const receipt = parseReceipt(bytes, 'the receipt in the answer');
  serializeReceipt(receipt);
  return receipt;
}

function invalid(problem: string): InputError {
  return new InputError('invalid-json', `the answer is not that of a call: ${problem}`);
}

/** The body of an answer that says why something was not done. */
export function errorBody(code: string, message: string): Uint8Array {
  return canonicalBytes({ error: { code, message } });
}

/** The code in the body of such an answer; `undefined` for any other body. */
export function errorCodeOf(body: Uint8Array): string | undefined {
  try {
    return errorSchema.safeParse(parseJson(body, 'the answer')).data?.error.code;
  } catch {
    return undefined;
  }
}

/**
 * What an offer binds: the caller's nonce, and as the input the request itself, so that the record of
 * one machine's offer is none of another's.
 */
export function offeredCall(crypto: Crypto, machine: string, nonce: string): AttestedCall {
  return {
    nonce,
    inputHash: crypto.sha256(canonicalBytes({ machine, nonce })),
    outputHash: null,
    status: OFFERED,
  };
}

/** SHA-256 of the input document that a machine is given for the `input` of a call. */
export function callInputHash(crypto: Crypto, input: JsonObject): Sha256 {
  return crypto.sha256(inputBytes({ context: input }));
}
