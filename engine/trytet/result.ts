// Trytet's `TetExecutionResult` (github.com/bneb/trytet), made of what a run here gave.

import { canonicalJson } from '../encoding/json.ts';
import type { LogEntry, Outcome, RunStatus } from '../runtime/types.ts';

/** The kinds of crash that Trytet tells apart. */
export type TrytetErrorType =
  | 'unreachable'
  | 'security_violation'
  | 'memory_out_of_bounds'
  | 'integer_divide_by_zero'
  | 'indirect_call_type_mismatch'
  | 'stack_overflow'
  | 'null_reference'
  | 'unknown_trap'
  | 'EconomicViolation'
  | 'engine_spawn'
  | 'alias_not_found'
  | 'mesh_execution_failed';

export interface TrytetCrash {
  readonly error_type: TrytetErrorType;
  /** Byte offset in the module, where it is known. */
  readonly instruction_offset: number | null;
  readonly message: string;
}

export interface TrytetCrashed {
  readonly Crash: TrytetCrash;
}

/** `Migrated` and `Suspended`, which Trytet has too, never come of a run here. */
export type TrytetStatus = 'Success' | 'OutOfFuel' | 'MemoryExceeded' | TrytetCrashed;

export interface TrytetResult {
  /** A UUIDv8 of what was asked: equal requests have one id. */
  readonly tet_id: string;
  readonly status: TrytetStatus;
  readonly telemetry: {
    /** The output document in one line, canonical (RFC 8785), where there is one. */
    readonly stdout_lines: readonly string[];
    /** `level: message`, line by line. */
    readonly stderr_lines: readonly string[];
    /** KiB of memory that the module declares; what it grows to is not told. */
    readonly memory_used_kb: number;
  };
  /** Wall clock in microseconds, the only clock value in any document here. */
  readonly execution_duration_us: number;
  /** The whole limit where the runtime does not tell: never less than what was used. */
  readonly fuel_consumed: number;
  /** Empty: a pure module has no files. */
  readonly mutated_files: Readonly<Record<string, never>>;
}

/** What of a run its result is made of: an `Outcome`, or the `RunReport` of a governed run. */
export interface TrytetRun
  extends Pick<Outcome, 'result' | 'directives' | 'logs' | 'fuel' | 'problem'> {
  readonly status: RunStatus | 'denied';
}

/** What is told of a run besides its outcome. */
export interface TrytetAccount {
  readonly tet_id: string;
  /** KiB. */
  readonly memory_used_kb: number;
  /** Microseconds. */
  readonly execution_duration_us: number;
}

/** The result of a run that took place. */
export function trytetResult(run: TrytetRun, account: TrytetAccount): TrytetResult {
  return {
    tet_id: account.tet_id,
    status: statusOf(run),
    telemetry: {
      stdout_lines: outputLines(run),
      stderr_lines: run.logs.flatMap(logLines),
      memory_used_kb: account.memory_used_kb,
    },
    execution_duration_us: account.execution_duration_us,
    fuel_consumed: run.fuel.used ?? run.fuel.limit,
    mutated_files: {},
  };
}

/** The result of a request that was refused: nothing ran and nothing was used. */
export function refusedResult(tet_id: string, status: TrytetStatus): TrytetResult {
  return {
    tet_id,
    status,
    telemetry: { stdout_lines: [], stderr_lines: [], memory_used_kb: 0 },
    execution_duration_us: 0,
    fuel_consumed: 0,
    mutated_files: {},
  };
}

/**
 * The status of what crashed or was refused.
 * @param instruction_offset byte offset in the module, where it is known.
 */
export function crash(
  error_type: TrytetErrorType,
  message: string,
  instruction_offset: number | null = null,
): TrytetCrashed {
  return { Crash: { error_type, instruction_offset, message } };
}

function statusOf({ status, problem }: TrytetRun): TrytetStatus {
  if (status === 'ok' || status === 'error') return 'Success';
  if (status === 'out-of-fuel') return 'OutOfFuel';
  if (status === 'memory-limit') return 'MemoryExceeded';
  const error_type =
    status === 'trap' ? (TRAPS.get(problem?.code ?? '') ?? 'unknown_trap') : STOPS[status];
  const message = problem?.message ?? MESSAGES[status] ?? `the run ended: ${status}`;
  return crash(error_type, message, problem?.offset);
}

/** The nearest of Trytet's kinds for what ended a run that is no trap of the module. */
const STOPS: Readonly<
  Record<
    Exclude<TrytetRun['status'], 'ok' | 'error' | 'trap' | 'out-of-fuel' | 'memory-limit'>,
    TrytetErrorType
  >
> = {
  denied: 'security_violation',
  'output-limit': 'security_violation',
  'log-limit': 'security_violation',
  'directive-limit': 'security_violation',
  'call-depth': 'stack_overflow',
  timeout: 'unknown_trap',
  cancelled: 'unknown_trap',
};

const MESSAGES: Readonly<Partial<Record<TrytetRun['status'], string>>> = {
  denied: 'the policy denied a directive of the run',
};

/** The nearest of Trytet's kinds for each code of a trap; what is not here is an `unknown_trap`. */
const TRAPS: ReadonlyMap<string, TrytetErrorType> = new Map([
  ['unreachable', 'unreachable'],
  ['memory-out-of-bounds', 'memory_out_of_bounds'],
  ['table-out-of-bounds', 'memory_out_of_bounds'],
  ['array-out-of-bounds', 'memory_out_of_bounds'],
  ['host-bad-pointer', 'memory_out_of_bounds'],
  ['integer-divide-by-zero', 'integer_divide_by_zero'],
  ['indirect-call-type-mismatch', 'indirect_call_type_mismatch'],
  ['null-function', 'null_reference'],
  ['null-reference', 'null_reference'],
  ['stack-overflow', 'stack_overflow'],
  ['unlisted-import', 'security_violation'],
  ['host-function-missing', 'engine_spawn'],
  ['link-error', 'engine_spawn'],
  ['missing-memory', 'engine_spawn'],
  ['missing-entry', 'engine_spawn'],
  ['shared-memory', 'engine_spawn'],
  ['host-crashed', 'engine_spawn'],
  ['host-failure', 'engine_spawn'],
]);

function outputLines({ status, result, directives, problem }: TrytetRun): readonly string[] {
  if (status === 'error') {
    return [canonicalJson({ error: { message: problem?.message ?? '' } })];
  }
  const hasOutput = status === 'ok' || status === 'denied';
  return hasOutput ? [canonicalJson({ result, directives })] : [];
}

function logLines({ level, message }: LogEntry): readonly string[] {
  return message.split(/\r\n|[\r\n]/).map((line) => `${level}: ${line}`);
}
