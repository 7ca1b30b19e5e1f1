import type { Sha256 } from '../../../../../engine/crypto/crypto.ts';
import type { JsonObject, JsonValue } from '../../../../../engine/encoding/json.ts';
import type {
  Allowance,
  EffectHandler,
  EffectOutcome,
} from '../../../../../engine/governance/effect.ts';

export interface Asking {
  readonly signal?: AbortSignal;
  readonly allowance?: Allowance;
}

/** Performs a directive as the interpreter does. */
export function ask(
  handler: EffectHandler,
  directive: JsonObject & { readonly type: string },
  { signal = new AbortController().signal, allowance = {} }: Asking = {},
): Promise<EffectOutcome> {
  const caller = { executor: 'test@1.0.0', artifactHash: '0'.repeat(64) as Sha256, depth: 0 };
  const effectId = '00000000-0000-5000-8000-000000000000';
  return handler.perform({ directive, effectId, allowance, signal, caller, emit: () => {} });
}

/** The result of an effect; an error that says what came instead where there is none. */
export function resultOf(outcome: EffectOutcome): JsonValue {
  if (outcome.kind === 'performed') return outcome.result;
  throw new Error(`${outcome.kind}: ${outcome.code}: ${outcome.message}`);
}

/** `refused CODE`, `failed CODE`, or `performed`. */
export function told(outcome: EffectOutcome): string {
  return outcome.kind === 'performed' ? 'performed' : `${outcome.kind} ${outcome.code}`;
}
