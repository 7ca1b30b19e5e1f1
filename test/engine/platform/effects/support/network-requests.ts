import assert from 'node:assert/strict';
import type { Sha256 } from '../../../../../engine/crypto/crypto.ts';
import { isJsonObject, type JsonObject } from '../../../../../engine/encoding/json.ts';
import type {
  Allowance,
  Caller,
  EffectHandler,
  EffectOutcome,
} from '../../../../../engine/governance/effect.ts';
import type { Secrets } from '../../../../../engine/governance/secret.ts';
import type { Directive } from '../../../../../engine/runtime/types.ts';

export const EFFECT_ID = '5f0c2a8e-8d6c-5f3e-9d7a-1b2c3d4e5f60';

export interface Circumstances {
  readonly allowance?: Allowance;
  readonly signal?: AbortSignal;
  readonly executor?: string;
}

/** Has a handler perform a directive as the interpreter does. */
export function perform(
  handler: EffectHandler,
  directive: Directive,
  { allowance = {}, signal, executor = 'probe@1.0.0' }: Circumstances = {},
): Promise<EffectOutcome> {
  const caller: Caller = { executor, artifactHash: 'a'.repeat(64) as Sha256, depth: 0 };
  return handler.perform({
    directive,
    effectId: EFFECT_ID,
    allowance,
    signal: signal ?? new AbortController().signal,
    caller,
    emit: () => undefined,
  });
}

/** The result of an outcome that must have been performed. */
export function resultOf(outcome: EffectOutcome): JsonObject {
  assert.equal(outcome.kind, 'performed', JSON.stringify(outcome));
  assert.ok(outcome.kind === 'performed');
  const { result } = outcome;
  assert.ok(isJsonObject(result));
  return result;
}

/** What an outcome came to, in short: `refused host-not-granted`, `failed timeout`, `performed`. */
export function kindOf(outcome: EffectOutcome): string {
  if (outcome.kind === 'performed') return 'performed';
  assert.ok(!/[\n\r]/.test(outcome.message) && outcome.message !== '', outcome.message);
  return `${outcome.kind} ${outcome.code}`;
}

export function secretsOf(values: Readonly<Record<string, string>>): Secrets {
  return { get: async (name) => values[name] };
}
