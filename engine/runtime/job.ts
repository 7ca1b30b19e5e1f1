import { AdmissionError, type AdmittedExecutor, openAdmitted } from '../gate/admit.ts';
import {
  type Program,
  type ProgramFacts,
  type ProgramSettings,
  prepareProgram,
} from './program.ts';
import type { RunLimits, RunProblem } from './types.ts';

/** Everything one run needs, as data that can cross to another thread or process. */
export interface JobContents {
  readonly program: Program;
  /** The input document, RFC 8785, UTF-8. */
  readonly input: Uint8Array;
  readonly limits: RunLimits;
  /** Name of the exported function that is called. */
  readonly entry: string;
  /** Present for a run whose state is saved when it ends. */
  readonly state?: StateJob;
}

/** Where a stateful run begins. */
export interface StateJob {
  /** The state that an earlier run of the same program left; the module's own initial one unless given. */
  readonly before: Uint8Array | undefined;
}

/** What the guest's side gets of a job: the program's module is compiled there. */
export type GuestJob = Omit<JobContents, 'program'> & { readonly program: ProgramFacts };

// Only this file holds the key that lets the constructor pass, and the function that opens a job.
const MAKER = Symbol('job');
let open: (job: SealedJob) => JobContents;

class SealedJob {
  readonly #executor: AdmittedExecutor;
  readonly #contents: JobContents;

  constructor(maker: symbol, executor: AdmittedExecutor, contents: JobContents) {
    if (maker !== MAKER || new.target !== SealedJob) {
      throw new AdmissionError('a job is made of an executor that the gate admitted only');
    }
    this.#executor = executor;
    this.#contents = contents;
    Object.freeze(this);
  }

  static {
    Object.freeze(SealedJob.prototype);
    open = (job) => {
      if (typeof job !== 'object' || job === null || !(#contents in job)) {
        throw new AdmissionError('this is not a job made of an executor that the gate admitted');
      }
      openAdmitted(job.#executor); // a job may have waited while its admission was dropped
      return job.#contents;
    };
  }
}

/**
 * One run of an admitted executor, sealed: it is made of an {@link AdmittedExecutor} only, so that
 * whoever is asked to execute one runs nothing the gate has not seen.
 */
export type Job = SealedJob;

/** What of a job its caller decides. */
export type JobRequest = Pick<JobContents, 'input' | 'limits' | 'entry' | 'state'> & {
  readonly settings: ProgramSettings;
};

/**
 * Makes the job of one run, or says as `prepareProgram` why the executor cannot be run here.
 * @throws {AdmissionError} as `openAdmitted`.
 */
export function createJob(
  executor: AdmittedExecutor,
  { settings, ...about }: JobRequest,
): Job | RunProblem {
  const prepared = prepareProgram(executor, settings);
  if (!('program' in prepared)) return prepared;
  return new SealedJob(MAKER, executor, { ...about, program: prepared.program });
}

/**
 * Opens a job, for the isolation that executes it.
 * @throws {AdmissionError} for an object that {@link createJob} did not make, or whose executor is no
 * longer admitted.
 */
export function openJob(job: Job): JobContents {
  return open(job);
}

export function isJob(value: Job | RunProblem): value is Job {
  return value instanceof SealedJob;
}
