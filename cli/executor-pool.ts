import {
  createProcessIsolation,
  type ProcessIsolation,
} from '../engine/platform/node/process-isolation.ts';

/** Runs guests in `size` processes of their own, as many at once, each sent so many runs `ahead`. */
export function createExecutorPool(size: number, ahead = 0): ProcessIsolation {
  const script = new URL('./executor-host.js', import.meta.url);
  return createProcessIsolation({ script, size, ahead });
}
