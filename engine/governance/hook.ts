import type { Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../encoding/json.ts';
import { AdmissionError, type AdmittedExecutor } from '../gate/admit.ts';
import type { Isolation } from '../runtime/isolation.ts';
import { runExecutor } from '../runtime/run.ts';
import type { Directive, RunLimits } from '../runtime/types.ts';

/** What a hook answers. `failed` is the hook's own failure, and counts as a denial. */
export type HookVerdict = 'allow' | 'deny' | 'review' | 'failed';

export interface HookAnswer {
  /** SHA-256 of the module that answered; null where there was none to ask. */
  readonly artifactHash: Sha256 | null;
  readonly verdict: HookVerdict;
  /**
   * Why, in a few words, for every verdict but `allow`. It goes into the receipt, so it holds nothing
   * that differs between equal runs.
   */
  readonly reason?: string;
}

/** What a hook is asked about. */
export interface HookQuestion {
  readonly stage: 'pre-hooks' | 'guardrails';
  readonly directive: Directive;
  /** Whose directive it is: `name@version`. */
  readonly executor: string;
  /** Of a guardrail: what became of the directive. */
  readonly effect?: {
    readonly decision: 'performed' | 'recorded';
    /** Why it was not performed, or came to nothing. */
    readonly reason?: string;
    readonly result: JsonValue;
  };
}

/** Is asked about directives: before they are performed, or about what came of them. */
export interface Hook {
  readonly name: string;
  /** The tags that it is asked about; all unless given. */
  readonly directives?: ReadonlySet<string> | undefined;
  /** Answers. Whoever asks takes a rejection, and whatever is no answer, for a failure. */
  ask(question: HookQuestion, signal: AbortSignal | undefined): Promise<HookAnswer>;
}

/** What a hook or guardrail said of a directive, as the receipt names it. */
export interface HookOpinion {
  readonly artifactHash: Sha256 | null;
  readonly verdict: HookVerdict;
}

/** A person, who is asked where a hook wants one. */
export interface Reviewer {
  /** Whether the directive is let through. Whoever asks takes a rejection for a no. */
  review(question: ReviewQuestion, signal: AbortSignal | undefined): Promise<boolean>;
}

export interface ReviewQuestion extends HookQuestion {
  /** The hook that wants a person. */
  readonly hook: string;
  readonly reason: string;
}

/** A hook that is an executor: certified, admitted by the gate, run behind limits. */
export interface ExecutorHookOptions {
  readonly name: string;
  readonly directives?: ReadonlySet<string> | undefined;
  /** What the hook is told as its `step_config`: the policy's own words to it. */
  readonly config?: JsonObject | undefined;
  /**
   * The executor that stands for the hook now, or why none does, in a few words. It is asked for each
   * directive, so that a hook can be swapped while the interpreter runs.
   */
  readonly current: () => Promise<AdmittedExecutor | string>;
  readonly isolation: Isolation;
  readonly limits: RunLimits;
}

/**
 * Asks an executor over the host interface `mashin@1` (DESIGN 6): its input is
 * `{ step_config: CONFIG, context: { stage, directive, executor, effect? } }`, its result
 * `{ "verdict": "allow" | "deny" | "review", "reason"?: TEXT }`. Whatever is not exactly that, a
 * directive of its own among it, is a failure.
 */
export function executorHook(options: ExecutorHookOptions): Hook {
  const { name, directives, config = {}, current, isolation, limits } = options;
  const ask = async (question: HookQuestion, signal: AbortSignal | undefined) => {
    const executor = await current();
    if (typeof executor === 'string') return failedHook(null, executor);
    const { artifactHash } = executor;
    const input = { step_config: config, context: { ...question } };
    try {
      const outcome = await runExecutor(executor, { input, limits, signal }, isolation);
      if (outcome.status !== 'ok') return failedHook(artifactHash, outcome.status);
      if (outcome.directives.length > 0) return failedHook(artifactHash, 'it gave directives');
      return readAnswer(artifactHash, outcome.result);
    } catch (error) {
      return failedHook(artifactHash, error instanceof AdmissionError ? 'not admitted' : 'not run');
    }
  };
  return { name, directives, ask };
}

function failedHook(artifactHash: Sha256 | null, reason: string): HookAnswer {
  return { artifactHash, verdict: 'failed', reason };
}

/** Reads what a hook answered. A denial without a reason is a denial all the same. */
function readAnswer(artifactHash: Sha256, result: JsonValue): HookAnswer {
  if (!isJsonObject(result)) return failedHook(artifactHash, 'malformed answer');
  const { verdict, reason = '', ...others } = result;
  const isAnswer =
    (verdict === 'allow' || verdict === 'deny' || verdict === 'review') &&
    typeof reason === 'string' &&
    Object.keys(others).length === 0;
  if (!isAnswer) return failedHook(artifactHash, 'malformed answer');
  return {
    artifactHash,
    verdict,
    ...(verdict !== 'allow' && { reason: displayText(reason, 200) }),
  };
}
