// The host functions of mashin@1 (DESIGN 6). They are part of the trusted computing base: they move
// bytes between the guest's memory and the session, and reach nothing else.

import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, isJsonObject, type JsonObject, parseJson } from '../encoding/json.ts';
import { tryDecodeUtf8 } from '../encoding/utf8.ts';
import { readDirective } from './directive.ts';
import { chargeBytes, type Session } from './session.ts';
import { hostTrap, limitReached } from './stop.ts';
import type { LogLevel } from './types.ts';

/** One call of a host function: what the run holds, and the function's name for messages. */
export interface HostCall {
  readonly session: Session;
  /** As a person reads it: `mashin.set_output`. */
  readonly caller: string;
}

/** Arguments are the guest's i32 values, 0 where the function takes fewer. */
type Implementation = (call: HostCall, a: number, b: number, c: number) => number | undefined;

const NO_VALUE = -1;
const LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

// Not fatal: what is not UTF-8 in a log message becomes U+FFFD.
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });

const FUNCTIONS = {
  get_input_len: { type: '() -> i32', run: ({ session }) => session.input.length },
  get_input: { type: '(i32) -> ()', run: getInput },
  set_output: { type: '(i32, i32) -> ()', run: setOutput },
  log: { type: '(i32, i32, i32) -> ()', run: log },
  context_len: { type: '(i32, i32) -> i32', run: contextLength },
  context_read: { type: '(i32, i32, i32) -> i32', run: contextRead },
} as const satisfies Readonly<Record<string, { type: string; run: Implementation }>>;

export type HostFunctionName = keyof typeof FUNCTIONS;

function isHostFunctionName(name: string): name is HostFunctionName {
  return Object.hasOwn(FUNCTIONS, name);
}

/** The function that this runtime has for an import of that name, with its type as text. */
export function findHostFunction(
  module: string,
  name: string,
): { readonly name: HostFunctionName; readonly type: string } | undefined {
  if (module !== 'mashin' || !isHostFunctionName(name)) return undefined;
  return { name, type: FUNCTIONS[name].type };
}

/** Performs a call of a pure host function. @throws {HostStop} for what ends the run. */
export function callHostFunction(
  name: HostFunctionName,
  call: HostCall,
  a: number,
  b: number,
  c: number,
): number | undefined {
  const run: Implementation = FUNCTIONS[name].run;
  return run(call, a, b, c);
}

/**
 * Performs a call of the constructor of `tag`. The constructors of a run share one bound of
 * `outputBytes`, which is checked, as is their count, before anything is decoded.
 * @throws {HostStop} `host-bad-pointer`, `directive-limit`, `output-limit`, `invalid-directive`.
 */
export function callConstructor(
  tag: string,
  call: HostCall,
  pointer: number,
  length: number,
): void {
  const { session, caller } = call;
  const bytes = readGuest(call, pointer, length);
  const { directives, outputBytes } = session.limits;
  if (session.constructed.length >= directives) {
    throw limitReached('directive-limit', `${caller} was called after ${directives} directives`);
  }
  session.constructedBytes += bytes.length;
  if (session.constructedBytes > outputBytes) {
    throw limitReached(
      'output-limit',
      `the directives have ${session.constructedBytes} bytes at this call of ${caller}; ${outputBytes} are allowed`,
    );
  }
  const text = tryDecodeUtf8(bytes);
  if (text === undefined) {
    throw hostTrap('invalid-directive', `${caller} was given parameters that are not valid UTF-8`);
  }
  try {
    readDirective(tag, text);
  } catch (error) {
    if (error instanceof InputError) throw hostTrap('invalid-directive', error.message);
    throw error;
  }
  session.constructed.push({ tag, text });
}

/** The guest's bytes at a place, paid for by their number. */
function readGuest({ session, caller }: HostCall, pointer: number, length: number): Uint8Array {
  const bytes = session.memory.view(caller, pointer, length);
  chargeBytes(session, bytes.length);
  return bytes;
}

function writeGuest({ session, caller }: HostCall, pointer: number, bytes: Uint8Array): void {
  chargeBytes(session, bytes.length);
  session.memory.write(caller, pointer, bytes);
}

function getInput(call: HostCall, pointer: number): undefined {
  writeGuest(call, pointer, call.session.input);
}

function setOutput(call: HostCall, pointer: number, length: number): undefined {
  const { session } = call;
  const bytes = readGuest(call, pointer, length);
  const { outputBytes } = session.limits;
  if (bytes.length > outputBytes) {
    session.output = undefined;
    throw limitReached(
      'output-limit',
      `the output has ${bytes.length} bytes; ${outputBytes} are allowed`,
    );
  }
  session.output = bytes.slice();
}

function log(call: HostCall, levelNumber: number, pointer: number, length: number): undefined {
  const { session, caller } = call;
  const level = LEVELS[levelNumber];
  if (level === undefined) {
    throw hostTrap(
      'invalid-log-level',
      `${caller} was given level ${levelNumber}; levels are 0 (trace) to 4 (error)`,
    );
  }
  const bytes = readGuest(call, pointer, length);
  // Each message counts one byte more, its line end, so that empty ones are bounded too.
  session.logBytes += bytes.length + 1;
  if (session.logBytes > session.limits.logBytes) {
    throw limitReached(
      'log-limit',
      `the log has ${session.logBytes} bytes with this message; ${session.limits.logBytes} are allowed`,
    );
  }
  session.logs.push({ level, message: lenient.decode(bytes) });
}

function contextLength(call: HostCall, keyPointer: number, keyLength: number): number {
  return contextText(call, keyPointer, keyLength)?.length ?? NO_VALUE;
}

function contextRead(
  call: HostCall,
  keyPointer: number,
  keyLength: number,
  outPointer: number,
): number {
  const text = contextText(call, keyPointer, keyLength);
  if (text === undefined) return NO_VALUE;
  writeGuest(call, outPointer, text);
  return text.length;
}

/** The RFC 8785 text of the context value under a key; `undefined` where there is none. */
function contextText(
  call: HostCall,
  keyPointer: number,
  keyLength: number,
): Uint8Array | undefined {
  const { session } = call;
  const keyBytes = readGuest(call, keyPointer, keyLength);
  // A key longer than the whole input is none of its keys.
  if (keyBytes.length > session.input.length) return undefined;
  const key = tryDecodeUtf8(keyBytes);
  return key === undefined ? undefined : lookUp(session, key);
}

function lookUp(session: Session, key: string): Uint8Array | undefined {
  session.context ??= readContext(session.input);
  const known = session.contextTexts.get(key);
  if (known !== undefined || !Object.hasOwn(session.context, key)) return known;
  const text = canonicalBytes(session.context[key]);
  session.contextTexts.set(key, text);
  return text;
}

function readContext(input: Uint8Array): JsonObject {
  const document = parseJson(input, 'the input');
  const context = isJsonObject(document) ? document.context : undefined;
  return isJsonObject(context) ? context : {};
}
