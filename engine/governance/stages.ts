import { displayText } from '../encoding/display.ts';
import type { Directive } from '../runtime/types.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import { describeMisshape } from './directive-shape.ts';
import type { EffectHandler } from './effect.ts';
import { isPermitted, withinTrust } from './trust.ts';
import type { Means, Policy } from './types.ts';

/** The tag of the one directive that its trust level alone can let through. */
const SYSTEM_ONLY = 'exec_command';

/**
 * The stage `trust`: the directive is one of the table, well formed, and within what the trust level
 * may hold. Commands are performed at level `system` alone.
 * @returns why it is denied; `undefined` for a directive that passes.
 */
export function judgeTrust(directive: Directive, policy: Policy): string | undefined {
  const { trust, grants } = policy;
  const kind = DIRECTIVES.get(directive.type);
  if (kind === undefined) return deny('DirectiveNotImplemented', displayText(directive.type, 60));
  const misshape = describeMisshape(directive, kind);
  if (misshape !== undefined) return deny('InvalidDirective', `${kind.tag}: ${misshape}`);
  const { capability, tag } = kind;
  if (capability === null) return undefined;
  const isTooLow = tag === SYSTEM_ONLY && trust !== 'system' && grants.has(capability);
  return withinTrust(trust, capability) && !isTooLow
    ? undefined
    : deny('CapabilityDenied', `${capability}, ${trust}`);
}

/**
 * The stage `permission`: the executor declares the capability, where its trust level asks for that;
 * and where the effect would be performed, its grant covers it and its budget is not used up.
 * @returns as {@link judgeTrust}.
 */
export function judgePermission(
  directive: Directive,
  { trust, declared, grants }: Policy,
  { handlers, budgets }: Means,
): string | undefined {
  const capability = DIRECTIVES.get(directive.type)?.capability ?? null;
  if (capability === null) return undefined;
  if (!isPermitted(trust, capability, declared)) {
    return deny('CapabilityDenied', `${capability}, ${trust}`);
  }
  const handler = handlers.get(directive.type);
  if (handler === undefined || !grants.has(capability)) return undefined;
  const refusal = handler.judge?.(directive);
  if (refusal !== undefined) return refusalReason(refusal);
  const exhausted = budgets?.exhausted(capability, priceOf(handler, directive));
  return exhausted && budgetReason(capability, exhausted);
}

/** The stage `phase`: the workflow is in a phase in which the directive may be asked for. */
export function judgePhase({ type }: Directive, { phase }: Policy): string | undefined {
  if (phase?.directives === undefined || phase.directives.has(type)) return undefined;
  return deny('OutOfPhase', `${type}, ${displayText(phase.name, 60)}`);
}

/** The most that performing a directive may cost. */
export function priceOf(handler: EffectHandler, directive: Directive): number {
  return handler.price?.(directive) ?? 0;
}

/** The reason of a directive that its grant does not cover. */
export function refusalReason({ code, message }: { code: string; message: string }): string {
  return deny('GrantRefused', `${code}: ${displayText(message, 200)}`);
}

/** The reason of a directive whose capability has used up its budget. */
export function budgetReason(capability: string, kind: string): string {
  return deny('BudgetOverdrawn', `${capability}, ${kind}`);
}

/** A reason as decisions have it: a stable code, and words in parentheses. */
export function deny(code: string, words: string): string {
  return `${code}(${words})`;
}
