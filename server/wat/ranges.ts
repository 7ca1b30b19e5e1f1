import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Range } from 'vscode-languageserver-types';
import type { TextRange } from '../../engine/project/json-document.ts';

/** A piece of a text as the protocol counts. */
export function rangeIn(source: TextDocument, { offset, length }: TextRange): Range {
  return { start: source.positionAt(offset), end: source.positionAt(offset + length) };
}
