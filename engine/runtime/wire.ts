import { z } from 'zod';
import type { Ended } from './ended.ts';
import { MAX_STATE_BYTES } from './state.ts';
import type { StopStatus } from './stop.ts';
import type { LogLevel, Phase, RunLimits } from './types.ts';

const STOP_STATUSES = [
  'trap',
  'out-of-fuel',
  'memory-limit',
  'output-limit',
  'log-limit',
  'directive-limit',
  'call-depth',
] as const satisfies readonly StopStatus[];
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const satisfies readonly LogLevel[];

/** The phases that the guest's side can complete, in order. */
export const GUEST_PHASES = ['gate', 'instantiate', 'plan'] as const satisfies readonly Phase[];

const endedSchema = z.strictObject({
  stop: z
    .strictObject({
      status: z.enum(STOP_STATUSES),
      problem: z.strictObject({
        code: z.string().regex(/^[a-z][a-z-]{0,63}$/),
        message: z.string().max(4_000),
        function: z.string().max(4_000).exactOptional(),
        offset: z.int().min(0).exactOptional(),
      }),
    })
    .exactOptional(),
  fuelUsed: z.int().min(0).nullable(),
  output: z.instanceof(Uint8Array).or(z.undefined()),
  constructed: z.array(z.strictObject({ tag: z.string(), text: z.string() })),
  logs: z.array(z.strictObject({ level: z.enum(LEVELS), message: z.string() })),
  completed: z.array(z.enum(GUEST_PHASES)).min(1),
  state: z.instanceof(Uint8Array).exactOptional(),
});

/**
 * Takes what came back from the place where the guest ran, which is trusted less than this one.
 * Answers `undefined` for anything but the exact shape, within the limits of the run.
 */
export function receiveEnded(message: unknown, limits: RunLimits): Ended | undefined {
  const parsed = endedSchema.safeParse(message);
  if (!parsed.success) return undefined;
  const ended = parsed.data;
  return isWithin(ended, limits) && isConsistent(ended) ? ended : undefined;
}

function isWithin(
  { fuelUsed, output, constructed, logs, state }: Ended,
  limits: RunLimits,
): boolean {
  const units = (texts: readonly { readonly length: number }[]) =>
    texts.reduce((sum, { length }) => sum + length, 0);
  return (
    (fuelUsed === null || fuelUsed <= limits.fuel) &&
    (output === undefined ||
      (output.buffer instanceof ArrayBuffer && output.length <= limits.outputBytes)) &&
    (state === undefined ||
      (state.buffer instanceof ArrayBuffer && state.length <= MAX_STATE_BYTES)) &&
    constructed.length <= limits.directives &&
    units(constructed.map(({ text }) => text)) <= limits.outputBytes &&
    units(logs.map(({ message }) => message)) + logs.length <= limits.logBytes
  );
}

/** `completed` is a prefix of the phases, and all of them exactly when nothing stopped the run. */
function isConsistent({ stop, completed, state }: Ended): boolean {
  return (
    completed.length <= GUEST_PHASES.length &&
    completed.every((phase, i) => phase === GUEST_PHASES[i]) &&
    (completed.length === GUEST_PHASES.length) === (stop === undefined) &&
    (state === undefined || stop === undefined)
  );
}
