import {
  createProcessIsolation,
  type ProcessIsolation,
} from '../engine/platform/node/process-isolation.ts';

/** Runs guests in `size` processes of their own, as many at once. */
export function createExecutorPool(size: number): ProcessIsolation {
  return createProcessIsolation({ script: new URL('./executor-host.js', import.meta.url), size });
}
