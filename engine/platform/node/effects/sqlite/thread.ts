import { Worker } from 'node:worker_threads';
import { displayText } from '../../../../encoding/display.ts';
import { InputError } from '../../../../encoding/input-error.ts';
import { errnoOf } from '../../receipt-store-files.ts';
import { withLock } from '../../receipt-store-lock.ts';
import type { Answer, Failure, Job, ThreadData } from './job.ts';
import { BUSY, type JobBounds, JobEnd } from './job-end.ts';
import { type SqliteScripts, scriptsOf } from './scripts.ts';

/** What SQLite's memory may come to in one thread, in bytes. */
const MEMORY_BYTES = 268_435_456;

/** What the thread's own heap may come to, in MiB: room for results, which are bounded as JSON. */
const HEAP_MIB = 512;

/** SQLite in a thread of its own, so that no statement can hold up or bring down this one. */
export interface SqliteThread {
  /**
   * Does a job, after those that came before it, while holding the lock `FILE.lock`. Never rejects.
   * What is cut off by `signal` or the time limit is undone when the file is next opened for writing;
   * it may have been done all the same, if it was done at that very moment.
   */
  run(job: Job, bounds: JobBounds): Promise<Answer>;
  /** Ends the thread; what was not done fails as `closed`. */
  close(): Promise<void>;
}

/** Makes a thread, which is started by the first job, and again after one that it did not survive. */
export function createSqliteThread(
  scripts: SqliteScripts = scriptsOf(import.meta.url),
): SqliteThread {
  let worker: Worker | undefined;
  /** Ends the job that the thread has, if it has one. */
  let settle: (answer: Answer) => void = () => {};
  let turn: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const start = (): Worker => {
    const data: ThreadData = { library: scripts.library.href, memoryBytes: MEMORY_BYTES };
    const started = new Worker(scripts.worker, {
      workerData: data,
      // Whatever a library prints stays here, and the thread learns nothing of this process.
      stdout: true,
      stderr: true,
      env: {},
      argv: [],
      ...(scripts.execArgv !== undefined && { execArgv: [...scripts.execArgv] }),
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    const lose = (failure: Failure) => {
      if (worker !== started) return;
      worker = undefined;
      settle(failure);
    };
    started.stdout.resume();
    started.stderr.resume();
    started.on('message', (answer: Answer) => settle(answer));
    started.on('error', (error) => lose(crashed(error)));
    started.on('exit', () => lose(CLOSED));
    started.unref();
    return started;
  };

  /** Does a job whose lock is held. Resolves when the thread has answered, or is no more. */
  const ask = (job: Job, end: JobEnd): Promise<Answer> =>
    new Promise((resolve) => {
      worker ??= start();
      const asked = worker;
      settle = resolve;
      void end.reached.then(() => asked.terminate());
      end.isRunning = true;
      asked.postMessage(job);
    });

  const doLocked = async (job: Job, end: JobEnd): Promise<Answer> => {
    if (end.failure !== undefined) return end.failure;
    try {
      return await withLock(`${job.file}.lock`, end.left(), async () => {
        if (isClosed) return CLOSED;
        return end.failure ?? (await ask(job, end));
      });
    } catch (error) {
      return lockFailure(error);
    }
  };

  return {
    run: async (job, bounds) => {
      if (isClosed) return CLOSED;
      const end = new JobEnd(bounds);
      const done = turn.then(() => doLocked(job, end));
      turn = done;
      try {
        return await Promise.race([done, end.reached]);
      } finally {
        end.clear();
      }
    },
    close: async () => {
      isClosed = true;
      await worker?.terminate();
      await turn;
    },
  };
}

const CLOSED: Failure = Object.freeze({ failed: 'closed', message: 'the run ends' });

function crashed(error: Error): Failure {
  if (errnoOf(error) === 'ERR_WORKER_OUT_OF_MEMORY') {
    return { failed: 'out-of-memory', message: 'the results take too much memory' };
  }
  const reason = displayText(error.message, 200);
  return { failed: 'crashed', message: `SQLite did not survive it (${reason})` };
}

function lockFailure(error: unknown): Failure {
  // Another process holds the lock; or another program does, whose lock is a folder.
  if (error instanceof InputError || errnoOf(error) === 'EISDIR') return BUSY;
  const reason = errnoOf(error) ?? 'unknown error';
  return {
    failed: 'file-failed',
    message: `its lock cannot be made in the folder of the database (${reason})`,
  };
}
