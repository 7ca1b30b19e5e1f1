// The diagnostics of one file, from everything that is known: a finding shows on the module, on the
// manifest's line that names it, and on the declaration in the source that causes it (DESIGN 11).

import { TextDocument } from 'vscode-languageserver-textdocument';
import type { DiagnosticRelatedInformation, Range } from 'vscode-languageserver-types';
import type {
  JobFailure,
  SourceAnalysis,
  SourceDeclaration,
  SourceFinding,
} from '../analysis/jobs.ts';
import { isFailure } from '../analysis/lane.ts';
import { FILE_START } from '../analysis/project.ts';
import type { AnalysedFinding, AnalysedImport, Analysis, Place } from '../analysis/results.ts';
import { manifestProblems } from '../manifest/diagnostics.ts';
import { rangeOnManifest } from '../manifest/places.ts';
import type { WatExtent } from '../wat/extent.ts';
import type { Project, Projects } from '../workspace/projects.ts';
import type { Source, Sources } from '../workspace/sources.ts';
import { uriOf } from '../workspace/uris.ts';
import { type Entry, type Telling, type Told, toDiagnostic } from './diagnostic.ts';

/** Everything that diagnostics are made from. */
export interface Known extends Telling {
  /** How much is said of WebAssembly text: another server may say what does not assemble. */
  readonly watExtent: WatExtent;
  readonly projects: Projects;
  readonly sources: Sources;
}

/** The diagnostics of a file, in the order of their places. */
export function entriesOf(path: string, known: Known): readonly Entry[] {
  const project = known.projects.get(path);
  const source = known.sources.get(path);
  const entries = [
    ...(project === undefined ? [] : manifestEntries(project, known)),
    ...moduleEntries(path, known),
    ...(source === undefined ? [] : sourceEntries(source, known)),
  ];
  return entries.sort((a, b) => compare(a.diagnostic.range, b.diagnostic.range));
}

/** The files that a project's findings show in, beside its sources. */
export function filesOf({ path, artifact, certificate }: Project): string[] {
  return [path, artifact, certificate].filter((file) => file !== undefined);
}

function manifestEntries(project: Project, known: Known): Entry[] {
  const { reading, outcome, path } = project;
  const document = TextDocument.create(uriOf(path), 'jsonc', 0, reading.text);
  const entries: Entry[] = manifestProblems(document, reading).map((diagnostic) => ({
    diagnostic,
    fixes: [],
  }));
  // What was found before the manifest broke is about another one.
  if (outcome === undefined || reading.manifest === undefined) return entries;
  const rangeAt = (place: Place): Range => {
    const { offset, length } = rangeOnManifest(reading, place);
    return { start: document.positionAt(offset), end: document.positionAt(offset + length) };
  };
  if (isFailure(outcome)) {
    const range = rangeAt({ file: 'manifest', path: [fieldAtFault(outcome)] });
    return [...entries, ...told(failureTold(outcome), range, [], known)];
  }
  for (const finding of outcome.findings) {
    const related = relatedOf(finding, project);
    const own = finding.place.file === 'manifest' ? [] : [locationOf(finding, project)];
    entries.push(...told(finding, rangeAt(finding.place), [...own, ...related], known));
  }
  return entries;
}

function moduleEntries(path: string, known: Known): Entry[] {
  const entries: Entry[] = [];
  const { projects } = known;
  for (const project of projects.owning(path)) {
    const { outcome, artifact, reading } = project;
    if (outcome === undefined || isFailure(outcome) || reading.manifest === undefined) continue;
    const file = path === artifact ? 'artifact' : 'certificate';
    for (const finding of outcome.findings) {
      if (finding.place.file !== file) continue;
      entries.push(...told(finding, finding.place.range, relatedOf(finding, project), known));
    }
  }
  const stray = projects.stray(path)?.outcome;
  if (stray === undefined) return entries;
  if (isFailure(stray)) return [...entries, ...told(failureTold(stray), FILE_START, [], known)];
  for (const finding of stray.findings) {
    const range = 'range' in finding.place ? finding.place.range : FILE_START;
    const related = finding.related.map(({ message, place }) => ({
      message,
      location: { uri: uriOf(path), range: 'range' in place ? place.range : FILE_START },
    }));
    entries.push(...told(finding, range, related, known));
  }
  return entries;
}

/** What the compiled module says of an import counts for more than what its declaration does. */
function sourceEntries({ path, analysis }: Source, known: Known): Entry[] {
  if (analysis === undefined) return [];
  if (isFailure(analysis)) return told(failureTold(analysis), FILE_START, [], known);
  const compiled = compiledFindings(path, known);
  const entries: Entry[] = [];
  for (const [index, declaration] of analysis.declarations.entries()) {
    const found = compiled.get(keyOf(declaration));
    if (found !== undefined && isCurrent(declaration, found)) {
      const { finding, project } = found;
      const related = [locationOf(finding, project), ...relatedOf(finding, project)];
      entries.push(...told(finding, declaration.mark, related, known, declaration.fixes));
      continue;
    }
    for (const finding of analysis.findings.filter((each) => each.declaration === index)) {
      entries.push(...told(finding, finding.range, [], known, declaration.fixes));
    }
  }
  return [...entries, ...otherFindings(path, analysis, known)];
}

function otherFindings(path: string, { findings }: SourceAnalysis, known: Known): Entry[] {
  const uri = uriOf(path);
  const isOurs = ({ code }: SourceFinding) =>
    known.watExtent === 'all' || code !== 'invalid-module';
  return findings
    .filter((finding) => finding.declaration === undefined && isOurs(finding))
    .flatMap((finding) => {
      const related = finding.related.map(({ message, place }) => ({
        message,
        location: { uri, range: 'range' in place ? place.range : FILE_START },
      }));
      return told(finding, finding.range, related, known);
    });
}

interface CompiledFinding {
  readonly finding: AnalysedFinding;
  readonly entry: AnalysedImport;
  readonly project: Project;
}

/** The findings about imports of the modules that are built from a source, by what is imported. */
function compiledFindings(path: string, { projects }: Known): ReadonlyMap<string, CompiledFinding> {
  const found = new Map<string, CompiledFinding>();
  for (const project of projects.builtFrom(path)) {
    const { outcome } = project;
    if (outcome === undefined || isFailure(outcome)) continue;
    for (const finding of outcome.findings) {
      const entry =
        finding.importIndex === undefined ? undefined : outcome.imports[finding.importIndex];
      if (entry === undefined || found.has(keyOf(entry))) continue;
      found.set(keyOf(entry), { finding, entry, project });
    }
  }
  return found;
}

/** Whether a declaration still is as it was built: a type that was mended since is mended here. */
function isCurrent({ type, kind }: SourceDeclaration, { entry }: CompiledFinding): boolean {
  return kind === entry.kind && (type === undefined || type === entry.type);
}

function keyOf({ module, name }: Pick<AnalysedImport, 'module' | 'name'>): string {
  return JSON.stringify([module, name]);
}

/** The imports for which a declaration is looked for in the sources. */
export function needsSources(outcome: Analysis | JobFailure): boolean {
  return !isFailure(outcome) && outcome.findings.some((each) => each.importIndex !== undefined);
}

function relatedOf({ related }: AnalysedFinding, project: Project): DiagnosticRelatedInformation[] {
  return related.map(({ message, place }) => ({ message, location: locate(place, project) }));
}

/** Where the finding itself is, for a diagnostic that shows it elsewhere. */
function locationOf({ place }: AnalysedFinding, project: Project): DiagnosticRelatedInformation {
  const what = place.file === 'certificate' ? 'in the certificate' : 'in the module';
  return { message: what, location: locate(place, project) };
}

function locate(place: Place, { path, artifact, certificate, reading }: Project) {
  if (place.file === 'manifest') {
    const document = TextDocument.create('', 'jsonc', 0, reading.text);
    const { offset, length } = rangeOnManifest(reading, place);
    const range = { start: document.positionAt(offset), end: document.positionAt(offset + length) };
    return { uri: uriOf(path), range };
  }
  const file = place.file === 'artifact' ? artifact : certificate;
  return { uri: uriOf(file ?? path), range: place.range };
}

function told(
  finding: Told,
  range: Range,
  related: DiagnosticRelatedInformation[],
  known: Known,
  fixes: Entry['fixes'] = [],
): Entry[] {
  const diagnostic = toDiagnostic(finding, range, related, known);
  return diagnostic === undefined ? [] : [{ diagnostic, fixes }];
}

/** What says nothing of the file itself. */
const OWN_FAULTS: ReadonlySet<string> = new Set(['timeout', 'crashed', 'closed']);

/** Not a rule's: what kept the rules from looking. */
function failureTold({ failed, message }: JobFailure): Told {
  return { code: failed, severity: OWN_FAULTS.has(failed) ? 'warning' : 'error', message };
}

function fieldAtFault({ failed }: JobFailure): string {
  return failed === 'invalid-whitelist' ? 'whitelist' : 'artifact';
}

function compare(a: Range, b: Range): number {
  return a.start.line - b.start.line || a.start.character - b.start.character;
}
