import type { JsonObject } from '../encoding/json.ts';
import type { GuestMemory } from './guest-memory.ts';
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

export function createSession(input: Uint8Array, limits: RunLimits, memory: GuestMemory): Session {
  return {
    limits,
    input,
    memory,
    output: undefined,
    logs: [],
    logBytes: 0,
    constructed: [],
    constructedBytes: 0,
    context: undefined,
    contextTexts: new Map(),
  };
}
