import { displayText } from '../encoding/display.ts';
import type { Directive } from '../runtime/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import { describeMisshape } from './directive-shape.ts';
import { isPermitted, withinTrust } from './trust.ts';
import type { Effect, Policy, Stage } from './types.ts';

/** A stage that judges: answers why it denies, or `undefined` for a directive that passes. */
export interface JudgingStage<Args extends readonly unknown[]> {
  readonly stage: Stage;
  readonly judge: (...args: Args) => string | undefined;
}

/**
 * The stages before `execute`, in the order of DESIGN 8. A stage for which the policy holds nothing
 * is not in the list; `phase` never is, since a policy has no rule for it.
 */
export function stagesBefore(policy: Policy): readonly JudgingStage<[Directive]>[] {
  const { preHooks = [] } = policy;
  return [
    { stage: 'trust', judge: (directive) => judgeTrust(directive, policy) },
    { stage: 'permission', judge: (directive) => judgePermission(directive, policy) },
    ...(preHooks.length === 0
      ? []
      : [
          {
            stage: 'pre-hooks' as const,
            judge: (directive: Directive) => askAll(preHooks, [directive]),
          },
        ]),
  ];
}

/** The stages after `execute` that judge what it did; absent ones as in {@link stagesBefore}. */
export function stagesAfter({
  guardrails = [],
}: Policy): readonly JudgingStage<[Directive, Effect]>[] {
  return guardrails.length === 0
    ? []
    : [{ stage: 'guardrails', judge: (...args) => askAll(guardrails, args) }];
}

/** Performs nothing: no handler is registered, so what is allowed is recorded, granted or not. */
export function execute({ type }: Directive, { grants }: Policy): Effect {
  const capability = DIRECTIVES.get(type)?.capability ?? null;
  const granted = capability === null || grants.has(capability);
  return {
    decision: 'recorded',
    reason: granted ? `NoHandler(${type})` : `NotGranted(${capability})`,
  };
}

/** The directive is one of the table, well formed, and within what the trust level may hold. */
function judgeTrust(directive: Directive, { trust }: Policy): string | undefined {
  const kind = DIRECTIVES.get(directive.type);
  if (kind === undefined) return deny('DirectiveNotImplemented', displayText(directive.type, 60));
  const misshape = describeMisshape(directive, kind);
  if (misshape !== undefined) return deny('InvalidDirective', `${kind.tag}: ${misshape}`);
  return kind.capability === null || withinTrust(trust, kind.capability)
    ? undefined
    : deny('CapabilityDenied', `${kind.capability}, ${trust}`);
}

/** The executor declares the capability, where its trust level asks for that. */
function judgePermission({ type }: Directive, { trust, declared }: Policy): string | undefined {
  const capability = DIRECTIVES.get(type)?.capability ?? null;
  return capability === null || isPermitted(trust, capability, declared)
    ? undefined
    : deny('CapabilityDenied', `${capability}, ${trust}`);
}

interface Asked<Args extends readonly unknown[]> {
  readonly name: string;
  readonly check: (...args: Args) => unknown;
}

/** Asks hooks or guardrails in order and stops at the first denial (short-circuit). */
function askAll<Args extends readonly unknown[]>(
  asked: readonly Asked<Args>[],
  args: Args,
): string | undefined {
  for (const { name, check } of asked) {
    const who = displayText(name, 60);
    let answer: unknown;
    try {
      answer = check(...args);
    } catch {
      return deny('HookFailed', who);
    }
    if (typeof answer === 'string') return deny('HookDenied', `${who}: ${displayText(answer)}`);
    // A promise, or whatever else an untyped caller answers, must not pass for consent.
    if (answer !== undefined) return deny('HookFailed', who);
  }
  return undefined;
}

function deny(code: string, words: string): string {
  return `${code}(${words})`;
}
