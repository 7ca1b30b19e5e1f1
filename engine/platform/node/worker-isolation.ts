import type { ResourceLimits } from 'node:worker_threads';
import type { ExecuteOptions, Isolation } from '../../runtime/isolation.ts';
import { type Job, type JobContents, openJob } from '../../runtime/job.ts';
import { cancelled, hostCrashed, settle, timedOut } from '../../runtime/settle.ts';
import type { Outcome, Phase, RunLimits } from '../../runtime/types.ts';
import { receiveEnded } from '../../runtime/wire.ts';
import { startWorker, type WorkerEvent, type WorkerThread } from './worker-thread.ts';

export interface WorkerIsolationOptions {
  /** The bundled `executor-host.js`, whose source is `worker-main.ts`. */
  readonly script: URL;
  /** Bounds of the worker's own heap and stack; guests' memories are bounded by their limits. */
  readonly resourceLimits?: ResourceLimits;
}

const RESOURCE_LIMITS: ResourceLimits = Object.freeze({
  maxOldGenerationSizeMb: 512,
  maxYoungGenerationSizeMb: 32,
  stackSizeMb: 4,
});

interface Turn {
  readonly begin: () => Promise<void>;
  readonly cancel: () => void;
}

/**
 * Runs guests in a worker thread, which the wall clock or a signal can end at any instruction. The
 * worker is started ahead and used again; one that was ended, was lost, or answered nonsense is
 * replaced. Jobs take turns, and the clock of each starts with its turn.
 */
export function createWorkerIsolation({
  script,
  resourceLimits = RESOURCE_LIMITS,
}: WorkerIsolationOptions): Isolation {
  const waiting: Turn[] = [];
  const ending = new Set<Promise<void>>();
  let current: WorkerThread | undefined = startWorker(script, resourceLimits);
  let running: AbortController | undefined;
  let closed = false;

  const takeThread = (): WorkerThread => {
    if (current === undefined || current.isLost) current = startWorker(script, resourceLimits);
    return current;
  };

  /** Ends a thread; another is started ahead, unless this one never came up. */
  const replace = (thread: WorkerThread) => {
    const end = thread.terminate().finally(() => ending.delete(end));
    ending.add(end);
    if (current === thread) {
      current = thread.isReady && !closed ? startWorker(script, resourceLimits) : undefined;
    }
  };

  const take = async (contents: JobContents, options: ExecuteOptions): Promise<Outcome> => {
    const abort = new AbortController();
    running = abort;
    try {
      const signals = options.signal ? [abort.signal, options.signal] : [abort.signal];
      const thread = takeThread();
      const end = await executeOn(thread, contents, options.timeoutMs, AbortSignal.any(signals));
      const { outcome, reusable } = conclude(end, contents.limits);
      if (!reusable) replace(thread);
      return outcome;
    } finally {
      running = undefined;
    }
  };

  const next = () => {
    if (running !== undefined) return;
    void waiting.shift()?.begin().then(next);
  };

  return Object.freeze({
    mode: 'worker',
    execute: async (job: Job, options: ExecuteOptions) => {
      const contents = openJob(job);
      if (closed) throw new Error('this isolation is closed');
      if (options.signal?.aborted) return cancelled(contents.limits);
      return new Promise<Outcome>((resolve, reject) => {
        const cancel = () => {
          const place = waiting.indexOf(turn);
          if (place >= 0) waiting.splice(place, 1);
          resolve(cancelled(contents.limits));
        };
        const begin = () => {
          options.signal?.removeEventListener('abort', cancel);
          return take(contents, options).then(resolve, reject);
        };
        const turn: Turn = { begin, cancel };
        options.signal?.addEventListener('abort', cancel, { once: true });
        waiting.push(turn);
        next();
      });
    },
    close: async () => {
      closed = true;
      for (const turn of [...waiting]) turn.cancel();
      running?.abort();
      if (current !== undefined) replace(current);
      await Promise.all(ending);
    },
  } satisfies Isolation);
}

/** What ended the execution of a job on a thread, and the phases that had been completed. */
type End = Cause & { readonly completed: readonly Phase[] };

type Cause =
  | Exclude<WorkerEvent, { readonly kind: 'ready' }>
  | { readonly kind: 'timeout' }
  | { readonly kind: 'cancelled' };

/** Executes a job on a thread, to the first of: its answer, its loss, the clock, the signal. */
function executeOn(
  thread: WorkerThread,
  contents: JobContents,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<End> {
  return new Promise((resolve) => {
    let clock: NodeJS.Timeout | undefined;
    const finish = (cause: Cause) => {
      clearTimeout(clock);
      signal.removeEventListener('abort', onAbort);
      thread.listen(undefined);
      resolve({ ...cause, completed: thread.completed() });
    };
    const onAbort = () => finish({ kind: 'cancelled' });
    const begin = () => {
      clock = setTimeout(() => finish({ kind: 'timeout' }), timeoutMs);
      thread.post(contents);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    thread.listen((event) => (event.kind === 'ready' ? begin() : finish(event)));
    if (thread.isReady) begin();
  });
}

/** The outcome of a job, and whether its thread can take another. */
function conclude(
  end: End,
  limits: RunLimits,
): { readonly outcome: Outcome; readonly reusable: boolean } {
  const { completed } = end;
  switch (end.kind) {
    case 'cancelled':
      return { outcome: cancelled(limits, completed), reusable: false };
    case 'timeout':
      return { outcome: timedOut(limits, completed), reusable: false };
    case 'lost':
      return { outcome: hostCrashed(end.reason, limits, completed), reusable: false };
    case 'answer': {
      const ended = receiveEnded(end.message, limits);
      if (ended !== undefined) return { outcome: settle(ended, limits), reusable: true };
      const reason = 'it answered something that is no end of a run';
      return { outcome: hostCrashed(reason, limits, completed), reusable: false };
    }
  }
}
