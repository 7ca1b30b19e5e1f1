import { TextDocument } from 'vscode-languageserver-textdocument';
import { type CodeAction, CodeActionKind, type Range } from 'vscode-languageserver-types';
import type { Entry } from '../diagnostics/diagnostic.ts';

/** Whether texts assemble, each. */
export type Assembles = (texts: readonly string[]) => Promise<readonly boolean[]>;

/**
 * The quick fixes of what is found in a piece of a source.
 * @param assembles for text that does assemble, so that no fix is offered that would break it.
 */
export async function sourceFixes(
  document: TextDocument,
  entries: readonly Entry[],
  range: Range,
  assembles: Assembles | undefined,
): Promise<CodeAction[]> {
  const actions = entries
    .filter(({ diagnostic }) => overlap(diagnostic.range, range))
    .flatMap(({ diagnostic, fixes }) =>
      fixes.map(({ title, edits }, i) => ({
        title,
        kind: CodeActionKind.QuickFix,
        diagnostics: [diagnostic],
        isPreferred: i === 0,
        edit: { changes: { [document.uri]: edits.map((edit) => ({ ...edit })) } },
        edits,
      })),
    );
  const texts = actions.map(({ edits }) => TextDocument.applyEdits(document, [...edits]));
  const good = assembles === undefined ? texts.map(() => true) : await assembles(texts);
  return actions.filter((_, i) => good[i]).map(({ edits: _, ...action }) => action);
}

/** Whether two ranges share a place; one that is empty has its own. */
export function overlap(a: Range, b: Range): boolean {
  return !isBefore(a.end, b.start) && !isBefore(b.end, a.start);
}

function isBefore(a: Range['start'], b: Range['start']): boolean {
  return a.line < b.line || (a.line === b.line && a.character < b.character);
}
