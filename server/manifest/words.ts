// What levels of trust and capabilities mean, in sentences for people (REFERENCE 2).

import {
  isPermitted,
  parseCapability,
  TRUST_LEVELS,
  withinTrust,
} from '../../engine/governance/trust.ts';
import type { TrustLevel } from '../../engine/governance/types.ts';
import { CAPABILITIES, type Capability, DIRECTIVES } from '../../engine/whitelist/directives.ts';
import type { AnalysedImport } from '../analysis/results.ts';

/** What an executor of a level may hold, as Markdown. */
export function trustText(level: TrustLevel): string {
  const held = CAPABILITIES.filter((capability) => withinTrust(level, capability));
  const isByDeclaration = !held.every((capability) => isPermitted(level, capability, []));
  return `Level ${TRUST_LEVELS.indexOf(level)}: ${holdingText(held, isByDeclaration)}`;
}

function holdingText(held: readonly Capability[], isByDeclaration: boolean): string {
  if (isByDeclaration) return 'holds the capabilities that `capabilities` declares.';
  if (held.length === CAPABILITIES.length) return 'holds every capability, declared or not.';
  return `holds ${held.map((capability) => `\`${capability}\``).join(', ')}, declared or not, and no other.`;
}

/** What each tier lets through. */
export const TIER_TEXTS: ReadonlyMap<number, string> = new Map([
  [1, 'Certified: it runs only with a certificate that the gate admits.'],
  [2, 'Static analysis: it runs when its imports classify as pure, without a certificate.'],
  [3, 'Unchecked, for development only: imports outside the whitelist are linked to traps.'],
]);

/** The directives that a capability permits, each with what it does, as a Markdown list. */
export function directivesList(capability: Capability): string {
  return [...DIRECTIVES.values()]
    .filter((kind) => kind.capability === capability)
    .map(({ tag, doc }) => `- \`${tag}\`: ${doc}`)
    .join('\n');
}

/** The capability that an import needs; `undefined` for one that constructs no directive. */
export function capabilityOf({ class: importClass, name }: AnalysedImport): Capability | undefined {
  if (importClass !== 'directive') return undefined;
  return DIRECTIVES.get(name)?.capability ?? undefined;
}

/** The capabilities that imports need, each once, in alphabetical order. */
export function capabilitiesNeededBy(imports: readonly AnalysedImport[]): Capability[] {
  const needed = new Set(imports.map(capabilityOf));
  return CAPABILITIES.filter((capability) => needed.has(capability));
}

/** Capabilities among texts from a manifest. */
export function capabilitiesAmong(texts: readonly string[]): Set<Capability> {
  return new Set(texts.map(parseCapability).filter((capability) => capability !== undefined));
}
