import type { JobContents } from '../../runtime/job.ts';

/** What a worker is started with: one cell, in which it counts the completed phases of its run. */
export interface WorkerStart {
  readonly progress: Int32Array;
}

/** A worker's first message: it takes jobs from now on. */
export const READY = 'ready';

/** What a worker is sent, one at a time. It answers each with an `Ended`. */
export type WorkerJob = JobContents;
