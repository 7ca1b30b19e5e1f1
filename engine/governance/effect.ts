import type { Sha256 } from '../crypto/crypto.ts';
import type { JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import type { Capability } from '../whitelist/directives.ts';

/**
 * Performs the effects of directives of one capability. The interpreter alone calls it, and only for
 * a directive that is well formed, granted, and let through by every stage before `execute`
 * (DESIGN 8). A handler keeps itself to its grant, and answers every failure as data.
 */
export interface EffectHandler {
  /** The tags of the directives that it performs. */
  readonly tags: readonly string[];
  /** Null for observability, which needs no grant. */
  readonly capability: Capability | null;
  /**
   * Says why the grant does not cover a directive, as far as the directive alone tells; `undefined`
   * where it does. Nothing is done, and nothing is waited for.
   */
  judge?(directive: Directive): Refusal | undefined;
  /**
   * The most that performing a directive may cost, in money units, as far as can be told before;
   * 0 unless given. It is reserved from the budget, and what was not spent goes back.
   */
  price?(directive: Directive): number;
  /**
   * Whether performing a directive a second time does no more than once (as a GET, or a file that is
   * written whole): what was cut off is tried again then. `false` unless given.
   */
  isRepeatable?(directive: Directive): boolean;
  /** Performs a directive. Never rejects, and settles soon after `signal` aborts. */
  perform(request: EffectRequest): Promise<EffectOutcome>;
  /** Lets go of connections, files and processes. No effect is under way then, and none follows. */
  close?(): Promise<void>;
}

/** One directive to perform, and what it may use. */
export interface EffectRequest {
  readonly directive: Directive;
  /** A UUIDv5 of what is asked and by whom: the same when it is tried again. */
  readonly effectId: string;
  readonly allowance: Allowance;
  readonly signal: AbortSignal;
  readonly caller: Caller;
  /** Adds to the run's event stream while the effect goes on: a piece of a streamed answer. */
  readonly emit: (payload: JsonValue) => void;
}

/** What is left of a budget; absent where there is no bound. */
export interface Allowance {
  /** Bytes that may go out and come in together. */
  readonly bytes?: number;
  /** Money units. */
  readonly money?: number;
}

/** Whose directive it is. */
export interface Caller {
  /** `name@version`. */
  readonly executor: string;
  readonly artifactHash: Sha256;
  /** 0 for a run that a person began, one more for each call of a machine. */
  readonly depth: number;
}

/** What an effect used. */
export interface Cost {
  readonly bytes?: number;
  readonly money?: number;
}

/** What came of performing a directive. */
export type EffectOutcome = Performed | Failed | Refused;

/** The effect happened. */
export interface Performed {
  readonly kind: 'performed';
  /** What the executor gets to see of it. */
  readonly result: JsonValue;
  readonly cost?: Cost;
  readonly link?: Link;
}

/** The effect was begun and came to nothing, or to something else: data for the executor. */
export interface Failed extends Refusal {
  readonly kind: 'failed';
  readonly cost?: Cost;
  readonly link?: Link;
}

/** Nothing was done: the grant does not cover what was asked. A denial, which stops the list. */
export interface Refused extends Refusal {
  readonly kind: 'refused';
}

export interface Refusal {
  /**
   * Kebab-case, stable: `host-not-granted`, `address-refused`, `timeout`, `too-large`, …. It goes
   * into the receipt.
   */
  readonly code: string;
  /**
   * What was found and expected, in one line for a person. It goes into the executor's context and
   * before people; of a {@link Refused} outcome or a judgement into the receipt too, so that it must
   * be the same for equal runs.
   */
  readonly message: string;
}

/** Ties a directive's entry in a receipt to what was recorded elsewhere for it. */
export interface Link {
  /** SHA-256 of the last receipt of a machine that was called here. */
  readonly receipt?: Sha256;
  /** SHA-256 of the attestation record of a machine that was called at another organisation. */
  readonly attestation?: Sha256;
}

export function performed(result: JsonValue, cost?: Cost): Performed {
  return { kind: 'performed', result, ...(cost !== undefined && { cost }) };
}

export function failed(code: string, message: string, cost?: Cost): Failed {
  return { kind: 'failed', code, message, ...(cost !== undefined && { cost }) };
}

export function refused(code: string, message: string): Refused {
  return { kind: 'refused', code, message };
}
