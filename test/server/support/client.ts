// A real client of the language server: `touchstone lsp --stdio` as a process, spoken to over its
// standard streams.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  type Diagnostic,
  type InitializeParams,
  type InitializeResult,
  type ProgressToken,
  type ProtocolConnection,
  type PublishDiagnosticsParams,
  StreamMessageReader,
  StreamMessageWriter,
  type TextDocumentContentChangeEvent,
  WorkDoneProgress,
} from 'vscode-languageserver-protocol/node';
import type { InitializationOptions } from '../../../server/protocol.ts';

/** As it is built, below the folder that everything is run in. */
const CLI = join('dist', 'cli.js');

/** A folder of its own for a test, with files; gone when the test ends. */
export function makeFolder(files: Readonly<Record<string, string | Uint8Array>> = {}) {
  // Editors and servers name real paths.
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'touchstone-lsp-')));
  const write = (name: string, contents: string | Uint8Array): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, contents);
    return path;
  };
  for (const [name, contents] of Object.entries(files)) write(name, contents);
  return {
    root,
    write,
    path: (name: string) => join(root, name),
    uri: (name: string) => pathToFileURL(join(root, name)).href,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

export interface ClientOptions {
  /** Workspace folders. */
  readonly folders?: readonly string[];
  readonly initialization?: InitializationOptions;
  readonly capabilities?: InitializeParams['capabilities'];
  /** What the client answers for the section `touchstone`; asked for only where it is given. */
  readonly settings?: unknown;
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each report of progress. */
  readonly onProgress?: (kind: 'begin' | 'report' | 'end') => void;
}

export interface Client {
  readonly connection: ProtocolConnection;
  readonly process: ChildProcess;
  readonly result: InitializeResult;
  /** What was pushed last, by URI. */
  readonly diagnostics: ReadonlyMap<string, PublishDiagnosticsParams>;
  /** What the server wrote to stderr. */
  stderr(): string;
  open(uri: string, languageId: string, text: string): void;
  /** Changes an open document, by its whole new text or by pieces. */
  change(uri: string, changes: string | TextDocumentContentChangeEvent[]): void;
  close(uri: string): void;
  /** Files have changed on disk, as the editor's watcher tells it. */
  fileChanged(...uris: readonly string[]): void;
  /** Resolves with the diagnostics of a document once they are as they should be. */
  until(
    uri: string,
    isAsExpected: (diagnostics: readonly Diagnostic[]) => boolean,
  ): Promise<readonly Diagnostic[]>;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const PATIENCE = 20_000;

export async function startClient(options: ClientOptions = {}): Promise<Client> {
  const child = spawn(process.execPath, [CLI, 'lsp', '--stdio'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  let stderr = '';
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const connection = createProtocolConnection(
    new StreamMessageReader(child.stdout),
    new StreamMessageWriter(child.stdin),
  );
  const diagnostics = new Map<string, PublishDiagnosticsParams>();
  const waiting = new Set<() => void>();
  connection.onNotification(
    'textDocument/publishDiagnostics',
    (params: PublishDiagnosticsParams) => {
      diagnostics.set(params.uri, params);
      for (const look of [...waiting]) look();
    },
  );
  const versions = new Map<string, number>();
  connection.onRequest('workspace/configuration', ({ items }: { items: unknown[] }) =>
    items.map(() => options.settings ?? null),
  );
  connection.onRequest('client/registerCapability', () => null);
  connection.onRequest('window/workDoneProgress/create', ({ token }: { token: ProgressToken }) => {
    connection.onProgress(WorkDoneProgress.type, token, ({ kind }) => options.onProgress?.(kind));
    return null;
  });
  connection.onRequest('workspace/diagnostic/refresh', () => null);
  connection.listen();

  const folders = (options.folders ?? []).map((path) => ({
    uri: pathToFileURL(path).href,
    name: path,
  }));
  const params: InitializeParams = {
    processId: process.pid,
    rootUri: folders[0]?.uri ?? null,
    workspaceFolders: folders,
    capabilities: {
      workspace: {
        workspaceFolders: true,
        didChangeWatchedFiles: { dynamicRegistration: true },
        ...(options.settings !== undefined && { configuration: true }),
      },
      textDocument: { publishDiagnostics: { relatedInformation: true } },
      ...options.capabilities,
    },
    initializationOptions: { trusted: true, cacheFolder: null, ...options.initialization },
  };
  const result: InitializeResult = await connection.sendRequest('initialize', params);
  await connection.sendNotification('initialized', {});

  const client: Client = {
    connection,
    process: child,
    result,
    diagnostics,
    stderr: () => stderr,
    open(uri, languageId, text) {
      versions.set(uri, 1);
      void connection.sendNotification('textDocument/didOpen', {
        textDocument: { uri, languageId, version: 1, text },
      });
    },
    change(uri, changes) {
      const version = (versions.get(uri) ?? 0) + 1;
      versions.set(uri, version);
      const contentChanges = typeof changes === 'string' ? [{ text: changes }] : changes;
      void connection.sendNotification('textDocument/didChange', {
        textDocument: { uri, version },
        contentChanges,
      });
    },
    close(uri) {
      void connection.sendNotification('textDocument/didClose', { textDocument: { uri } });
    },
    fileChanged(...uris) {
      void connection.sendNotification('workspace/didChangeWatchedFiles', {
        changes: uris.map((uri) => ({ uri, type: 2 })),
      });
    },
    until(uri, isAsExpected) {
      return new Promise((resolve, reject) => {
        const look = () => {
          const found = diagnostics.get(uri)?.diagnostics ?? [];
          if (!isAsExpected(found)) return;
          waiting.delete(look);
          clearTimeout(timer);
          resolve(found);
        };
        const timer = setTimeout(() => {
          waiting.delete(look);
          const last = JSON.stringify(diagnostics.get(uri)?.diagnostics, undefined, 1);
          reject(new Error(`${uri}: not as expected; the last were ${last}\n${stderr}`));
        }, PATIENCE);
        waiting.add(look);
        look();
      });
    },
    async stop() {
      if (child.exitCode !== null) return;
      const ended = once(child, 'exit');
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      await ended;
      connection.dispose();
    },
    async [Symbol.asyncDispose]() {
      await client.stop().catch(() => child.kill('SIGKILL'));
    },
  };
  return client;
}

/** The codes of diagnostics, in their order. */
export function codesOf(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ code }) => String(code));
}
