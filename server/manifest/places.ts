import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver-types';
import type { TextRange } from '../../engine/project/json-document.ts';
import type { ManifestReading } from '../../engine/project/manifest.ts';
import type { Place } from '../analysis/results.ts';

/**
 * Where a finding shows on a manifest, in the text as it is now: on the field that it names; where
 * that is not written, on the opening bracket of what it belongs to, else on `artifact`. Findings in
 * the artifact and its certificate show on `artifact`, and where there is none, at the beginning.
 */
export function rangeOnManifest(reading: ManifestReading, place: Place): TextRange {
  const { offset, length } = placeOf(reading, place);
  // A value that the end of the text cuts off is said to end behind it.
  return { offset, length: Math.min(length, reading.text.length - offset) };
}

function placeOf(reading: ManifestReading, place: Place): TextRange {
  if (place.file === 'manifest') {
    const field = reading.locate(place.path);
    if (field !== undefined) return field;
    for (let depth = place.path.length - 1; depth > 0; depth--) {
      const around = reading.locate(place.path.slice(0, depth));
      if (around !== undefined) return firstOf(around);
    }
  }
  return reading.locate(['artifact']) ?? openingOf(reading);
}

/** The opening brace of a manifest, or the beginning of a text that has none. */
export function openingOf(reading: ManifestReading): TextRange {
  const root = reading.locate([]);
  return root === undefined ? { offset: 0, length: 0 } : firstOf(root);
}

function firstOf({ offset, length }: TextRange): TextRange {
  return { offset, length: Math.min(length, 1) };
}

/**
 * A piece of a manifest's text as the editor's lines and characters. Offsets of a reading do not
 * count a byte order mark; the document may hold one.
 */
export function toRange(document: TextDocument, { offset, length }: TextRange): Range {
  const start = offset + markLength(document);
  return { start: document.positionAt(start), end: document.positionAt(start + length) };
}

/** The reverse of {@link toRange}, for a position. */
export function toOffset(document: TextDocument, position: Range['start']): number {
  return Math.max(0, document.offsetAt(position) - markLength(document));
}

/** Whether two pieces of a text share a character or touch. */
export function touches(a: TextRange, b: TextRange): boolean {
  return a.offset <= b.offset + b.length && b.offset <= a.offset + a.length;
}

function markLength(document: TextDocument): number {
  return document.getText().startsWith('\uFEFF') ? 1 : 0;
}
