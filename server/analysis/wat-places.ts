// Where the text causes what the rules found in the module that it assembles to.

import type { ModuleReport } from '../../engine/module/types.ts';
import type { TextRange } from '../../engine/project/json-document.ts';
import type { Diagnostic } from '../../engine/rules/types.ts';
import type { WatDocument, WatField } from '../../engine/source/wat/document.ts';

/** The piece of the text that a finding is about; its head, where no piece is to blame. */
export function placeInWat(
  { code, subject, location }: Diagnostic,
  report: ModuleReport | undefined,
  document: WatDocument,
): TextRange {
  const found = pieceOf(code, subject, location?.offset, report, document);
  return (
    found ?? document.moduleKeyword ?? { offset: 0, length: Math.min(1, document.text.length) }
  );
}

function pieceOf(
  code: string,
  subject: string,
  offset: number | undefined,
  report: ModuleReport | undefined,
  document: WatDocument,
): TextRange | undefined {
  switch (code) {
    case 'start-function':
      return document.fieldOf('start', 0)?.mark;
    case 'unbounded-memory':
      return markOf(document.fieldOf('memory', Number(/\d+$/.exec(subject)?.[0])));
    case 'missing-memory':
      return exportNamed('memory', document) ?? markOf(document.fieldOf('memory', 0));
    case 'missing-entry':
      return exportAt(offset, report, document);
    case 'nondeterministic-instruction':
      return undefined;
    default:
      return undefined;
  }
}

function markOf(field: WatField | undefined): TextRange | undefined {
  return field?.mark;
}

function exportNamed(name: string, document: WatDocument): TextRange | undefined {
  for (const field of document.fields) {
    const found = field.exports.find((each) => each.name === name);
    if (found !== undefined) return found.mark;
  }
  return undefined;
}

function exportAt(
  offset: number | undefined,
  report: ModuleReport | undefined,
  document: WatDocument,
): TextRange | undefined {
  const name = report?.exports.find((each) => each.offset === offset)?.name;
  return name === undefined ? undefined : exportNamed(name, document);
}
