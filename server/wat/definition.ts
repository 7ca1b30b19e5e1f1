import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { Location } from 'vscode-languageserver-types';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import { rangeIn } from './ranges.ts';

/** Where that is defined which the text speaks of at an offset, by identifier or by index. */
export function definitionOf(
  source: TextDocument,
  document: WatDocument,
  offset: number,
): Location | undefined {
  const symbol = document.definitionAt(offset);
  return symbol && { uri: source.uri, range: rangeIn(source, symbol.mark) };
}
