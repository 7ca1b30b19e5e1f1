import type { JsonObject } from '../encoding/json.ts';
import { BY_SIZE } from '../metering/costs.ts';
import type { Meter } from '../metering/meter.ts';
import type { GuestMemory } from './guest-memory.ts';
import { limitReached } from './stop.ts';
import type { LogEntry, RunLimits } from './types.ts';

/** A directive as its constructor was called: still text, read when the run has ended. */
export interface Constructed {
  readonly tag: string;
  /** The JSON text of the parameters. */
  readonly text: string;
}

/** What one run has given so far. A run has its own, and nothing of it outlives the run. */
export interface Session {
  readonly limits: RunLimits;
  /** The input document, RFC 8785, UTF-8. */
  readonly input: Uint8Array;
  readonly memory: GuestMemory;
  readonly meter: Meter;
  output: Uint8Array | undefined;
  readonly logs: LogEntry[];
  /** Bytes of all messages so far, and one for each of them. */
  logBytes: number;
  readonly constructed: Constructed[];
  constructedBytes: number;
  /** The `context` of the input, once a host function has asked for it. */
  context: JsonObject | undefined;
  /** Context values that were asked for, by key, as UTF-8 JSON text. */
  readonly contextTexts: Map<string, Uint8Array>;
}

export function createSession(
  input: Uint8Array,
  limits: RunLimits,
  memory: GuestMemory,
  meter: Meter,
): Session {
  return {
    limits,
    input,
    memory,
    meter,
    output: undefined,
    logs: [],
    logBytes: 0,
    constructed: [],
    constructedBytes: 0,
    context: undefined,
    contextTexts: new Map(),
  };
}

/** Charges for work of the host. @throws {HostStop} `out-of-fuel`. */
export function charge({ meter, limits }: Session, units: number): void {
  if (!meter.charge(units)) throw limitReached('out-of-fuel', outOfFuel(limits));
}

/** Charges for bytes that the host reads or writes for the guest. @throws {HostStop} `out-of-fuel`. */
export function chargeBytes(session: Session, bytes: number): void {
  charge(session, bytes >>> BY_SIZE.hostShift);
}

/** What a person is told when fuel has run out. */
export function outOfFuel({ fuel }: RunLimits): string {
  return `the executor used up its fuel of ${fuel} units`;
}
