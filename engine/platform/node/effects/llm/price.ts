import { type AgencyModel, outputTokens } from '../../../../governance/agency.ts';
import type { Usage } from './model-provider.ts';

/** Tokens that a provider's template may add to a prompt: roles, separators, its own preamble. */
const TEMPLATE_TOKENS = 64;

/**
 * The most that an answer may cost, in money units: no token of a prompt is less than a byte, and no
 * answer longer than its bound.
 * @param promptBytes of system and user text together, in UTF-8.
 */
export function priceBound(model: AgencyModel, promptBytes: number): number {
  return priceOf(model, {
    inputTokens: promptBytes + TEMPLATE_TOKENS,
    outputTokens: outputTokens(model) ?? 0,
  });
}

/** What an answer cost by the provider's count, which is held to the bound; the bound without one. */
export function priceOfAnswer(
  model: AgencyModel,
  promptBytes: number,
  usage: Usage | undefined,
): number {
  const bound = priceBound(model, promptBytes);
  return usage === undefined ? bound : Math.min(bound, priceOf(model, usage));
}

function priceOf({ price }: AgencyModel, { inputTokens, outputTokens }: Usage): number {
  if (price === undefined) return 0;
  return (inputTokens * price.input + outputTokens * price.output) / 1_000;
}
