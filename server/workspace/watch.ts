import { watch } from 'chokidar';
import { MANIFEST_NAME } from '../../engine/project/manifest-schema.ts';
import { createLater } from '../later.ts';
import { SOURCE_EXTENSIONS } from './languages.ts';

/** The names of files whose changes matter, as an editor's watcher takes them. */
export const WATCHED_GLOBS: readonly string[] = [
  `**/${MANIFEST_NAME}`,
  '**/*.wasm',
  '**/*.purity.json',
  '**/.touchstone/*.json',
  '**/*whitelist*.json',
  `**/*{${SOURCE_EXTENSIONS.join(',')}}`,
];

const MATTERS = new RegExp(
  `(?:executor\\.json|\\.wasm|\\.purity\\.json|[\\\\/]\\.touchstone[\\\\/][^\\\\/]+\\.json|whitelist[^\\\\/]*\\.json|${SOURCE_EXTENSIONS.map((each) => `\\${each}`).join('|')})$`,
);

/** Whether a change of a file may change what is found. */
export function matters(path: string): boolean {
  return MATTERS.test(path);
}

/** Changes within so many milliseconds are told together: a build writes in pieces. */
const GATHER = 50;

/** Gathers changed paths, and tells them together. */
export function createGathering(tell: (paths: readonly string[]) => void): {
  add(path: string): void;
  end(): void;
} {
  const gathered = new Set<string>();
  const telling = createLater(GATHER, () => {
    const paths = [...gathered];
    gathered.clear();
    tell(paths);
  });
  return {
    add(path) {
      gathered.add(path);
      telling.ask();
    },
    end: telling.cancel,
  };
}

/** Watches folders for a client that does not. */
export interface FolderWatcher {
  add(folder: string): void;
  remove(folder: string): void;
  close(): Promise<void>;
}

/** @param changed is told of each file of ours that came, changed or went. */
export function watchFolders(changed: (path: string) => void): FolderWatcher {
  const watcher = watch([], {
    ignoreInitial: true,
    followSymlinks: false,
    // The folders that no search looks into, and files of no interest, cost no watch.
    ignored: (path, stats) =>
      /[\\/](?:node_modules|\.git)(?:[\\/]|$)/.test(path) ||
      (stats?.isFile() === true && !matters(path)),
  });
  watcher.on('all', (event, path) => {
    if (event === 'unlinkDir' || matters(path)) changed(path);
  });
  // A folder that cannot be watched shows what was found when it was opened.
  watcher.on('error', () => undefined);
  return {
    add: (folder) => {
      watcher.add(folder);
    },
    remove: (folder) => {
      watcher.unwatch(folder);
    },
    close: () => watcher.close(),
  };
}
