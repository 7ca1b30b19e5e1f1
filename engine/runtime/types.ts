import type { JsonObject, JsonValue } from '../encoding/json.ts';

/** What an executor asks the host to do, as data: `type` is the directive's tag (REFERENCE 2). */
export interface Directive extends JsonObject {
  readonly type: string;
}

/** How a run ended, as the runtime alone can tell. Governance adds `denied`, admission `not-admitted`. */
export const RUN_STATUSES = Object.freeze([
  'ok',
  'error',
  'trap',
  'out-of-fuel',
  'memory-limit',
  'output-limit',
  'log-limit',
  'directive-limit',
  'call-depth',
  'timeout',
  'cancelled',
] as const);

export type RunStatus = (typeof RUN_STATUSES)[number];

export interface RunLimits {
  readonly fuel: number;
  /** Pages of 64 KiB. */
  readonly memoryPages: number;
  /** Bytes of the output document, checked before it is decoded. */
  readonly outputBytes: number;
  /** Bytes of all log messages together. */
  readonly logBytes: number;
  /** Directives from constructors and output together. */
  readonly directives: number;
  /** Elements of all tables together. */
  readonly tableElements: number;
  /** Call depth: bytes of call stack, as the functions' own types and operands count them. */
  readonly stackBytes: number;
  /** Wall clock, in milliseconds: the last resort, never a deterministic result. */
  readonly timeoutMs: number;
}

export const DEFAULT_LIMITS: RunLimits = Object.freeze({
  fuel: 50_000_000,
  memoryPages: 1024,
  outputBytes: 10_485_760,
  logBytes: 1_048_576,
  directives: 1_000,
  tableElements: 1_000_000,
  stackBytes: 655_360,
  timeoutMs: 10_000,
});

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
}

/** Why a run that did not end `ok` ended. Never a stack trace of the host. */
export interface RunProblem {
  /** Kebab-case, stable: `unreachable`, `memory-out-of-bounds`, `invalid-output`, `unlisted-import`, … */
  readonly code: string;
  readonly message: string;
  /** Name of the trapping function, from the module's `name` section. */
  readonly function?: string;
  /** Byte offset in the original module. */
  readonly offset?: number;
}

/** The phases of a run, in order; `completed` of an outcome is a prefix of them. */
export type Phase = 'gate' | 'instantiate' | 'plan' | 'govern' | 'record';

/** What one run gave. */
export interface Outcome {
  readonly status: RunStatus;
  /** The `result` of the output document; `null` unless the status is `ok`. */
  readonly result: JsonValue;
  /** Those of the constructors in call order, then those of the output document. Empty unless `ok`. */
  readonly directives: readonly Directive[];
  readonly logs: readonly LogEntry[];
  readonly problem?: RunProblem;
  /** The exact bytes the executor handed to `set_output`, if any within the limit. */
  readonly output: Uint8Array | undefined;
  /** `used` is null where it does not depend on the input alone: `timeout`, `cancelled`, a lost host. */
  readonly fuel: { readonly limit: number; readonly used: number | null };
  /** Phases completed by the runtime: some prefix of `gate`, `instantiate`, `plan`. */
  readonly completed: readonly Phase[];
  /** What a stateful run that ended `ok` leaves to the next, as `captureState` saves it. */
  readonly state?: Uint8Array;
}
