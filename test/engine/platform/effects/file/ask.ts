import assert from 'node:assert/strict';
import type {
  Allowance,
  EffectHandler,
  EffectOutcome,
} from '../../../../../engine/governance/effect.ts';
import { nodeCrypto } from '../../../../../engine/platform/node/crypto.ts';
import type { Directive } from '../../../../../engine/runtime/types.ts';

export interface AskOptions {
  readonly signal?: AbortSignal;
  readonly allowance?: Allowance;
}

/** Performs a directive, and holds that it is refused exactly where it is judged so, in the same words. */
export async function ask(
  handler: EffectHandler,
  directive: Directive,
  options: AskOptions = {},
): Promise<EffectOutcome> {
  const judged = handler.judge?.(directive);
  const outcome = await perform(handler, directive, options);
  if (judged !== undefined || outcome.kind === 'refused') {
    assert.deepEqual(outcome, { kind: 'refused', ...judged });
  }
  return outcome;
}

/** Performs a directive. */
export function perform(
  handler: EffectHandler,
  directive: Directive,
  { signal = new AbortController().signal, allowance = {} }: AskOptions = {},
): Promise<EffectOutcome> {
  return handler.perform({
    directive,
    effectId: '00000000-0000-5000-8000-000000000000',
    allowance,
    signal,
    caller: { executor: 'test@1.0.0', artifactHash: nodeCrypto.sha256(new Uint8Array()), depth: 0 },
    emit: () => {},
  });
}

/** The code of an outcome that did not come to a result, else `performed`. */
export function codeOf(outcome: EffectOutcome): string {
  return outcome.kind === 'performed' ? 'performed' : `${outcome.kind} ${outcome.code}`;
}
