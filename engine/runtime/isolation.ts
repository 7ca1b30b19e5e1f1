import { compileProgram } from './compile.ts';
import { execute } from './execute.ts';
import { type Job, openJob } from './job.ts';
import { cancelled, settle } from './settle.ts';
import type { Outcome } from './types.ts';

export interface ExecuteOptions {
  /** Wall clock, in milliseconds, from the moment the guest can start. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Where guests run. Every run gets a fresh instance and leaves nothing to the next. */
export interface Isolation {
  readonly mode: 'in-thread' | 'process';
  /**
   * Executes one job. Whatever the guest does, and whatever becomes of the place where it runs, is
   * an outcome.
   * @throws {AdmissionError} for a job that `createJob` did not make.
   */
  execute(job: Job, options: ExecuteOptions): Promise<Outcome>;
  /** Ends what still runs, as cancelled, and lets go of all resources. */
  close(): Promise<void>;
}

/**
 * Runs on the caller's own thread, for tests and for executors that are trusted to end: neither the
 * wall clock nor a signal can stop what has begun.
 */
export const inThread: Isolation = Object.freeze({
  mode: 'in-thread',
  execute: async (job: Job, { signal }: ExecuteOptions) => {
    const contents = openJob(job);
    if (signal?.aborted) return cancelled(contents.limits);
    return settle(execute(contents, compileProgram(contents.program)), contents.limits);
  },
  close: async () => {},
} satisfies Isolation);
