import type { Connection, InitializeParams } from 'vscode-languageserver';
import {
  CodeLensRefreshRequest,
  DidChangeConfigurationNotification,
  TextDocuments,
} from 'vscode-languageserver';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { z } from 'zod';
import { capabilitiesFor } from './capabilities.ts';
import { readClient } from './client.ts';
import { registerDiagnostics } from './diagnostics/handlers.ts';
import { registerFeatures } from './features/handlers.ts';
import { registerFiles } from './files.ts';
import { createLater } from './later.ts';
import { SETTINGS_SECTION, TrustGranted } from './protocol.ts';
import { registerRequests } from './requests/handlers.ts';
import { scan } from './scan.ts';
import type { ServerOptions, Serving } from './serving.ts';
import { createSession, type Session } from './session.ts';
import { watExtent } from './wat/extent.ts';
import { keyOf, pathOf } from './workspace/uris.ts';

/** Serves one client over a connection that is not listening yet. */
export function startServer(connection: Connection, options: ServerOptions): void {
  const open = new Map<string, TextDocument>();
  const documents = new TextDocuments(TextDocument);
  let session: Session | undefined;
  let stop: () => Promise<void> = async () => undefined;

  documents.onDidChangeContent(({ document }) => {
    open.set(keyOf(document.uri), document);
    session?.edited(document);
  });
  documents.onDidClose(({ document }) => {
    open.delete(keyOf(document.uri));
    session?.closed(document);
  });
  connection.onInitialize((params) => {
    const serving = serve(connection, options, params, open);
    session = serving.session;
    stop = serving.stop;
    return {
      capabilities: capabilitiesFor(serving.client),
      serverInfo: { name: 'touchstone', version: options.version },
    };
  });
  connection.onShutdown(() => stop());
  documents.listen(connection);
  connection.listen();
}

/** Everything for a client that has introduced itself. */
function serve(
  connection: Connection,
  options: ServerOptions,
  params: InitializeParams,
  open: ReadonlyMap<string, TextDocument>,
): Serving & { stop(): Promise<void> } {
  const client = readClient(params.initializationOptions, params.capabilities);
  const session = createSession({
    ...options,
    cacheFolder:
      client.cacheFolder === undefined ? options.cacheFolder : (client.cacheFolder ?? undefined),
    open: (key) => open.get(key),
    allOpen: () => open.values(),
    settings: client.settings,
    watExtent: () => watExtent(client),
    isTrusted: client.isTrusted,
    ...(client.pulls
      ? { refresh: () => void connection.languages.diagnostics.refresh() }
      : { push: (sent) => void connection.sendDiagnostics(sent) }),
    refreshViews: refreshing(connection, params),
  });
  const serving: Serving = {
    connection,
    client,
    session,
    options,
    document: (uri) => open.get(keyOf(uri)),
  };
  registerDiagnostics(serving);
  registerFeatures(serving);
  const requests = registerRequests(serving);
  const files = registerFiles(serving);
  const abort = new AbortController();
  registerSettings(serving);
  connection.onNotification(TrustGranted, () => {
    client.trust();
    void session.judgeAll();
  });

  const addFolder = async (folder: string): Promise<void> => {
    files.addFolder(folder);
    await scan(serving, folder, abort.signal);
  };
  connection.onInitialized(async () => {
    files.start();
    const { dynamicRegistration } = params.capabilities.workspace?.didChangeConfiguration ?? {};
    if (dynamicRegistration === true) {
      const section = SETTINGS_SECTION;
      void connection.client.register(DidChangeConfigurationNotification.type, { section });
    }
    if (client.answersSettings) {
      client.setSettings(await connection.workspace.getConfiguration(SETTINGS_SECTION));
    }
    if (params.capabilities.workspace?.workspaceFolders === true) {
      connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
        for (const folder of pathsOf(removed)) {
          files.removeFolder(folder);
          void session.workspace.removeFolder(folder);
        }
        for (const folder of pathsOf(added)) void addFolder(folder);
      });
    }
    await Promise.all(foldersOf(params).map(addFolder));
  });
  return {
    ...serving,
    async stop() {
      abort.abort();
      await Promise.all([requests.close(), files.end()]);
      await session.close();
    },
  };
}

/** Views are asked for again so long after the first change, in milliseconds. */
const REFRESH_AFTER = 50;

/** Tells a client that takes it that lenses and hints may be others now, once for many changes. */
function refreshing(connection: Connection, { capabilities }: InitializeParams): () => void {
  const { codeLens, inlayHint } = capabilities.workspace ?? {};
  return createLater(REFRESH_AFTER, () => {
    // A client that goes meanwhile needs no views.
    const ignore = () => undefined;
    if (codeLens?.refreshSupport) connection.sendRequest(CodeLensRefreshRequest.type).catch(ignore);
    if (inlayHint?.refreshSupport) connection.languages.inlayHint.refresh().catch(ignore);
  }).ask;
}

/** Settings come when they are asked for, or with the news that they have changed. */
function registerSettings({ connection, client, session }: Serving): void {
  connection.onDidChangeConfiguration(async ({ settings }) => {
    const sent = z.looseObject({}).safeParse(settings).data?.[SETTINGS_SECTION];
    client.setSettings(
      client.answersSettings ? await connection.workspace.getConfiguration(SETTINGS_SECTION) : sent,
    );
    await session.judgeAll();
  });
}

function foldersOf({ workspaceFolders, rootUri }: InitializeParams): string[] {
  if (workspaceFolders) return pathsOf(workspaceFolders);
  return rootUri === null ? [] : pathsOf([{ uri: rootUri }]);
}

function pathsOf(folders: readonly { readonly uri: string }[]): string[] {
  return folders.flatMap(({ uri }) => pathOf(uri) ?? []);
}
