import {
  type Diagnostic,
  type DiagnosticRelatedInformation,
  DiagnosticSeverity,
  type Range,
} from 'vscode-languageserver-types';
import { RULES, type RuleCode } from '../../engine/rules/rules.ts';
import type { Severity } from '../../engine/rules/types.ts';
import type { SourceFixes } from '../analysis/jobs.ts';

/** A diagnostic with what the server knows how to do about it. */
export interface Entry {
  readonly diagnostic: Diagnostic;
  /** Changes of the document itself. */
  readonly fixes: readonly SourceFixes[];
}

/** What findings of all kinds have in common. */
export interface Told {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly help?: string;
}

/** How findings are told. */
export interface Telling {
  /** By the code of a rule, where it weighs otherwise than by default. */
  readonly severities: ReadonlyMap<string, Severity | 'off'>;
  /** The URI of the folder that holds the rules' pages, with a final slash. */
  readonly pages: string;
}

export const SOURCE = 'touchstone';

const SEVERITIES: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

const CODES: ReadonlySet<string> = new Set<RuleCode>(RULES.map(({ code }) => code));

/** A finding at its place, as the protocol says it; `undefined` where its rule is off. */
export function toDiagnostic(
  { code, severity, message, help }: Told,
  range: Range,
  relatedInformation: DiagnosticRelatedInformation[],
  { severities, pages }: Telling,
): Diagnostic | undefined {
  const weight = severities.get(code) ?? severity;
  if (weight === 'off') return undefined;
  return {
    range,
    severity: SEVERITIES[weight],
    code,
    ...(CODES.has(code) && { codeDescription: { href: `${pages}${code}.md` } }),
    source: SOURCE,
    message: help === undefined ? message : `${message}\n${help}`,
    ...(relatedInformation.length > 0 && { relatedInformation }),
  };
}
