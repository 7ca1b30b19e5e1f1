import { CAPABILITIES, type Capability, LLM_SPELLING } from '../whitelist/directives.ts';
import type { TrustLevel } from './types.ts';

/** The trust levels from the lowest up: the place of each is its number, 0 to 5 (REFERENCE 2). */
export const TRUST_LEVELS = Object.freeze([
  'untrusted',
  'tested',
  'evaluated',
  'reviewed',
  'stdlib',
  'system',
] as const satisfies readonly TrustLevel[]);

/** What a level may hold at all: everything, what is declared, or a fixed set. */
const HOLDINGS: Readonly<Record<TrustLevel, 'all' | 'declared' | ReadonlySet<Capability>>> =
  Object.freeze({
    system: 'all',
    stdlib: 'all',
    reviewed: 'declared',
    evaluated: 'declared',
    tested: new Set<Capability>(['compute.llm.reason', 'compute.exec', 'memory', 'machine.call']),
    untrusted: new Set<Capability>(['compute.llm.reason']),
  });

/** Reads a capability as people write it: `compute.llm_reason` is `compute.llm.reason`. */
export function parseCapability(text: string): Capability | undefined {
  const name = text === LLM_SPELLING ? 'compute.llm.reason' : text;
  return CAPABILITIES.find((capability) => capability === name);
}

/** A trust level, or the highest that is accepted, whichever is lower. */
export function cappedTrust(claimed: TrustLevel, ceiling: TrustLevel): TrustLevel {
  return TRUST_LEVELS.indexOf(claimed) > TRUST_LEVELS.indexOf(ceiling) ? ceiling : claimed;
}

/** Allowed(trust, capability, declared) of REFERENCE 2. */
export function allowed(
  trust: TrustLevel,
  capability: Capability,
  declared: readonly Capability[],
): boolean {
  return withinTrust(trust, capability) && isPermitted(trust, capability, declared);
}

/** The half of {@link allowed} that trust alone decides: whether the level may hold it at all. */
export function withinTrust(trust: TrustLevel, capability: Capability): boolean {
  const holding = HOLDINGS[trust];
  return typeof holding === 'string' || holding.has(capability);
}

/** The half of {@link allowed} that the declaration decides, for the levels that need one. */
export function isPermitted(
  trust: TrustLevel,
  capability: Capability,
  declared: readonly Capability[],
): boolean {
  return HOLDINGS[trust] !== 'declared' || declared.includes(capability);
}
