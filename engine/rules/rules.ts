import { artifactMissing } from './artifact-missing.ts';
import { artifactStale } from './artifact-stale.ts';
import { capabilityUndeclared } from './capability-undeclared.ts';
import { certificateInvalid } from './certificate-invalid.ts';
import { certificateMissing } from './certificate-missing.ts';
import { certificateStale } from './certificate-stale.ts';
import { certifierUntrusted } from './certifier-untrusted.ts';
import { componentNotModule } from './component-not-module.ts';
import { importTypeMismatch } from './import-type-mismatch.ts';
import { impureImport } from './impure-import.ts';
import { invalidModule } from './invalid-module.ts';
import { missingEntry } from './missing-entry.ts';
import { missingMemory } from './missing-memory.ts';
import { nondeterministicInstruction } from './nondeterministic-instruction.ts';
import { readerDisagreement } from './reader-disagreement.ts';
import { startFunction } from './start-function.ts';
import type { Diagnostic, Rule, RuleContext, Severity } from './types.ts';
import { unboundedMemory } from './unbounded-memory.ts';
import { unknownHostFunction } from './unknown-host-function.ts';
import { unreachableImpureImport } from './unreachable-impure-import.ts';
import { whitelistOutdated } from './whitelist-outdated.ts';

/** Every rule (DESIGN 11), in the order in which their findings are told. */
export const RULES = Object.freeze([
  artifactMissing,
  invalidModule,
  componentNotModule,
  readerDisagreement,
  impureImport,
  unknownHostFunction,
  importTypeMismatch,
  unreachableImpureImport,
  missingEntry,
  missingMemory,
  nondeterministicInstruction,
  unboundedMemory,
  startFunction,
  capabilityUndeclared,
  artifactStale,
  certificateMissing,
  certificateStale,
  certificateInvalid,
  certifierUntrusted,
  whitelistOutdated,
] as const satisfies readonly Rule[]);

export type RuleCode = (typeof RULES)[number]['code'];

/** What rules weigh, where not as by default; `off` silences one. Set by a machine, not by a project. */
export type Severities = Readonly<Partial<Record<RuleCode, Severity | 'off'>>>;

const ORDER: readonly Severity[] = ['error', 'warning', 'info'];

/** Runs every rule that is not off. Errors come first, otherwise the order of {@link RULES}. */
export function runRules(context: RuleContext, severities: Severities = {}): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  for (const rule of RULES) {
    const configured = Object.hasOwn(severities, rule.code) ? severities[rule.code] : undefined;
    if (configured === 'off') continue;
    for (const finding of rule.check(context)) {
      const severity = configured ?? finding.severity ?? rule.severity;
      diagnostics.push({ ...finding, code: rule.code, severity });
    }
  }
  return diagnostics.sort((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
}
