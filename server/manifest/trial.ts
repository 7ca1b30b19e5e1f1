// Edits are tried on the text before they are offered.

import { applyEdits, type Edit, type ParseError, parseTree } from 'jsonc-parser';
import type { DocumentProblem } from '../../engine/project/json-document.ts';
import { type ManifestReading, readManifest } from '../../engine/project/manifest.ts';
import { problemText } from './diagnostics.ts';
import { isShallow } from './tree.ts';

/** Whether edits of a manifest take a problem away and bring no other in its place. */
export function takesAway(
  problem: DocumentProblem,
  edits: readonly Edit[],
  before: ManifestReading,
): boolean {
  if (!parsesNoWorse(edits, before)) return false;
  const after = readManifest(applyEdits(before.text, [...edits]));
  // What is missing from a broken text is told only once the text is whole.
  const isWhole = syntaxErrors(before.text) === 0;
  if (isWhole && after.problems.length > before.problems.length) return false;
  return countOf(problem, after) < countOf(problem, before);
}

/** Whether a text has no more syntax errors with the edits than without. */
export function parsesNoWorse(edits: readonly Edit[], { text }: ManifestReading): boolean {
  // A value that the end of the text cuts off is said to end behind it, where nothing can be written.
  if (edits.some(({ offset, length }) => offset + length > text.length)) return false;
  const edited = applyEdits(text, [...edits]);
  return isShallow(edited) && syntaxErrors(edited) <= syntaxErrors(text);
}

function syntaxErrors(text: string): number {
  const errors: ParseError[] = [];
  parseTree(text, errors, { allowTrailingComma: false });
  return errors.length;
}

function countOf(problem: DocumentProblem, { problems }: ManifestReading): number {
  const text = problemText(problem);
  return problems.filter((other) => problemText(other) === text).length;
}
