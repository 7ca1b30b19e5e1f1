// How a job and its answer are written as bytes: a JSON text for what is small, then the bytes of
// what is not. The parent reads an answer as data only, and then believes nothing of it
// (`receiveEnded`).

import { decodeUtf8, encodeUtf8, tryDecodeUtf8 } from '../../encoding/utf8.ts';
import type { Ended } from '../../runtime/ended.ts';
import type { GuestJob, JobContents } from '../../runtime/job.ts';
import type { Program, ProgramFacts } from '../../runtime/program.ts';
import { MAX_STATE_BYTES } from '../../runtime/state.ts';
import type { RunLimits } from '../../runtime/types.ts';

/** A program as it is sent to a host, once. */
export interface ReceivedProgram {
  readonly facts: ProgramFacts;
  /** Lies in the memory that was decoded. */
  readonly bytes: Uint8Array;
}

/** What of a job its host is sent with each run. */
export type JobParts = Omit<GuestJob, 'program'>;

/** The small parts of a job. No state that is there is empty. */
type JobText = Omit<JobParts, 'input' | 'state'> & {
  readonly stateful: boolean;
  readonly stateBytes: number;
};

/** Bytes of the length of the JSON text, u32 little endian, before it. */
const LENGTH_BYTES = 4;

/** Writes a program. */
export function encodeProgram(program: Program): Uint8Array {
  const { id: _, copyBytes, ...facts } = program;
  return join(facts satisfies ProgramFacts, copyBytes());
}

/** Reads what {@link encodeProgram} wrote, in the host: its parent is believed. */
export function decodeProgram(bytes: Uint8Array): ReceivedProgram {
  const { text, rest } = split(bytes);
  const facts: ProgramFacts = JSON.parse(decodeUtf8(text, 'the program'));
  return { facts, bytes: rest };
}

/** Writes the parts of a job that differ from run to run. */
export function encodeJob(job: JobParts | JobContents): Uint8Array {
  const { input, limits, entry, state } = job;
  const before = state?.before ?? EMPTY;
  const small = {
    limits,
    entry,
    stateful: state !== undefined,
    stateBytes: before.length,
  };
  return join(small, input, before);
}

/**
 * Reads what {@link encodeJob} wrote, in the host: its parent is believed. `input` and a state lie in
 * the memory of `bytes`.
 */
export function decodeJob(bytes: Uint8Array): JobParts {
  const { text, rest } = split(bytes);
  const { stateful, stateBytes, ...parts } = readJobText(decodeUtf8(text, 'the job'));
  const inputBytes = rest.length - stateBytes;
  const before = stateBytes > 0 ? rest.subarray(inputBytes) : undefined;
  return { ...parts, input: rest.subarray(0, inputBytes), ...(stateful && { state: { before } }) };
}

let lastText = '';
let lastRead: JobText | undefined;

/** The small parts of one job after the other are the same as a rule, and are read once then. */
function readJobText(text: string): JobText {
  if (lastRead === undefined || text !== lastText) {
    const read: JobText = JSON.parse(text);
    Object.freeze(read.limits);
    lastRead = read;
    lastText = text;
  }
  return lastRead;
}

/** Writes what a run left behind. */
export function encodeEnded({ output, state = EMPTY, ...small }: Ended): Uint8Array {
  const parts = { ...small, hasOutput: output !== undefined, stateBytes: state.length };
  return join(parts, output ?? EMPTY, state);
}

/**
 * Reads an answer that should be of {@link encodeEnded}, from a host that may have been taken over:
 * data, of any shape, for `receiveEnded` to judge; `undefined` for what is not even that.
 */
export function decodeEnded(bytes: Uint8Array): unknown {
  if (bytes.length < LENGTH_BYTES) return undefined;
  const { text, rest } = split(bytes);
  const value = parse(tryDecodeUtf8(text));
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('hasOutput' in value && 'stateBytes' in value)) return undefined;
  const { hasOutput, stateBytes, ...small } = value;
  if (typeof stateBytes !== 'number' || !Number.isSafeInteger(stateBytes)) return undefined;
  const outputBytes = rest.length - stateBytes;
  if (stateBytes < 0 || outputBytes < 0 || (hasOutput === false && outputBytes > 0)) {
    return undefined;
  }
  return {
    ...small,
    output: hasOutput === true ? rest.subarray(0, outputBytes) : undefined,
    ...(stateBytes > 0 && { state: rest.subarray(outputBytes) }),
  };
}

/**
 * The most bytes that an answer within these limits can have. A character of a text takes at most
 * six in JSON, and each log message and directive some more around it.
 * @param stateful whether the answer may hold a state.
 */
export function answerBound(
  { outputBytes, logBytes, directives }: RunLimits,
  stateful = false,
): number {
  const state = stateful ? MAX_STATE_BYTES : 0;
  const bound = 7 * outputBytes + 48 * logBytes + 256 * directives + state + 65_536;
  return Math.min(bound, MAX_ANSWER);
}

/** What the length of a frame can say. */
const MAX_ANSWER = 2 ** 31;

const EMPTY = new Uint8Array(0);

function join(small: object, ...large: readonly Uint8Array[]): Uint8Array {
  const text = encodeUtf8(JSON.stringify(small));
  const rest = large.reduce((sum, { length }) => sum + length, 0);
  const bytes = new Uint8Array(LENGTH_BYTES + text.length + rest);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, LENGTH_BYTES);
  let at = LENGTH_BYTES + text.length;
  for (const each of large) {
    bytes.set(each, at);
    at += each.length;
  }
  return bytes;
}

/** The two parts; a length beyond the end leaves nothing for the second. */
function split(bytes: Uint8Array): { readonly text: Uint8Array; readonly rest: Uint8Array } {
  const length = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true);
  const end = LENGTH_BYTES + length;
  return { text: bytes.subarray(LENGTH_BYTES, end), rest: bytes.subarray(end) };
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
