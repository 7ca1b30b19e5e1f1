import { Worker } from 'node:worker_threads';
import type { Job, JobFailure, JobResults, ThreadData } from './jobs.ts';
import type { Answer, Question } from './thread.ts';

/** Does jobs one after the other in a thread of its own. */
export interface Lane {
  /** Does a job, after those that came before it. Never rejects. */
  do<K extends Job['kind']>(job: Job & { readonly kind: K }): Promise<JobResults[K] | JobFailure>;
  /** Ends the thread; what was not done fails as `closed`. */
  close(): Promise<void>;
}

export interface LaneOptions {
  /** The thread's script. */
  readonly script: URL;
  readonly data: ThreadData;
  /** How long one job may take, in milliseconds; the thread is replaced after that. */
  readonly deadline: number;
  /** What the thread's heap may reach, in MiB. */
  readonly heap: number;
  /** After so many milliseconds without a job the thread ends, and gives its memory back. */
  readonly idle: number;
}

/** Whether a job has no result. */
export function isFailure(result: object): result is JobFailure {
  return 'failed' in result;
}

/** A job that waits, or is being done. */
interface Waiting {
  readonly job: Job;
  answer(result: Answer['result']): void;
}

/** Makes a lane. Its thread is started when the first job comes, and again after one that it did not survive. */
export function createLane({ script, data, deadline, heap, idle }: LaneOptions): Lane {
  const queue: Waiting[] = [];
  let current: (Waiting & { readonly id: number }) | undefined;
  let thread: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let nextId = 0;
  let isClosed = false;

  const startThread = (): Worker => {
    const worker = new Worker(script, {
      workerData: data,
      // Whatever a library prints stays here: the server's own output belongs to the protocol.
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: heap },
    });
    worker.stdout.resume();
    worker.stderr.resume();
    worker.on('message', ({ id, result }: Answer) => {
      if (worker !== thread || id !== current?.id) return;
      // What went wrong in a way that nobody foresaw may go wrong again in the same thread.
      if (isFailure(result) && result.failed === 'crashed') {
        thread = undefined;
        void worker.terminate();
      }
      finish(result);
    });
    worker.on('error', ({ message }) => lose(worker, { failed: 'crashed', message }));
    worker.on('exit', () => lose(worker, { failed: 'crashed', message: 'the analysis ended' }));
    worker.unref();
    return worker;
  };

  /** The thread is gone: its job has no result, and the next one gets a new thread. */
  const lose = (worker: Worker, result: JobFailure): void => {
    if (worker !== thread) return;
    thread = undefined;
    if (current !== undefined) finish(result);
  };

  const giveUp = (): void => {
    const worker = thread;
    thread = undefined;
    const seconds = Math.round(deadline / 1000);
    finish({ failed: 'timeout', message: `not analysed: it took more than ${seconds} s` });
    void worker?.terminate();
  };

  const rest = (): void => {
    const worker = thread;
    thread = undefined;
    void worker?.terminate();
  };

  const finish = (result: Answer['result']): void => {
    const done = current;
    current = undefined;
    clearTimeout(timer);
    timer = setTimeout(rest, idle).unref();
    done?.answer(result);
    next();
  };

  const next = (): void => {
    if (current !== undefined || isClosed) return;
    const waiting = queue.shift();
    if (waiting === undefined) return;
    const id = nextId++;
    current = { ...waiting, id };
    thread ??= startThread();
    clearTimeout(timer);
    timer = setTimeout(giveUp, deadline).unref();
    const question: Question = { id, job: waiting.job };
    thread.postMessage(question);
  };

  return {
    do: (job) =>
      new Promise((resolve) => {
        if (isClosed) {
          resolve(CLOSED);
          return;
        }
        // The thread answers a job with what that kind of job is answered with.
        const answer: Waiting['answer'] = (result) =>
          resolve(result as JobResults[typeof job.kind]);
        queue.push({ job, answer });
        next();
      }),
    async close() {
      isClosed = true;
      clearTimeout(timer);
      const worker = thread;
      thread = undefined;
      const left = current === undefined ? queue.splice(0) : [current, ...queue.splice(0)];
      current = undefined;
      for (const { answer } of left) answer(CLOSED);
      await worker?.terminate();
    },
  };
}

const CLOSED: JobFailure = Object.freeze({ failed: 'closed', message: 'the server ends' });
