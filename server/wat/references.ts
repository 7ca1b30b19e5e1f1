import type { TextDocument } from 'vscode-languageserver-textdocument';
import {
  type DocumentHighlight,
  DocumentHighlightKind,
  type Location,
} from 'vscode-languageserver-types';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import { rangeIn } from './ranges.ts';

/** Every use of what the text speaks of at an offset, by identifier or by index. */
export function referencesTo(
  source: TextDocument,
  document: WatDocument,
  offset: number,
  options: { readonly includeDeclaration: boolean },
): Location[] {
  const symbol = document.definitionAt(offset);
  if (symbol === undefined) return [];
  const uses = document.referencesOf(symbol).map(({ range }) => range);
  const places = options.includeDeclaration ? [symbol.mark, ...uses] : uses;
  return places.map((place) => ({ uri: source.uri, range: rangeIn(source, place) }));
}

/** The same places, for an editor to mark while the caret is on one of them. */
export function highlightsOf(
  source: TextDocument,
  document: WatDocument,
  offset: number,
): DocumentHighlight[] {
  const symbol = document.definitionAt(offset);
  if (symbol === undefined) return [];
  const uses = document.referencesOf(symbol).map(({ range }) => ({
    range: rangeIn(source, range),
    kind: DocumentHighlightKind.Read,
  }));
  return [{ range: rangeIn(source, symbol.mark), kind: DocumentHighlightKind.Write }, ...uses];
}
