import { displayText } from '../encoding/display.ts';
import type { MeterStop } from '../metering/meter.ts';
import { outOfFuel } from './session.ts';
import { HostStop, type Stop, type StopStatus } from './stop.ts';
import type { RunLimits } from './types.ts';

/** V8's words for each trap of the core specification, with the code and words of this engine. */
const TRAPS: readonly (readonly [words: RegExp, code: string, message: string])[] = [
  [/^unreachable$/, 'unreachable', 'the executor reached an unreachable instruction: it gave up'],
  [/^divide by zero$/, 'integer-divide-by-zero', 'an integer was divided by zero'],
  [
    /^remainder by zero$/,
    'integer-divide-by-zero',
    'the remainder of a division by zero was asked',
  ],
  [
    /^divide result unrepresentable$/,
    'integer-overflow',
    'the quotient of two integers overflowed',
  ],
  [
    /^float unrepresentable in integer range$/,
    'invalid-conversion',
    'a number that no integer of the type can hold was converted to it',
  ],
  [
    /null function or function signature mismatch/,
    'indirect-call-type-mismatch',
    'an indirect call met an empty table element or a function of another type',
  ],
  [/^null function/, 'null-function', 'an empty function reference was called'],
  [
    /^dereferencing a null pointer$|^rethrowing null value$/,
    'null-reference',
    'a null reference was used',
  ],
  [/^illegal cast$/, 'illegal-cast', 'a reference was cast to a type that it does not have'],
  [/array/, 'array-out-of-bounds', 'an array was made too large or used beyond its end'],
  [
    /memory access out of bounds|data segment/,
    'memory-out-of-bounds',
    'a memory access was outside the memory',
  ],
  [
    /table index|table access|table initializer|element segment/,
    'table-out-of-bounds',
    'a table access was outside the table',
  ],
  [/unaligned/, 'unaligned-access', 'an atomic access was not aligned'],
];

/**
 * Describes whatever ended a run as data: the status, a stable code, words for a person, and where
 * the guest was. No text of the guest but the function's name gets in, and that one escaped.
 */
export function describeFailure(error: unknown): Stop {
  const { status, code, message } = classify(error);
  return { status, problem: { code, message, ...locate(error) } };
}

/** Describes an end that the meter brought about, with the place where the guest then was. */
export function describeMeterStop(stop: MeterStop, limits: RunLimits, error: unknown): Stop {
  const { status, code, message } = ofMeter(stop, limits);
  return { status, problem: { code, message, ...locate(error) } };
}

function ofMeter(stop: MeterStop, limits: RunLimits): Failure {
  switch (stop) {
    case 'out-of-fuel':
      return { status: stop, code: stop, message: outOfFuel(limits) };
    case 'call-depth': {
      const message = `the executor called functions deeper than ${limits.stackBytes} bytes of stack allow`;
      return { status: stop, code: stop, message };
    }
    case 'pages': {
      const message = `the executor asked for more memory than ${limits.memoryPages} pages of 64 KiB`;
      return { status: 'memory-limit', code: 'memory-limit', message };
    }
    case 'elements': {
      const message = `the executor asked for more than ${limits.tableElements} table elements`;
      return { status: 'memory-limit', code: 'table-limit', message };
    }
    case 'machine':
      return ALLOCATION_FAILED;
  }
}

const ALLOCATION_FAILED: Failure = Object.freeze({
  status: 'memory-limit',
  code: 'memory-allocation-failed',
  message: 'this machine could not provide the memory that the run needs',
});

/** Codes of ends that another machine might not have brought about. */
const OF_MACHINE: ReadonlySet<string> = new Set([
  'memory-allocation-failed',
  'table-allocation-failed',
  'stack-exhausted',
]);

/** Whether a run ended for want of something that this machine, not the run's limits, has too little of. */
export function isOfMachine({ problem }: Stop): boolean {
  return OF_MACHINE.has(problem.code);
}

interface Failure {
  readonly status: StopStatus;
  readonly code: string;
  readonly message: string;
}

function classify(error: unknown): Failure {
  if (error instanceof HostStop) return error;
  if (error instanceof WebAssembly.RuntimeError) return classifyTrap(error);
  if (error instanceof RangeError) return classifyRangeError(error);
  if (error instanceof WebAssembly.LinkError) {
    return trap('link-error', `the module does not link: ${displayText(error.message, 300)}`);
  }
  if (error instanceof WebAssembly.Exception) {
    return trap('uncaught-exception', 'the executor threw an exception that it did not catch');
  }
  return trap('unknown-trap', 'the run ended for a reason that this runtime does not know');
}

function classifyTrap(error: WebAssembly.RuntimeError): Failure {
  for (const [words, code, message] of TRAPS) {
    if (words.test(error.message)) return trap(code, message);
  }
  return trap('unknown-trap', `the executor trapped: ${displayText(error.message, 300)}`);
}

/** V8 reports an exhausted stack, and memories and tables it cannot make, as range errors. */
function classifyRangeError({ message }: RangeError): Failure {
  if (/call stack/.test(message)) {
    return {
      status: 'call-depth',
      code: 'stack-exhausted',
      message: "this machine's stack ended before the one that the run is allowed",
    };
  }
  if (/table/.test(message)) {
    return {
      status: 'memory-limit',
      code: 'table-allocation-failed',
      message: 'the module declares a table larger than this machine makes',
    };
  }
  if (/memory|allocation/i.test(message)) {
    return ALLOCATION_FAILED;
  }
  return trap('unknown-trap', 'the run ended for a reason that this runtime does not know');
}

function trap(code: string, message: string): Failure {
  return { status: 'trap', code, message };
}

/** What V8 prints for a frame of a module ends with the function's index and the byte offset. */
const FRAME_END = /wasm-function\[(\d+)\]:0x([0-9a-f]+)\)?$/;

/**
 * The innermost frame of the guest: the function's name (or `func[N]`) and the byte offset in the
 * module. Structured frames are read instead of the stack's text, in which a function's name, which
 * the module chooses, could pretend to be a frame. Nothing where the engine does not tell.
 */
function locate(error: unknown): { readonly function?: string; readonly offset?: number } {
  for (const site of callSites(error)) {
    const end = FRAME_END.exec(String(site));
    if (end === null) continue;
    const name = site.getFunctionName();
    return {
      function: name ? displayText(name) : `func[${end[1]}]`,
      offset: Number.parseInt(end[2] ?? '', 16),
    };
  }
  return {};
}

/** V8 formats a stack when it is first read, with whatever formatter is installed at that moment. */
function callSites(error: unknown): readonly NodeJS.CallSite[] {
  if (!(error instanceof Error)) return [];
  const formatter = Error.prepareStackTrace;
  let sites: readonly NodeJS.CallSite[] = [];
  try {
    Error.prepareStackTrace = (_, found) => {
      sites = found;
      return '';
    };
    void error.stack;
  } finally {
    Error.prepareStackTrace = formatter;
  }
  return sites;
}
