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
import { budgetReason, deny, priceOf, refusalReason } from './stages.ts';
import type { Means, Policy } from './types.ts';

/** What the stage `execute` did with a directive. */
export type Effect =
  | { readonly decision: 'recorded'; readonly reason: string }
  | { readonly decision: 'denied'; readonly reason: string }
  | {
      readonly decision: 'performed';
      /** Why it came to nothing, where it failed. */
      readonly reason?: string;
      readonly result: JsonValue;
      readonly resultHash: Sha256;
      readonly link?: Link;
    };

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
 * A handler that rejects, or whose answer has no canonical form, has failed.
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
  const reservation =
    capability === null
      ? undefined
      : means.budgets?.reserve(capability, priceOf(handler, directive));
  if (capability !== null && typeof reservation === 'string') {
    return { decision: 'denied', reason: budgetReason(capability, reservation) };
  }
  const allowance = typeof reservation === 'object' ? reservation.allowance : {};
  if (capability !== null && !(await isJournalled(execution))) {
    if (typeof reservation === 'object') reservation.settle({});
    return { decision: 'denied', reason: deny('NotJournalled', directive.type) };
  }
  const outcome = await perform(handler, directive, { ...execution, allowance });
  if (typeof reservation === 'object') {
    reservation.settle(outcome.kind === 'refused' ? {} : (outcome.cost ?? {}));
  }
  return toEffect(execution, outcome);
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
  { effectId, allowance, signal, caller, emit }: Omit<EffectRequest, 'directive'>,
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
    return { decision: 'denied', reason: refusalReason(outcome) };
  }
  const { link } = outcome;
  let reason = outcome.kind === 'failed' ? failureReason(outcome.code) : undefined;
  let result = redact(outcome.kind === 'failed' ? errorOf(outcome) : outcome.result);
  let resultHash: Sha256;
  try {
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

/** The code alone: the message may differ between equal runs. */
function failureReason(code: string): string {
  return deny('EffectFailed', displayText(code, 60));
}

function errorOf({ code, message }: { code: string; message: string }): JsonValue {
  return { error: { code, message } };
}
