import {
  CodeActionKind,
  FileOperationPatternKind,
  type ServerCapabilities,
  TextDocumentSyncKind,
} from 'vscode-languageserver';
import type { Client } from './client.ts';

/** What the server can do for a client. */
export function capabilitiesFor({ pulls }: Client): ServerCapabilities {
  const operations = {
    filters: [FileOperationPatternKind.file, FileOperationPatternKind.folder].map((matches) => ({
      scheme: 'file',
      pattern: { glob: '**/*', matches },
    })),
  };
  return {
    textDocumentSync: { openClose: true, change: TextDocumentSyncKind.Incremental },
    hoverProvider: true,
    completionProvider: { triggerCharacters: ['"', '(', '$', ' ', '.'] },
    definitionProvider: true,
    referencesProvider: true,
    documentHighlightProvider: true,
    documentSymbolProvider: true,
    documentLinkProvider: { resolveProvider: false },
    inlayHintProvider: true,
    codeLensProvider: { resolveProvider: false },
    codeActionProvider: { codeActionKinds: [CodeActionKind.QuickFix] },
    ...(pulls && {
      diagnosticProvider: {
        identifier: 'touchstone',
        interFileDependencies: true,
        workspaceDiagnostics: true,
        workDoneProgress: true,
      },
    }),
    workspace: {
      workspaceFolders: { supported: true, changeNotifications: true },
      fileOperations: { didCreate: operations, didRename: operations, didDelete: operations },
    },
  };
}
