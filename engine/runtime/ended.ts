import type { Constructed } from './session.ts';
import type { Stop } from './stop.ts';
import type { LogEntry, Phase } from './types.ts';

/**
 * What the guest's side of a run left behind, before its output is read: plain data that crosses
 * from the thread or process where the guest ran. Its bytes and texts are still the guest's own.
 */
export interface Ended {
  /** Absent when the entry function returned and nothing had stopped the run. */
  readonly stop?: Stop;
  /** Null where it says nothing: the machine, not the guest, ended the run. */
  readonly fuelUsed: number | null;
  readonly output: Uint8Array | undefined;
  readonly constructed: readonly Constructed[];
  readonly logs: readonly LogEntry[];
  readonly completed: readonly Phase[];
  /** What a stateful run leaves to the next, as `captureState` saves it, where nothing stopped it. */
  readonly state?: Uint8Array;
}
