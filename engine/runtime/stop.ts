import type { RunProblem, RunStatus } from './types.ts';

/** How the guest's part of a run can end before its time. */
export type StopStatus = Extract<
  RunStatus,
  | 'trap'
  | 'out-of-fuel'
  | 'memory-limit'
  | 'output-limit'
  | 'log-limit'
  | 'directive-limit'
  | 'call-depth'
>;

/** Why the guest did not run to its end: plain data. */
export interface Stop {
  readonly status: StopStatus;
  readonly problem: RunProblem;
}

/** Thrown by host functions to end the run, through the guest's frames. */
export class HostStop extends Error {
  override readonly name = 'HostStop';
  readonly status: StopStatus;
  readonly code: string;

  constructor(status: StopStatus, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** A {@link HostStop} of status `trap`. */
export function hostTrap(code: string, message: string): HostStop {
  return new HostStop('trap', code, message);
}

/** A {@link HostStop} whose code is the status of the limit that was reached. */
export function limitReached(status: Exclude<StopStatus, 'trap'>, message: string): HostStop {
  return new HostStop(status, status, message);
}
