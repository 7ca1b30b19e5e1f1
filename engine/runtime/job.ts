import { AdmissionError, type AdmittedExecutor, openAdmitted } from '../gate/admit.ts';
import { type Binding, bindImports } from './bindings.ts';
import type { RunLimits, RunProblem } from './types.ts';

/** Everything one run needs, as data that a structured clone carries to another thread. */
export interface JobContents {
  readonly module: WebAssembly.Module;
  readonly bindings: readonly Binding[];
  /** The input document, RFC 8785, UTF-8. */
  readonly input: Uint8Array;
  readonly limits: RunLimits;
  /** Name of the exported function that is called. */
  readonly entry: string;
}

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

/**
 * Makes the job of one run, or says why the executor cannot be linked here (`unlisted-import`,
 * `host-function-missing`).
 * @throws {AdmissionError} as `openAdmitted`.
 */
export function createJob(
  executor: AdmittedExecutor,
  about: Pick<JobContents, 'input' | 'limits' | 'entry'>,
): Job | RunProblem {
  const { module, imports, whitelist } = openAdmitted(executor);
  const bindings = bindImports(imports, whitelist, executor.tier);
  if (!Array.isArray(bindings)) return bindings;
  return new SealedJob(MAKER, executor, { ...about, module, bindings });
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
