import { InputError, type InputErrorCode } from '../encoding/input-error.ts';
import { type AdmittedContents, type AdmittedExecutor, openAdmitted } from '../gate/admit.ts';
import { FUEL_SCHEDULE } from '../metering/costs.ts';
import { instrument, type MeteredModule } from '../metering/instrument.ts';
import { unsaveable } from '../metering/saveable.ts';
import { type Binding, bindImports } from './bindings.ts';
import { type MemoryProfile, PROFILE_PAGES } from './profiles.ts';
import type { RunProblem } from './types.ts';

/** How a module is made ready to run. Each way is another program. */
export interface ProgramSettings {
  /** Fixes the memory's size; the memory may grow to its limit unless given. */
  readonly memoryProfile?: MemoryProfile | undefined;
  /** Whether the globals and the memory can be saved and restored. */
  readonly stateful?: boolean;
}

/** What running a program needs to know of it, beside its bytes: small, plain data. */
export type ProgramFacts = Pick<
  MeteredModule,
  | 'meter'
  | 'start'
  | 'fixedMemory'
  | 'initialPages'
  | 'initialElements'
  | 'instantiationFuel'
  | 'state'
> & {
  /** What each of its imports is linked to. */
  readonly bindings: readonly Binding[];
};

/** A metered module of an admitted executor. Its bytes cannot be changed by who has it. */
export interface Program extends ProgramFacts {
  /** Equal for equal bytes and bindings only. */
  readonly id: string;
  /** A copy, each time, of the metered module. */
  readonly copyBytes: () => Uint8Array<ArrayBuffer>;
}

/** A program, with what is asked about it afterwards. */
export interface PreparedProgram {
  readonly program: Program;
  /** The offset, in the module as it was admitted, of what is at an offset of the program. */
  readonly originalOffset: (offset: number) => number | undefined;
  /** Floating-point instructions whose NaNs had to be made canonical. */
  readonly canonicalised: number;
}

// An executor's programs live as long as it does: metering is done once.
const prepared = new WeakMap<AdmittedExecutor, Map<string, PreparedProgram | RunProblem>>();

/**
 * Makes an admitted executor's module ready to run (DESIGN 7): linked, metered, and in the determinism
 * profile; or says why it cannot be run here (`unlisted-import`, `host-function-missing`,
 * `nondeterministic`, `memory-profile`, `state-not-saveable`, `cannot-be-metered`). Done once for each
 * executor and settings.
 * @throws {AdmissionError} as `openAdmitted`.
 */
export function prepareProgram(
  executor: AdmittedExecutor,
  settings: ProgramSettings = {},
): PreparedProgram | RunProblem {
  const contents = openAdmitted(executor);
  const programs = prepared.get(executor) ?? new Map<string, PreparedProgram | RunProblem>();
  prepared.set(executor, programs);
  const key = `${settings.memoryProfile ?? 'growing'} ${settings.stateful ?? false}`;
  const known = programs.get(key);
  if (known !== undefined) return known;
  const made = prepare(executor, contents, settings, key);
  programs.set(key, made);
  return made;
}

function prepare(
  { artifactHash, whitelistHash, tier }: AdmittedExecutor,
  { copyBytes, imports, whitelist }: AdmittedContents,
  { memoryProfile, stateful = false }: ProgramSettings,
  key: string,
): PreparedProgram | RunProblem {
  const bindings = bindImports(imports, whitelist, tier);
  if ('code' in bindings) return bindings;
  try {
    const metered = meter(copyBytes(), memoryProfile, stateful);
    const { bytes, positions, canonicalised, nondeterministic: _, ...facts } = metered;
    const id = [artifactHash, whitelistHash, tier, FUEL_SCHEDULE, key].join(' ');
    return {
      program: Object.freeze({ id, ...facts, bindings, copyBytes: () => bytes.slice() }),
      originalOffset: (offset) => positions.toOriginal(offset),
      canonicalised,
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { code: REFUSALS[error.code] ?? 'cannot-be-metered', message: error.message };
  }
}

const REFUSALS: Readonly<Partial<Record<InputErrorCode, string>>> = Object.freeze({
  nondeterministic: 'nondeterministic',
  'not-saveable': 'state-not-saveable',
  usage: 'memory-profile',
});

/**
 * @throws {InputError} as `instrument`: `nondeterministic` for a module that the determinism profile
 *   refuses, `too-large`, `usage` for a memory profile that does not fit, `not-saveable` for state that
 *   cannot be saved, `invalid-module`.
 */
function meter(
  bytes: Uint8Array,
  memoryProfile: MemoryProfile | undefined,
  stateful: boolean,
): MeteredModule {
  const problem = stateful ? unsaveable(bytes) : undefined;
  if (problem !== undefined) throw notSaveable(problem);
  const metered = instrument(bytes, {
    canonicalNaN: true,
    state: stateful,
    ...(memoryProfile !== undefined && { fixedPages: PROFILE_PAGES[memoryProfile] }),
  });
  if (metered.nondeterministic !== undefined) throw refusal(metered.nondeterministic);
  return metered;
}

function notSaveable(why: string): InputError {
  return new InputError('not-saveable', `the module's state cannot be saved: ${why}`);
}

/** What the determinism profile refuses (DESIGN 7). */
function refusal(what: string): InputError {
  return new InputError(
    'nondeterministic',
    `the module has ${what}: it could give another result on another machine, so it is not run`,
  );
}
