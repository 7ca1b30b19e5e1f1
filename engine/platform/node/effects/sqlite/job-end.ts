import type { Failure } from './job.ts';

export interface JobBounds {
  readonly signal: AbortSignal;
  /** For all of it: waiting for a turn, for the lock, and the job. */
  readonly timeoutMs: number;
}

/** The end that a job comes to if it is not done before: its time is up, or nobody wants it any more. */
export class JobEnd {
  /** Resolves when the end is reached, if it is. */
  readonly reached: Promise<Failure>;
  /** Why it ended; `undefined` before that. */
  failure: Failure | undefined;
  /** Whether a statement is under way, and not only waited for. */
  isRunning = false;
  readonly #deadline: number;
  readonly #timer: NodeJS.Timeout;
  readonly #signal: AbortSignal;
  readonly #cancel: () => void;

  constructor({ signal, timeoutMs }: JobBounds) {
    const { promise, resolve } = withResolvers<Failure>();
    const end = (failure: Failure) => {
      this.failure ??= failure;
      resolve(this.failure);
    };
    this.reached = promise;
    this.#deadline = performance.now() + timeoutMs;
    this.#timer = setTimeout(() => end(this.isRunning ? tooLong(timeoutMs) : BUSY), timeoutMs);
    this.#signal = signal;
    this.#cancel = () => end(CANCELLED);
    signal.addEventListener('abort', this.#cancel, { once: true });
    if (signal.aborted) this.#cancel();
  }

  /** Milliseconds that are left. */
  left(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  /** The job is done: it comes to no end any more. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#signal.removeEventListener('abort', this.#cancel);
  }
}

export const BUSY: Failure = Object.freeze({
  failed: 'busy',
  message: 'others were using the file all the time; nothing was done',
});

const CANCELLED: Failure = Object.freeze({ failed: 'cancelled', message: 'it was cancelled' });

function tooLong(timeoutMs: number): Failure {
  return { failed: 'timeout', message: `it took longer than ${timeoutMs} ms, and was cut off` };
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
