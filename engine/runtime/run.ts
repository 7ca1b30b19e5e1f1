import type { JsonValue } from '../encoding/json.ts';
import type { AdmittedExecutor } from '../gate/admit.ts';
import { inputBytes } from './input.ts';
import type { Isolation } from './isolation.ts';
import { createJob, isJob } from './job.ts';
import { checkLimits } from './limits.ts';
import { interrupted } from './settle.ts';
import type { Outcome, RunLimits } from './types.ts';

export interface RunRequest {
  /** `{ step_config?, context? }`, as {@link inputBytes} takes it. */
  readonly input: JsonValue;
  readonly limits: RunLimits;
  /** The exported function of type `() -> ()` to call: `plan` unless another is named. */
  readonly entry?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs an admitted executor once, on a fresh instance (DESIGN 7). However the run ends, and
 * whatever the executor does, the answer is an outcome.
 * @throws {AdmissionError} for an object the gate did not make, or an admission that no longer holds.
 * @throws {InputError} `invalid-json` for an input that is no input document.
 * @throws {RangeError} for a limit that is not a whole number.
 */
export async function runExecutor(
  executor: AdmittedExecutor,
  { input, limits, entry = 'plan', signal }: RunRequest,
  isolation: Isolation,
): Promise<Outcome> {
  const checked = checkLimits(limits);
  const job = createJob(executor, { input: inputBytes(input), limits: checked, entry });
  if (!isJob(job)) return interrupted('trap', job, checked);
  return isolation.execute(job, { timeoutMs: checked.timeoutMs, signal });
}
