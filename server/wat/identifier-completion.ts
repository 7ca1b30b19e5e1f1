import type { TextDocument } from 'vscode-languageserver-textdocument';
import { type CompletionItem, CompletionItemKind } from 'vscode-languageserver-types';
import { displayText } from '../../engine/encoding/display.ts';
import type { TextRange } from '../../engine/project/json-document.ts';
import type { WatDocument, WatSpace, WatSymbol } from '../../engine/source/wat/document.ts';
import { writtenIdentifier } from '../../engine/source/wat/import-edits.ts';
import { Scanner, TOKEN } from '../../engine/source/wat/scanner.ts';
import { meaningOf } from '../../engine/source/wat/words.ts';
import { rangeIn } from './ranges.ts';

/** No list of an editor is read further. */
const MAX_ITEMS = 5000;

/**
 * The identifiers that may stand at an offset: of functions behind `call`, of the function's own
 * variables behind `local.get`, and so on.
 */
export function completeIdentifier(
  source: TextDocument,
  document: WatDocument,
  offset: number,
): CompletionItem[] {
  const use = useAt(document, offset);
  if (use === undefined) return [];
  const range = rangeIn(source, use.range);
  return symbolsIn(use.space, document, offset)
    .slice(0, MAX_ITEMS)
    .map((symbol) => {
      const identifier = writtenIdentifier(symbol.identifier);
      return {
        label: identifier,
        kind: KINDS[use.space],
        ...detailOf(symbol, document),
        filterText: identifier,
        textEdit: { range, newText: identifier },
      };
    });
}

const KINDS: Readonly<Record<WatSpace, CompletionItemKind>> = {
  type: CompletionItemKind.Struct,
  function: CompletionItemKind.Function,
  table: CompletionItemKind.Field,
  memory: CompletionItemKind.Field,
  global: CompletionItemKind.Variable,
  tag: CompletionItemKind.Event,
  element: CompletionItemKind.Field,
  data: CompletionItemKind.Constant,
  local: CompletionItemKind.Variable,
};

interface Use {
  readonly space: WatSpace;
  readonly range: TextRange;
}

/** An identifier that has been begun, or the empty place behind a word that takes one. */
function useAt(document: WatDocument, offset: number): Use | undefined {
  const { text } = document;
  const reference = document.referenceAt(offset);
  if (reference !== undefined) {
    const { space, range } = reference;
    return text.charAt(range.offset) === '$' && offset > range.offset
      ? { space, range }
      : undefined;
  }
  const field = document.fieldAt(offset);
  if (field === undefined) return undefined;
  const scanner = new Scanner(text, field.range.offset, offset);
  let space: WatSpace | undefined;
  while (scanner.next() !== TOKEN.end) {
    const isWord = scanner.kind === TOKEN.word && scanner.end < offset;
    const uses = isWord ? meaningOf(text, scanner.start, scanner.end)?.uses : undefined;
    space = uses?.alone;
  }
  // In a comment or a string nothing is used.
  const isBlank = /^[ \t]*$/.test(text.slice(scanner.previousEnd, offset));
  return space && isBlank ? { space, range: { offset, length: 0 } } : undefined;
}

function symbolsIn(space: WatSpace, document: WatDocument, offset: number): readonly WatSymbol[] {
  const field = document.fieldAt(offset);
  const symbols: readonly WatSymbol[] =
    space === 'local'
      ? field === undefined
        ? []
        : document.localsOf(field)
      : document.fields.filter(({ kind }) => kind === space);
  return symbols.filter(({ identifier }) => identifier !== '');
}

function detailOf(symbol: WatSymbol, document: WatDocument): { detail?: string } {
  const imported = document.importOf(symbol);
  if (imported !== undefined) {
    const { module, name, type = '' } = imported;
    return { detail: displayText(`import ${module}.${name} ${type}`.trim()) };
  }
  return {};
}
