import { displayText } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { readDirective } from './directive.ts';
import type { Ended } from './ended.ts';
import { readOutput } from './output.ts';
import type { Directive, Outcome, Phase, RunLimits, RunProblem, RunStatus } from './types.ts';

/** Longest message of an executor's own error that is shown, in UTF-16 units. */
const MAX_MESSAGE = 2_000;

/**
 * Makes the outcome of a run of what the guest's side left behind. The result and the directives
 * are read here, from the very bytes that receipts hash, so that the thread or process where the
 * guest ran need not be believed about them.
 */
export function settle(ended: Ended, limits: RunLimits): Outcome {
  const { stop, output } = ended;
  if (stop !== undefined) return endedBadly(ended, limits, stop.status, stop.problem);
  if (output === undefined) {
    const message = 'the executor returned without having called set_output';
    return endedBadly(ended, limits, 'trap', { code: 'no-output', message });
  }
  try {
    const constructed = ended.constructed.map(({ tag, text }) => readDirective(tag, text));
    return read(ended, output, constructed, limits);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return endedBadly(ended, limits, 'trap', { code: 'invalid-output', message: error.message });
  }
}

function read(
  ended: Ended,
  output: Uint8Array,
  constructed: readonly Directive[],
  limits: RunLimits,
): Outcome {
  const document = readOutput(output);
  if (document.kind === 'error') {
    const message = displayText(document.message, MAX_MESSAGE);
    return endedBadly(ended, limits, 'error', { code: 'executor-error', message });
  }
  const count = constructed.length + document.directives.length;
  if (count > limits.directives) {
    const message = `the run gave ${count} directives; ${limits.directives} are allowed`;
    return endedBadly(ended, limits, 'directive-limit', { code: 'directive-limit', message });
  }
  return {
    ...outcomeOf(ended, limits),
    status: 'ok',
    result: document.result,
    directives: [...constructed, ...document.directives],
    ...(ended.state !== undefined && { state: ended.state }),
  };
}

function endedBadly(
  ended: Ended,
  limits: RunLimits,
  status: RunStatus,
  problem: RunProblem,
): Outcome {
  return { ...outcomeOf(ended, limits), status, result: null, directives: [], problem };
}

function outcomeOf({ output, logs, completed, fuelUsed }: Ended, { fuel }: RunLimits) {
  return { logs, output, fuel: { limit: fuel, used: fuelUsed }, completed };
}

/** The outcome of a run of which nothing came back but how far it had got. */
export function interrupted(
  status: 'timeout' | 'cancelled' | 'trap',
  problem: RunProblem,
  limits: RunLimits,
  completed: readonly Phase[] = ['gate'],
): Outcome {
  const nothing: Ended = {
    fuelUsed: null,
    output: undefined,
    constructed: [],
    logs: [],
    completed,
  };
  return endedBadly(nothing, limits, status, problem);
}

/** The outcome of a run that its caller cancelled. */
export function cancelled(limits: RunLimits, completed: readonly Phase[] = ['gate']): Outcome {
  const problem = { code: 'cancelled', message: 'the run was cancelled' };
  return interrupted('cancelled', problem, limits, completed);
}

/** The outcome of a run that the wall clock ended. */
export function timedOut(limits: RunLimits, completed: readonly Phase[]): Outcome {
  const message = `the run was ended by the wall clock after ${limits.timeoutMs} ms`;
  return interrupted('timeout', { code: 'timeout', message }, limits, completed);
}

/** The outcome of a run whose thread or process was lost, or answered something else. */
export function hostCrashed(
  reason: string,
  limits: RunLimits,
  completed: readonly Phase[],
): Outcome {
  const message = `the host of the executor was lost: ${displayText(reason, 300)}`;
  return interrupted('trap', { code: 'host-crashed', message }, limits, completed);
}
