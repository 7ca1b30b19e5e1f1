import { createLater } from '../later.ts';
import { type AnalysisCache, NO_CACHE, openCache } from './cache.ts';
import { isWithin } from './uris.ts';

/** The folders that an editor has open, each with what was found there the last time. */
export interface Folders {
  readonly paths: readonly string[];
  /** The innermost open folder around a path. */
  around(path: string): string | undefined;
  /** The cache that a path's analysis is kept in. */
  cacheFor(path: string): AnalysisCache;
  /** Opens a folder, which counts from now on; `undefined` if it was closed meanwhile. */
  open(path: string): Promise<AnalysisCache | undefined>;
  close(path: string): Promise<void>;
  /** Writes the caches some time from now, or at once. */
  saveSoon(): void;
  save(): Promise<void>;
}

/** Results are written so long after the first of them, in milliseconds. */
const SAVE_AFTER = 2_000;

/**
 * @param cacheFolder where analyses are kept from session to session; `undefined` to keep none.
 * @param version of this program.
 */
export function createFolders(cacheFolder: string | undefined, version: string): Folders {
  const caches = new Map<string, AnalysisCache>();
  const around = (path: string): string | undefined =>
    [...caches.keys()]
      .filter((folder) => isWithin(folder, path))
      .sort((a, b) => b.length - a.length)[0];
  const save = async (): Promise<void> => {
    saving.cancel();
    await Promise.all([...caches.values()].map((cache) => cache.save()));
  };
  const saving = createLater(SAVE_AFTER, () => void save());
  return {
    get paths() {
      return [...caches.keys()];
    },
    around,
    cacheFor: (path) => caches.get(around(path) ?? '') ?? NO_CACHE,
    async open(path) {
      caches.set(path, NO_CACHE);
      const cache = await openCache(cacheFolder, path, version);
      if (!caches.has(path)) return undefined;
      caches.set(path, cache);
      return cache;
    },
    async close(path) {
      await caches.get(path)?.save();
      caches.delete(path);
    },
    saveSoon: saving.ask,
    save,
  };
}
