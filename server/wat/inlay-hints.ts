import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InlayHint, Range } from 'vscode-languageserver-types';
import { classifyDeclaration } from '../../engine/rules/declarations.ts';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import type { Whitelist } from '../../engine/whitelist/types.ts';
import { classificationText } from './listed-text.ts';

/** What each import is, behind its declaration, for those that end in a range of the text. */
export function importHints(
  source: TextDocument,
  document: WatDocument,
  range: Range,
  whitelist: Whitelist,
): InlayHint[] {
  const [from, to] = [source.offsetAt(range.start), source.offsetAt(range.end)];
  return document.imports.flatMap((declaration) => {
    const end = declaration.range.offset + declaration.range.length;
    if (end < from || end > to) return [];
    const label = classificationText(classifyDeclaration(declaration, whitelist));
    return [{ position: source.positionAt(end), label, paddingLeft: true }];
  });
}
