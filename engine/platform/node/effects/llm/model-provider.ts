import type { AgencyModel } from '../../../../governance/agency.ts';

/**
 * Serves language models: over HTTP, or as an editor offers its own to a provider of kind `editor`.
 */
export interface ModelProvider {
  /**
   * Asks a model. The pieces of the answer come as they are made, one alone where nobody streams;
   * their end is the end of the answer. Throws {@link ModelFailure}; anything else that it throws
   * is told as `provider-failed`, without its words.
   * @param signal ends the work; nothing is read from a provider after that.
   */
  complete(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPiece>;
  /** Lets go of connections. */
  close?(): Promise<void>;
}

/** What a model is asked. */
export interface ModelRequest {
  /** Whom, under which name of the provider's, and with which parameters. */
  readonly model: AgencyModel;
  /** Empty for none. */
  readonly system: string;
  readonly user: string;
  /** Whether the pieces are wanted as they are made. */
  readonly isStreamed: boolean;
  /** Bytes of UTF-8 that the text of the answer may have. */
  readonly responseBytes: number;
  /** When the answer must be there, in milliseconds since 1970. */
  readonly deadline: number;
  /** Bytes that may still go out and come in together over a network; infinite where unbounded. */
  readonly bytesLeft: () => number;
  /** Told of bytes as they go out and come in. What an editor serves is counted by its reader. */
  readonly onBytes: (count: number) => void;
}

/** A piece of an answer, in order: some of its text, or what is known of it, or both. */
export interface ModelPiece {
  readonly text?: string;
  readonly finish?: Finish;
  readonly usage?: Usage;
}

/** Why a model stopped: it was done, its tokens were used up, or its text was held back. */
export type Finish = 'stop' | 'length' | 'filtered' | 'other';

/** Tokens, as the provider counts them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
}

export type ModelFailureCode =
  | 'provider-failed'
  | 'rate-limited'
  | 'malformed-answer'
  | 'too-large'
  | 'bytes-exhausted'
  | 'timeout'
  | 'cancelled'
  | 'secret-missing'
  | 'secret-unusable';

/** Why there is no answer. The message holds nothing that the provider wrote. */
export class ModelFailure extends Error {
  override readonly name = 'ModelFailure';
  readonly code: ModelFailureCode;
  /** Whether it is known that no model was at work, so that nothing has to be paid. */
  readonly isFree: boolean;

  constructor(code: ModelFailureCode, message: string, isFree = false) {
    super(message);
    this.code = code;
    this.isFree = isFree;
  }
}

/** Tokens that a provider claims, as far as they can be a number of tokens at all. */
export function readUsage(input: unknown, output: unknown): { readonly usage?: Usage } {
  return isCount(input) && isCount(output)
    ? { usage: { inputTokens: input, outputTokens: output } }
    : {};
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
