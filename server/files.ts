// How the server learns of files: from the client's watcher and its operations, else from its own.

import { DidChangeWatchedFilesNotification } from 'vscode-languageserver';
import type { Serving } from './serving.ts';
import { pathOf } from './workspace/uris.ts';
import {
  createGathering,
  type FolderWatcher,
  WATCHED_GLOBS,
  watchFolders,
} from './workspace/watch.ts';

/** Keeps the session told of files. */
export interface FileNews {
  /** Begins, once the client is ready to be asked. */
  start(): void;
  addFolder(folder: string): void;
  removeFolder(folder: string): void;
  end(): Promise<void>;
}

export function registerFiles({ connection, client, session }: Serving): FileNews {
  const gathering = createGathering((paths) => void session.filesChanged(paths));
  let watcher: FolderWatcher | undefined;
  const changed = (files: readonly { readonly uri: string }[]): void => {
    for (const { uri } of files) {
      const path = pathOf(uri);
      if (path !== undefined) gathering.add(path);
    }
  };
  connection.onDidChangeWatchedFiles(({ changes }) => changed(changes));
  // Folders among them: a watcher of files tells nothing of those.
  connection.workspace.onDidCreateFiles(({ files }) => changed(files));
  connection.workspace.onDidDeleteFiles(({ files }) => changed(files));
  connection.workspace.onDidRenameFiles(({ files }) => {
    changed(files.flatMap(({ oldUri, newUri }) => [{ uri: oldUri }, { uri: newUri }]));
  });
  return {
    start() {
      if (client.watches) {
        const watchers = WATCHED_GLOBS.map((globPattern) => ({ globPattern }));
        void connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
      } else {
        watcher = watchFolders((path) => gathering.add(path));
      }
    },
    addFolder: (folder) => watcher?.add(folder),
    removeFolder: (folder) => watcher?.remove(folder),
    async end() {
      gathering.end();
      await watcher?.close();
    },
  };
}
