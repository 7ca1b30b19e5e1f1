/**
 * Tells once when an effect must end: its caller cancels it, at once where that has happened already, or
 * its time is over.
 * @param timeoutMs in milliseconds.
 * @returns what ends the watch; to be called when the effect is done.
 */
export function limitTime(
  signal: AbortSignal,
  timeoutMs: number,
  onEnd: (code: 'timeout' | 'cancelled') => void,
): () => void {
  const end = (code: 'timeout' | 'cancelled') => {
    release();
    onEnd(code);
  };
  const onAbort = () => end('cancelled');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  const release = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  return release;
}
