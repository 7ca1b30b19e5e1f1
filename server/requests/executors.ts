import {
  createProcessIsolation,
  type ProcessIsolation,
} from '../../engine/platform/node/process-isolation.ts';
import { cancelled } from './failures.ts';

/** Where the executors of a session run: a process that is started when it is first needed. */
export interface Executors {
  /**
   * Does something with the process, one run after the other.
   * @param use is told of the end by a signal.
   * @throws {RequestError} `cancelled` once it is closed; and whatever `use` throws.
   */
  use<T>(use: (isolation: ProcessIsolation, signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Ends what runs, as cancelled, and the process. */
  close(): Promise<void>;
}

/** How long a run that was ended may take to leave its receipt, in milliseconds. */
const GRACE_MS = 1_000;

/** @param script the bundled script of the executors' process. */
export function createExecutors(script: URL): Executors {
  const end = new AbortController();
  const running = new Set<Promise<unknown>>();
  let isolation: ProcessIsolation | undefined;
  return {
    async use(use) {
      if (end.signal.aborted) throw cancelled();
      isolation ??= createProcessIsolation({ script });
      const run = use(isolation, end.signal);
      running.add(run);
      try {
        return await run;
      } finally {
        running.delete(run);
      }
    },
    async close() {
      end.abort();
      await isolation?.close();
      const left = Promise.allSettled(running);
      await Promise.race([left, new Promise((over) => setTimeout(over, GRACE_MS).unref())]);
    },
  };
}
