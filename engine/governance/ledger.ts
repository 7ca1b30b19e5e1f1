import type { Sha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, isJsonObject, type JsonValue, parseJson } from '../encoding/json.ts';
import { decodeUtf8 } from '../encoding/utf8.ts';

/** Bytes of UTF-8 that an outcome may have, as JSON. */
export const MAX_OUTCOME_BYTES = 1_048_576;

/** How many effects a ledger remembers: finished ones before the last so many are forgotten. */
export const MAX_LEDGER_ENTRIES = 100_000;

/**
 * Remembers the effects of directives that carry an id of their own, so that asking again is not a
 * second effect. A key is SHA-256 of the executor's name, a zero byte and the id, as 64 lower-case hex
 * digits. Secrets were taken out of what comes here.
 *
 * Every method rejects with an {@link InputError} `unreadable` or `unwritable` where the ledger itself
 * fails: no effect may be begun then.
 */
export interface EffectLedger {
  /**
   * Notes that an effect is about to be performed, durably, if the answer is `new`. Any other answer
   * changes nothing.
   */
  begin(key: string, directiveHash: Sha256): Promise<LedgerEntry>;
  /**
   * Notes what came of an effect that was begun, here or by a process that is gone.
   * @throws {InputError} `too-large` for an outcome of more than {@link MAX_OUTCOME_BYTES}: the effect
   *   is `unfinished` then; `unwritable` where none was begun, or it has an outcome already.
   */
  finish(key: string, outcome: LedgerOutcome): Promise<void>;
  /**
   * Forgets an effect that was begun and of which nothing was done.
   * @throws {InputError} `unwritable` where none is under way.
   */
  abandon(key: string): Promise<void>;
  /** Lets go of what is held. What was begun here and not finished is `unfinished` from now on. */
  close(): Promise<void>;
}

/** What came of an effect: its result, or why it failed. */
export type LedgerOutcome =
  | { readonly result: JsonValue }
  | { readonly code: string; readonly message: string };

/** What a ledger knows of an effect. */
export type LedgerEntry =
  | { readonly state: 'new' }
  /** It was begun by a process that is gone: whether it was done, nobody knows. */
  | { readonly state: 'unfinished' }
  /** It is under way, here or in another living process. */
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly outcome: LedgerOutcome }
  /** The id was used for another directive. */
  | { readonly state: 'other' };

/**
 * An outcome as a ledger keeps it: canonical JSON (RFC 8785).
 * @throws {InputError} `too-large` beyond {@link MAX_OUTCOME_BYTES}; `invalid-json`.
 */
export function encodeOutcome(outcome: LedgerOutcome): string {
  const bytes = canonicalBytes(outcome);
  if (bytes.length > MAX_OUTCOME_BYTES) {
    throw new InputError(
      'too-large',
      `the outcome of an effect has ${bytes.length} bytes as JSON; at most ${MAX_OUTCOME_BYTES} are remembered for an id`,
    );
  }
  return decodeUtf8(bytes, 'the outcome');
}

/** @throws {InputError} `unreadable` or `invalid-json` for what {@link encodeOutcome} did not write. */
export function decodeOutcome(text: string): LedgerOutcome {
  const value = parseJson(text, 'the outcome of an effect');
  if (isJsonObject(value)) {
    const { result, code, message } = value;
    if (result !== undefined) return { result };
    if (typeof code === 'string' && typeof message === 'string') return { code, message };
  }
  throw new InputError('unreadable', 'the outcome of an effect has neither a result nor a failure');
}

/** @throws {RangeError} for what is no key of a ledger. */
export function checkLedgerKey(key: string): void {
  if (!/^[0-9a-f]{64}$/.test(key)) {
    throw new RangeError(`"key" expected 64 lower-case hex digits, got ${key.length} characters`);
  }
}

/** What finishing or abandoning is answered for an effect that is not under way. */
export function notUnderWay(): InputError {
  return new InputError('unwritable', 'no effect is under way under this id');
}

interface Remembered {
  readonly directiveHash: Sha256;
  readonly state: 'running' | 'unfinished' | 'done';
  /** As {@link encodeOutcome} writes it; of `done` alone. */
  readonly outcome: string;
}

/** A ledger that lasts as long as the value does. */
export function memoryLedger(): EffectLedger {
  const entries = new Map<string, Remembered>();
  const underWay = (key: string): Remembered => {
    checkLedgerKey(key);
    const entry = entries.get(key);
    if (entry === undefined || entry.state === 'done') throw notUnderWay();
    return entry;
  };
  return Object.freeze({
    begin: async (key: string, directiveHash: Sha256): Promise<LedgerEntry> => {
      checkLedgerKey(key);
      const entry = entries.get(key);
      if (entry === undefined) {
        entries.set(key, { directiveHash, state: 'running', outcome: '' });
        forgetOldest(entries);
        return { state: 'new' };
      }
      if (entry.directiveHash !== directiveHash) return { state: 'other' };
      if (entry.state !== 'done') return { state: entry.state };
      return { state: 'done', outcome: decodeOutcome(entry.outcome) };
    },
    finish: async (key: string, outcome: LedgerOutcome): Promise<void> => {
      const entry = underWay(key);
      // Whether or not the outcome can be kept, the effect is over.
      entries.set(key, { ...entry, state: 'unfinished' });
      entries.set(key, { ...entry, state: 'done', outcome: encodeOutcome(outcome) });
    },
    abandon: async (key: string): Promise<void> => {
      underWay(key);
      entries.delete(key);
    },
    close: async (): Promise<void> => {
      for (const [key, entry] of entries) {
        if (entry.state === 'running') entries.set(key, { ...entry, state: 'unfinished' });
      }
    },
  } satisfies EffectLedger);
}

function forgetOldest(entries: Map<string, Remembered>): void {
  if (entries.size <= MAX_LEDGER_ENTRIES) return;
  for (const [key, { state }] of entries) {
    if (state !== 'done') continue;
    entries.delete(key);
    return;
  }
}
