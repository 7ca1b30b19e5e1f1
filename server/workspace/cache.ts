import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readFileBounded, writeFileAtomic } from '../../engine/platform/node/files.ts';
import { type Analysis, analysisSchema } from '../analysis/results.ts';

const FORMAT = 'touchstone-analyses/1';

/** A cache larger than this is not read, in bytes. */
const MAX_BYTES = 67_108_864;

/** Keeps nothing. */
export const NO_CACHE: AnalysisCache = Object.freeze({
  paths: [],
  find: () => undefined,
  keep: () => undefined,
  save: () => Promise.resolve(),
});

const documentSchema = z.strictObject({
  format: z.literal(FORMAT),
  version: z.string(),
  /** What was found, by the path of the manifest or module. Each is looked at when it is asked for. */
  entries: z.record(z.string(), z.strictObject({ signature: z.string(), analysis: z.unknown() })),
});

/**
 * Keeps analyses from one session to the next, so that a workspace that has not changed shows at once.
 * What it answers is shown and decides nothing: the gate reads the bytes.
 */
export interface AnalysisCache {
  /** What was there the last time: paths of manifests and modules. */
  readonly paths: readonly string[];
  /** The analysis that was kept for exactly this signature. */
  find(path: string, signature: string): Analysis | undefined;
  keep(path: string, signature: string, analysis: Analysis): void;
  /** Writes what was kept since the last time, without what nobody asked for. Never throws. */
  save(): Promise<void>;
}

/**
 * Opens the cache of a workspace.
 * @param folder where caches lie; `undefined` for one that is not kept.
 * @param workspace tells the caches of workspaces apart.
 * @param version of this program: another one may find something else.
 */
export async function openCache(
  folder: string | undefined,
  workspace: string,
  version: string,
): Promise<AnalysisCache> {
  const name = createHash('sha256').update(workspace).digest('hex').slice(0, 32);
  const file = folder === undefined ? undefined : join(folder, `${name}.json`);
  const old = file === undefined ? new Map() : await readEntries(file, version);
  const kept = new Map<string, { readonly signature: string; readonly analysis: Analysis }>();
  let isChanged = false;
  let writing: Promise<void> = Promise.resolve();
  const write = async (path: string): Promise<void> => {
    if (!isChanged) return;
    isChanged = false;
    const document = { format: FORMAT, version, entries: Object.fromEntries(kept) };
    // Without it the next start is slower, no more.
    await writeFileAtomic(path, JSON.stringify(document), 0o600).catch(() => undefined);
  };
  return {
    paths: [...old.keys()],
    find(path, signature) {
      const known = kept.get(path);
      if (known !== undefined) return known.signature === signature ? known.analysis : undefined;
      const entry = old.get(path);
      if (entry?.signature !== signature) return undefined;
      const analysis = analysisSchema.safeParse(entry.analysis).data;
      if (analysis !== undefined) kept.set(path, { signature, analysis });
      return analysis;
    },
    keep(path, signature, analysis) {
      kept.set(path, { signature, analysis });
      isChanged = true;
    },
    save() {
      // One after the other: whoever waits for the last has waited for all.
      if (file !== undefined) writing = writing.then(() => write(file));
      return writing;
    },
  };
}

interface RawEntry {
  readonly signature: string;
  readonly analysis?: unknown;
}

async function readEntries(file: string, version: string): Promise<ReadonlyMap<string, RawEntry>> {
  try {
    const bytes = await readFileBounded(file, MAX_BYTES, 'a cache');
    const { data } = documentSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)));
    return data?.version === version ? new Map(Object.entries(data.entries)) : new Map();
  } catch {
    return new Map();
  }
}

/**
 * What tells whether any of some files has changed: their sizes, times and numbers on their disk, and
 * which of them are missing.
 * @param more what else the answer depends on.
 */
export async function signatureOf(
  files: readonly (string | undefined)[],
  more: readonly (string | undefined)[],
): Promise<string> {
  const states = await Promise.all(files.map((file) => file && stateOf(file)));
  return createHash('sha256')
    .update(JSON.stringify([files, states, more]))
    .digest('hex');
}

async function stateOf(file: string): Promise<string> {
  try {
    const { size, mtimeNs, ctimeNs, ino } = await stat(file, { bigint: true });
    return `${size} ${mtimeNs} ${ctimeNs} ${ino}`;
  } catch {
    return 'missing';
  }
}
