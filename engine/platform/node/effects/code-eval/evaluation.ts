// How an evaluation and its answer cross between the interpreter and the process that evaluates: one
// JSON document each. The interpreter believes nothing of an answer.

import { InputError } from '../../../../encoding/input-error.ts';
import { isJsonObject, type JsonValue, parseJson } from '../../../../encoding/json.ts';
import { decodeUtf8, encodeUtf8 } from '../../../../encoding/utf8.ts';

/** What one evaluation may use. */
export interface EvaluationLimits {
  /** Units of fuel, as `engine/metering/costs.ts` counts them. */
  readonly fuel: number;
  /** Pages of 64 KiB: all of the memory that the engine and the code have. */
  readonly memoryPages: number;
  /** Bytes of the value, as JSON. */
  readonly outputBytes: number;
}

/** Code to evaluate. */
export interface Evaluation {
  /** A script of ECMAScript: its value is that of its last expression. */
  readonly code: string;
  /** A JSON object: each member is a constant that the code sees under its name. */
  readonly bindings: string;
  readonly limits: EvaluationLimits;
}

/** Why an evaluation has no value. The same code, bindings and limits end the same way. */
export const FAILURES = Object.freeze([
  'out-of-fuel',
  'memory-limit',
  'call-depth',
  'too-large',
  'invalid-bindings',
  'code-threw',
  'unsettled',
  'not-json',
] as const);

export type FailureCode = (typeof FAILURES)[number];

/** What came of an evaluation. */
export type EvaluationAnswer = EvaluationValue | EvaluationFailure;

export interface EvaluationValue {
  readonly value: JsonValue;
  /** Units of fuel that were used. */
  readonly fuel: number;
}

export interface EvaluationFailure {
  readonly failure: FailureCode;
  /** What the code threw, in its own words. */
  readonly detail: string;
}

/** UTF-16 units of a detail that are told. */
export const DETAIL_LENGTH = 300;

/** Bytes that an answer has beside its value; a unit of a detail takes at most six. */
const ANSWER_BYTES = 6 * DETAIL_LENGTH + 256;

export function encodeEvaluation(evaluation: Evaluation): Uint8Array {
  return encodeUtf8(JSON.stringify(evaluation));
}

/** Reads what {@link encodeEvaluation} wrote, in the host: its parent is believed. */
export function decodeEvaluation(bytes: Uint8Array): Evaluation {
  return JSON.parse(decodeUtf8(bytes, 'the evaluation'));
}

/**
 * Writes a value, or what is wrong with it.
 * @param json the code's value, in the words of the engine that evaluated it.
 */
export function encodeValue(
  json: string,
  fuel: number,
  { outputBytes }: EvaluationLimits,
): Uint8Array {
  const head = `{"fuel":${fuel},"value":`;
  const answer = `${head}${json}}`;
  const bytes = encodeUtf8(answer);
  if (bytes.length - head.length - 1 > outputBytes) return encodeFailure('too-large');
  try {
    parseJson(answer, 'the value'); // whatever the parent would not read
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return encodeFailure('not-json', error.message);
  }
  return bytes;
}

export function encodeFailure(failure: FailureCode, detail = ''): Uint8Array {
  const told = detail.slice(0, DETAIL_LENGTH).toWellFormed();
  return encodeUtf8(JSON.stringify({ failure, detail: told }));
}

/** The most bytes that an answer within these limits can have. */
export function answerBound({ outputBytes }: EvaluationLimits): number {
  return outputBytes + ANSWER_BYTES;
}

/** Reads an answer of a host that may have been taken over; `undefined` for one that makes no sense. */
export function decodeAnswer(
  bytes: Uint8Array,
  limits: EvaluationLimits,
): EvaluationAnswer | undefined {
  const answer = parse(bytes);
  if (!isJsonObject(answer)) return undefined;
  const { fuel, value, failure, detail } = answer;
  if (value !== undefined) {
    const isCounted = typeof fuel === 'number' && Number.isSafeInteger(fuel);
    return isCounted && fuel >= 0 && fuel <= limits.fuel ? { value, fuel } : undefined;
  }
  const known = FAILURES.find((code) => code === failure);
  if (known === undefined || typeof detail !== 'string') return undefined;
  return { failure: known, detail };
}

function parse(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(bytes, 'the answer');
  } catch {
    return undefined;
  }
}
