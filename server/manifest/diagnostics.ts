import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type Diagnostic, DiagnosticSeverity } from 'vscode-languageserver-types';
import { type DocumentProblem, pathText } from '../../engine/project/json-document.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import { toRange } from './places.ts';
import { schemaAt } from './schema.ts';

/** The code of everything that is wrong with a manifest by itself. */
export const INVALID_MANIFEST = 'invalid-manifest';

/** What is wrong with a manifest, each problem at its place. `reading` is that of the document. */
export function manifestProblems(document: TextDocument, reading: ManifestReading): Diagnostic[] {
  return reading.problems.map((problem) => ({
    range: toRange(document, problem),
    severity: DiagnosticSeverity.Error,
    source: 'touchstone',
    code: INVALID_MANIFEST,
    message: problemText(problem),
  }));
}

/** A problem in one line: `limits.fuel: it is too small: at least 1`. */
export function problemText({ path, message }: DocumentProblem): string {
  // What is said of the document, and of a field that does not exist, names its place itself.
  return path.length === 0 || schemaAt(path) === undefined
    ? message
    : `${pathText(path)}: ${message}`;
}
