// Where the text causes what the rules found in the module that it assembles to.

import type { ModuleReport } from '../../engine/module/types.ts';
import type { TextRange } from '../../engine/project/json-document.ts';
import type { Diagnostic } from '../../engine/rules/types.ts';
import type { WatDocument } from '../../engine/source/wat/document.ts';
import {
  locateExport,
  locateNondeterministic,
  moduleHead,
} from '../../engine/source/wat/locate.ts';

/** The piece of the text that a finding is about; its head, where no piece is to blame. */
export function placeInWat(
  found: Diagnostic,
  report: ModuleReport | undefined,
  document: WatDocument,
): TextRange {
  return pieceOf(found, report, document) ?? moduleHead(document);
}

function pieceOf(
  { code, subject, location }: Diagnostic,
  report: ModuleReport | undefined,
  document: WatDocument,
): TextRange | undefined {
  const { offset } = location ?? {};
  switch (code) {
    case 'start-function':
      return document.fieldOf('start', 0)?.mark;
    case 'unbounded-memory':
      return document.fieldOf('memory', Number(/\d+$/.exec(subject)?.[0]))?.mark;
    case 'missing-memory':
      return locateExport(document, 'memory') ?? document.fieldOf('memory', 0)?.mark;
    case 'missing-entry':
      // The export is there, and is no entry.
      return offset === undefined ? undefined : locateExport(document, subject);
    case 'nondeterministic-instruction':
      return offset === undefined || report === undefined
        ? undefined
        : locateNondeterministic(document, report, offset);
    default:
      return undefined;
  }
}
