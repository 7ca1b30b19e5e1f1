import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText } from '../encoding/display.ts';
import { canonicalBytes, type JsonValue } from '../encoding/json.ts';
import type { Directive } from '../runtime/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import {
  type Caller,
  type EffectHandler,
  type EffectOutcome,
  type EffectRequest,
  failed,
  type Link,
} from './effect.ts';
import { type Known, rememberEffect } from './once.ts';
import { budgetReason, deny, priceOf, refusalReason } from './stages.ts';
import type { Means, Policy } from './types.ts';

/** What the stage `execute` did with a directive. */
export type Effect =
  | {
      readonly decision: 'recorded';
      readonly reason: string;
      /** What came of it when it was performed, of an effect that its id names. */
      readonly result?: JsonValue;
    }
  | { readonly decision: 'denied'; readonly reason: string }
  | PerformedEffect;

export interface PerformedEffect {
  readonly decision: 'performed';
  /** Why it came to nothing, where it failed. */
  readonly reason?: string;
  readonly result: JsonValue;
  readonly resultHash: Sha256;
  readonly link?: Link;
}

/** How one directive is performed. */
export interface Execution {
  readonly crypto: Crypto;
  readonly policy: Policy;
  readonly means: Means;
  readonly caller: Caller;
  readonly effectId: string;
  readonly signal: AbortSignal;
  readonly emit: (payload: JsonValue) => void;
  /** Is waited for before the effect begins. */
  readonly begin: () => void | Promise<void>;
}

/**
 * The stage `execute`: performs a directive that is granted and has a handler, and records any other.
 * One with an `id` that was performed before is not performed again. A handler that rejects, or whose
 * answer has no canonical form, has failed.
 */
export async function execute(directive: Directive, execution: Execution): Promise<Effect> {
  const { policy, means } = execution;
  const handler = means.handlers.get(directive.type);
  const capability = DIRECTIVES.get(directive.type)?.capability ?? null;
  if (capability !== null && !policy.grants.has(capability)) {
    return { decision: 'recorded', reason: deny('NotGranted', capability) };
  }
  if (handler === undefined) {
    return { decision: 'recorded', reason: deny('NoHandler', directive.type) };
  }
  if (capability === null) return toEffect(execution, await perform(handler, directive, execution));

  const known = await rememberEffect(directive, handler, execution);
  if ('decision' in known) return known;
  const reservation = means.budgets?.reserve(capability, priceOf(handler, directive));
  if (typeof reservation === 'string') {
    await known.abandon();
    return { decision: 'denied', reason: budgetReason(capability, reservation) };
  }
  if (!(await isJournalled(execution))) {
    reservation?.settle({});
    await known.abandon();
    return { decision: 'denied', reason: deny('NotJournalled', directive.type) };
  }
  const outcome = await perform(handler, directive, execution, reservation?.allowance);
  reservation?.settle(outcome.kind === 'refused' ? {} : (outcome.cost ?? {}));
  return settle(toEffect(execution, outcome), known);
}

/** Remembers what came of an effect that has an id. */
async function settle(effect: Effect, known: Known): Promise<Effect> {
  if (effect.decision === 'performed') await known.finish(effect.result);
  else await known.abandon();
  return effect;
}

/** Whether the journal knows that the effect begins: one that nobody would know of does not happen. */
async function isJournalled({ begin }: Execution): Promise<boolean> {
  try {
    await begin();
    return true;
  } catch {
    return false;
  }
}

async function perform(
  handler: EffectHandler,
  directive: Directive,
  { effectId, signal, caller, emit }: Omit<EffectRequest, 'directive' | 'allowance'>,
  allowance: EffectRequest['allowance'] = {},
): Promise<EffectOutcome> {
  try {
    return await handler.perform({ directive, effectId, allowance, signal, caller, emit });
  } catch {
    return failed('handler-failed', 'the handler of this directive failed');
  }
}

/** Takes secrets out of what came of an effect, and hashes it as the executor gets to see it. */
function toEffect({ crypto, means }: Execution, outcome: EffectOutcome): Effect {
  const redact = means.redact ?? ((value: JsonValue) => value);
  if (outcome.kind === 'refused') {
    const { code, message } = outcome;
    return {
      decision: 'denied',
      reason: refusalReason({ code, message: redactText(redact, message) }),
    };
  }
  const { link } = outcome;
  let reason = outcome.kind === 'failed' ? failureReason(outcome.code) : undefined;
  let result: JsonValue;
  let resultHash: Sha256;
  try {
    result = redact(outcome.kind === 'failed' ? errorOf(outcome) : outcome.result);
    resultHash = crypto.sha256(canonicalBytes(result));
  } catch {
    reason = failureReason('malformed-result');
    result = errorOf({ code: 'malformed-result', message: 'the effect answered no JSON' });
    resultHash = crypto.sha256(canonicalBytes(result));
  }
  return {
    decision: 'performed',
    ...(reason !== undefined && { reason }),
    result,
    resultHash,
    ...(link !== undefined && { link }),
  };
}

function redactText(redact: (value: JsonValue) => JsonValue, text: string): string {
  const redacted = redact(text);
  return typeof redacted === 'string' ? redacted : '';
}

/** The code alone: the message may differ between equal runs. */
function failureReason(code: string): string {
  return deny('EffectFailed', displayText(code, 60));
}

function errorOf({ code, message }: { code: string; message: string }): JsonValue {
  return { error: { code, message } };
}
