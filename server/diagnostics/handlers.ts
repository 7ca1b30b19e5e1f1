import {
  DocumentDiagnosticReportKind,
  type WorkspaceDocumentDiagnosticReport,
} from 'vscode-languageserver';
import type { Serving } from '../serving.ts';
import { keyOf, uriOf } from '../workspace/uris.ts';

/** Reports are sent on in parts of so many files. */
const PART = 100;

/** Answers clients that ask for diagnostics, of a document or of the workspace. */
export function registerDiagnostics({ connection, client, session, document }: Serving): void {
  if (!client.pulls) return;
  const { publisher, workspace } = session;

  connection.languages.diagnostics.on(async ({ textDocument: { uri }, previousResultId }) => {
    const found = document(uri);
    if (found !== undefined) await session.settled(found);
    const { items, resultId } = publisher.report(keyOf(uri));
    return resultId === previousResultId
      ? { kind: DocumentDiagnosticReportKind.Unchanged, resultId }
      : { kind: DocumentDiagnosticReportKind.Full, resultId, items };
  });

  connection.languages.diagnostics.onWorkspace(async (params, token, progress, partial) => {
    const { previousResultIds } = params;
    progress.begin('Touchstone', undefined, 'examining executors', true);
    await workspace.settled();
    const before = new Map(previousResultIds.map(({ uri, value }) => [keyOf(uri), value]));
    const reports: WorkspaceDocumentDiagnosticReport[] = [];
    for (const key of new Set([...publisher.files(), ...before.keys()])) {
      if (token.isCancellationRequested) break;
      const { items, resultId } = publisher.report(key);
      const open = document(uriOf(key));
      const about = { uri: open?.uri ?? uriOf(key), version: open?.version ?? null, resultId };
      reports.push(
        before.get(key) === resultId
          ? { kind: DocumentDiagnosticReportKind.Unchanged, ...about }
          : { kind: DocumentDiagnosticReportKind.Full, ...about, items },
      );
      if (partial !== undefined && reports.length >= PART)
        partial.report({ items: reports.splice(0) });
    }
    progress.done();
    return { items: reports };
  });
}
