import { readFile } from 'node:fs/promises';
import { InputError } from '../../encoding/input-error.ts';
import { type LaunchOptions, type LaunchPlan, planLaunch } from './process-launch.ts';
import type { ProcessLayers } from './process-layers.ts';

/** What it takes to start processes of one bundle. */
export interface PreparedBundle {
  readonly plan: LaunchPlan;
  /** The text of the bundle, which comes to its process on the standard input. */
  readonly source: Uint8Array;
  /** All that will hold the processes: see `barsFiles`. */
  readonly layers: ProcessLayers;
}

/**
 * Reads a bundle, and finds out how its processes are started on this machine.
 * @param what runs in the process, in the plural, for the message: `executors`.
 * @throws {InputError} `unreadable` for a bundle that cannot be read.
 */
export async function prepareBundle(
  script: URL,
  what: string,
  launch: LaunchOptions = {},
): Promise<PreparedBundle> {
  const [plan, source] = await Promise.all([planLaunch(launch), readScript(script, what)]);
  return { plan, source, layers: Object.freeze({ ...plan.layers, ...plan.restrict?.layers }) };
}

async function readScript(script: URL, what: string): Promise<Uint8Array> {
  try {
    return await readFile(script);
  } catch (cause) {
    const message = `${script.pathname}: the script of the ${what}' process cannot be read; build it, or install it again`;
    throw new InputError('unreadable', message, { cause });
  }
}
