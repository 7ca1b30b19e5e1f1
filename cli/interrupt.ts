export interface Interrupt {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal;
  /** From here on Ctrl-C ends the process, as it would anyway. */
  end(): void;
}

/**
 * Waits for Ctrl-C, whose second press ends the process. Begins to wait before anything is said or
 * done that a person would answer with it.
 * @param onInterrupt is called at the first.
 */
export function waitForInterrupt(onInterrupt: () => void = () => {}): Interrupt {
  const abort = new AbortController();
  const stop = () => {
    onInterrupt();
    abort.abort();
  };
  process.once('SIGINT', stop);
  return { signal: abort.signal, end: () => process.removeListener('SIGINT', stop) };
}
