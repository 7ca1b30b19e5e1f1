/** Work that was not waited for any longer. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code: 'timeout' | 'cancelled';

  constructor(code: 'timeout' | 'cancelled', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * Waits for work until `signal` aborts or `timeoutMs` milliseconds are over, whatever the work does.
 * @param work gets a signal that aborts when it is not waited for any longer.
 * @throws {Interrupted} then; else what the work rejects with.
 */
export function withDeadline<T>(
  signal: AbortSignal,
  timeoutMs: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal.aborted) return Promise.reject(cancelled());
  return new Promise((resolve, reject) => {
    const controller = new AbortController();
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
    };
    const interrupt = (interruption: Interrupted) => {
      settle();
      reject(interruption);
      controller.abort(interruption);
    };
    const cancel = () => interrupt(cancelled());
    const timer = setTimeout(() => interrupt(timedOut(timeoutMs)), timeoutMs);
    signal.addEventListener('abort', cancel, { once: true });
    work(controller.signal).then(resolve, reject).finally(settle);
  });
}

function cancelled(): Interrupted {
  return new Interrupted('cancelled', 'the effect was cancelled');
}

function timedOut(timeoutMs: number): Interrupted {
  const limit = timeoutMs.toLocaleString('en');
  return new Interrupted('timeout', `the effect took longer than ${limit} ms`);
}
