import { InputError } from '../encoding/input-error.ts';
import { type AdmittedExecutor, openAdmitted } from '../gate/admit.ts';
import { FUEL_SCHEDULE } from '../metering/costs.ts';
import { instrument, type MeteredModule } from '../metering/instrument.ts';
import { unsaveable } from '../metering/saveable.ts';
import { type MemoryProfile, PROFILE_PAGES } from './profiles.ts';

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
>;

/** A metered module of an admitted executor. Its bytes cannot be changed by who has it. */
export interface Program extends ProgramFacts {
  /** Equal for equal bytes only. */
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
const prepared = new WeakMap<AdmittedExecutor, Map<string, PreparedProgram>>();

/**
 * Makes an admitted executor's module ready to run (DESIGN 7): metered, and in the determinism
 * profile. Done once for each executor and settings.
 * @throws {AdmissionError} as `openAdmitted`.
 * @throws {InputError} as `instrument`: `nondeterministic` for a module that the determinism profile
 *   refuses, `too-large`, `usage` for a memory profile that does not fit, `not-saveable` for state that
 *   cannot be saved, `invalid-module`.
 */
export function prepareProgram(
  executor: AdmittedExecutor,
  { memoryProfile, stateful = false }: ProgramSettings = {},
): PreparedProgram {
  const { copyBytes } = openAdmitted(executor);
  const programs = prepared.get(executor) ?? new Map<string, PreparedProgram>();
  prepared.set(executor, programs);
  const id = [executor.artifactHash, FUEL_SCHEDULE, memoryProfile ?? 'growing', stateful].join(' ');
  const known = programs.get(id);
  if (known !== undefined) return known;
  const bytesGiven = copyBytes();
  const problem = stateful ? unsaveable(bytesGiven) : undefined;
  if (problem !== undefined) throw notSaveable(problem);
  const metered = instrument(bytesGiven, {
    canonicalNaN: true,
    state: stateful,
    ...(memoryProfile !== undefined && { fixedPages: PROFILE_PAGES[memoryProfile] }),
  });
  const { bytes, positions, canonicalised, nondeterministic, ...facts } = metered;
  if (nondeterministic !== undefined) throw refusal(nondeterministic);
  const made: PreparedProgram = {
    program: Object.freeze({ id, ...facts, copyBytes: () => bytes.slice() }),
    originalOffset: (offset) => positions.toOriginal(offset),
    canonicalised,
  };
  programs.set(id, made);
  return made;
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
