import { type ResourceLimits, Worker } from 'node:worker_threads';
import type { JobContents } from '../../runtime/job.ts';
import type { Phase } from '../../runtime/types.ts';
import { GUEST_PHASES } from '../../runtime/wire.ts';
import { READY, type WorkerJob, type WorkerStart } from './worker-protocol.ts';

/** What a worker says: it is up, it answers, or it is gone. */
export type WorkerEvent =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly message: unknown }
  | { readonly kind: 'lost'; readonly reason: string };

/** One worker thread that executes jobs, one at a time. */
export interface WorkerThread {
  readonly isReady: boolean;
  readonly isLost: boolean;
  /** Hands over a job; its answer comes to the listener. */
  post(job: JobContents): void;
  /** Who hears of the worker while it has a job; without one, the worker keeps no process alive. */
  listen(listener: ((event: WorkerEvent) => void) | undefined): void;
  /** The phases that the current job has completed. */
  completed(): readonly Phase[];
  /** Ends the thread, in the middle of whatever it does. */
  terminate(): Promise<void>;
}

/** Starts a worker with an empty environment, no input, and an output that reaches nobody. */
export function startWorker(script: URL, resourceLimits: ResourceLimits): WorkerThread {
  const progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const worker = new Worker(script, {
    env: {},
    argv: [],
    // No loader, inspector or flag of the parent's; no native addon in the thread.
    execArgv: ['--no-addons', '--no-warnings'],
    stdin: false,
    // Taken away from the parent's and never read: reading them would keep the process alive.
    stdout: true,
    stderr: true,
    resourceLimits,
    workerData: { progress } satisfies WorkerStart,
  });

  let listener: ((event: WorkerEvent) => void) | undefined;
  let isReady = false;
  let isLost = false;
  const lose = (reason: string) => {
    if (isLost) return;
    isLost = true;
    listener?.({ kind: 'lost', reason });
  };

  worker.on('message', (message: unknown) => {
    if (isReady) {
      listener?.({ kind: 'answer', message });
    } else if (message === READY) {
      isReady = true;
      listener?.({ kind: 'ready' });
    }
  });
  worker.on('messageerror', () => lose('its answer could not be read'));
  worker.on('error', (error: unknown) => lose(describe(error)));
  worker.on('exit', (code) => lose(`it exited with code ${code}`));
  // Only now: a listener for messages makes a worker keep the process alive.
  worker.unref();

  return {
    get isReady() {
      return isReady;
    },
    get isLost() {
      return isLost;
    },
    post: (job) => {
      Atomics.store(progress, 0, 1);
      worker.postMessage(job satisfies WorkerJob);
    },
    listen: (next) => {
      listener = next;
      if (next === undefined) worker.unref();
      else worker.ref();
    },
    completed: () => GUEST_PHASES.slice(0, Math.max(1, Atomics.load(progress, 0))),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : 'it threw something that is no error';
}
