// SARIF 2.1.0 (OASIS), as code scanning services read it: every result has a text location and a
// fingerprint that stays the same from build to build.

import type { Crypto } from '../crypto/crypto.ts';
import { canonicalBytes } from '../encoding/json.ts';
import { lineAndColumn } from '../project/json-document.ts';
import type { Examination } from './examine.ts';
import { RULES } from './rules.ts';
import type { Diagnostic, Location, Severity } from './types.ts';

/** Where the pages of the rules lie, relative to the root of this project's repository. */
export const RULE_PAGES = 'docs/rules/';

/** The page of a rule. */
export function rulePage(code: string): string {
  return `${RULE_PAGES}${code}.md`;
}

export interface SarifLog {
  readonly $schema: string;
  readonly version: '2.1.0';
  readonly runs: readonly [SarifRun];
}

export interface SarifRun {
  readonly tool: { readonly driver: SarifDriver };
  readonly columnKind: 'utf16CodeUnits';
  readonly results: readonly SarifResult[];
}

export interface SarifDriver {
  readonly name: string;
  readonly semanticVersion: string;
  readonly rules: readonly SarifRule[];
}

type Level = 'error' | 'warning' | 'note';

export interface SarifRule {
  readonly id: string;
  readonly shortDescription: SarifText;
  readonly helpUri: string;
  readonly help: SarifText;
  readonly defaultConfiguration: { readonly level: Level };
  readonly properties: { readonly tags: readonly string[] };
}

export interface SarifText {
  readonly text: string;
}

export interface SarifResult {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: Level;
  readonly message: SarifText;
  readonly locations: readonly [SarifLocation];
  readonly relatedLocations?: readonly SarifLocation[];
  readonly partialFingerprints: Readonly<Record<string, string>>;
}

export interface SarifLocation {
  readonly id?: number;
  readonly message?: SarifText;
  readonly physicalLocation: {
    readonly artifactLocation: { readonly uri: string; readonly uriBaseId?: '%SRCROOT%' };
    readonly region: SarifRegion;
  };
}

/** Lines and columns count from 1, columns in UTF-16 units; bytes from 0. */
export interface SarifRegion {
  readonly startLine: number;
  readonly startColumn?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
  readonly byteOffset?: number;
}

export interface SarifOptions {
  readonly crypto: Crypto;
  /** The version of this tool. */
  readonly version: string;
}

const SCHEMA =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';
const LEVELS: Readonly<Record<Severity, Level>> = {
  error: 'error',
  warning: 'warning',
  info: 'note',
};

/**
 * The log of a check: all diagnostics of all examined artifacts, in their order. Paths are taken as
 * relative to the root of the checkout, with forward slashes, or as absolute.
 */
export function toSarif(examinations: readonly Examination[], options: SarifOptions): SarifLog {
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'touchstone',
            semanticVersion: options.version,
            rules: RULES.map(toRule),
          },
        },
        columnKind: 'utf16CodeUnits',
        results: examinations.flatMap((examination) => toResults(examination, options.crypto)),
      },
    ],
  };
}

function toRule({ code, severity, summary }: (typeof RULES)[number]): SarifRule {
  return {
    id: code,
    shortDescription: { text: summary },
    helpUri: rulePage(code),
    help: { text: `${summary} See ${rulePage(code)}.` },
    defaultConfiguration: { level: LEVELS[severity] },
    properties: { tags: ['security', 'purity'] },
  };
}

function toResults(examination: Examination, crypto: Crypto): SarifResult[] {
  const counts = new Map<string, number>();
  return examination.artifact.diagnostics.map((diagnostic) => {
    const identity = [diagnostic.code, examination.artifact.path, diagnostic.subject];
    const fingerprint = crypto.sha256(canonicalBytes(identity.map((text) => text.toWellFormed())));
    const nth = (counts.get(fingerprint) ?? 0) + 1;
    counts.set(fingerprint, nth);
    const related = relatedLocations(diagnostic, examination);
    return {
      ruleId: diagnostic.code,
      ruleIndex: RULES.findIndex(({ code }) => code === diagnostic.code),
      level: LEVELS[diagnostic.severity],
      message: { text: messageOf(diagnostic) },
      locations: [primaryLocation(diagnostic.location, examination)],
      ...(related.length > 0 && { relatedLocations: related }),
      partialFingerprints: { primaryLocationLineHash: `${fingerprint.slice(0, 16)}:${nth}` },
    };
  });
}

function messageOf({ message, help }: Diagnostic): string {
  return help === undefined ? `${message}.` : `${message}. ${help}`;
}

/**
 * Where a result shows. A viewer shows no line of a binary, so what is found in the artifact of a
 * project shows on the `artifact` line of its manifest; the byte is a related location.
 */
function primaryLocation(location: Location | undefined, examination: Examination): SarifLocation {
  const { artifact, manifest, certificatePath } = examination;
  if (location?.file === 'certificate' && certificatePath !== undefined) {
    return at(certificatePath, { startLine: 1 });
  }
  if (manifest === undefined) return at(artifact.path, artifactRegion(location));
  const range =
    location?.file === 'manifest' && location.offset !== undefined
      ? { offset: location.offset, length: location.length ?? 1 }
      : (manifest.locate(['artifact']) ?? { offset: 0, length: 1 });
  return at(manifest.path, textRegion(manifest.text, range));
}

function relatedLocations(diagnostic: Diagnostic, examination: Examination): SarifLocation[] {
  const { location, related = [] } = diagnostic;
  const own =
    examination.manifest !== undefined &&
    location?.file === 'artifact' &&
    location.offset !== undefined
      ? [{ message: 'the byte in the module', location }]
      : [];
  return [...own, ...related].map(({ message, location }, i) => ({
    id: i + 1,
    message: { text: message },
    ...(location.file === 'artifact'
      ? at(examination.artifact.path, artifactRegion(location))
      : primaryLocation(location, examination)),
  }));
}

function artifactRegion(location: Location | undefined): SarifRegion {
  return location?.offset === undefined
    ? { startLine: 1 }
    : { startLine: 1, byteOffset: location.offset };
}

function textRegion(text: string, range: { offset: number; length: number }): SarifRegion {
  const start = lineAndColumn(text, range.offset);
  const end = lineAndColumn(text, range.offset + range.length);
  return {
    startLine: start.line,
    startColumn: start.column,
    endLine: end.line,
    endColumn: end.column,
  };
}

function at(path: string, region: SarifRegion): SarifLocation {
  return { physicalLocation: { artifactLocation: artifactLocation(path), region } };
}

/** A relative path below the checkout's root, or the `file:` URI of an absolute one (RFC 8089). */
function artifactLocation(path: string): { uri: string; uriBaseId?: '%SRCROOT%' } {
  const slashed = /^[A-Za-z]:[\\/]|^\\\\/.test(path) ? path.replaceAll('\\', '/') : path;
  const uri = slashed
    .split('/')
    .map((step) => encodeURIComponent(step.toWellFormed()))
    .join('/');
  if (/^[A-Za-z]:\//.test(slashed)) return { uri: `file:///${uri.replace('%3A', ':')}` };
  if (slashed.startsWith('//')) return { uri: `file:${uri}` };
  if (slashed.startsWith('/')) return { uri: `file://${uri}` };
  return { uri: uri.replace(/^(?:\.\/)+/, ''), uriBaseId: '%SRCROOT%' };
}
