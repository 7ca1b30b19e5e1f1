import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { InlayHint, Range } from 'vscode-languageserver-types';
import type { EditableDeclaration } from '../../engine/source/types.ts';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import type { Classification, Whitelist } from '../../engine/whitelist/types.ts';
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
    const label = classificationText(classificationOf(declaration, whitelist));
    return [{ position: source.positionAt(end), label, paddingLeft: true }];
  });
}

/** A type that the text does not tell is taken for the listed one, as in its findings. */
function classificationOf(
  { module, name, kind, type }: EditableDeclaration,
  whitelist: Whitelist,
): Classification {
  const found = whitelist.classify({ module, name, kind, type: type ?? '' });
  const isUntold = type === undefined && kind === 'function' && 'function' in found;
  return isUntold ? { class: found.function.class, function: found.function } : found;
}
