import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import {
  type SqliteScripts,
  scriptsOf,
} from '../../../../../engine/platform/node/effects/sqlite/scripts.ts';

export const LIBRARY = pathToFileURL(
  `${dirname(createRequire(import.meta.url).resolve('node-sqlite3-wasm'))}/`,
);

/** A folder that is removed when the tests of this file have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-sqlite-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Bundles programs of the tests, by name, beside the thread's script as a package holds it. */
export async function packageOf(
  programs: Readonly<Record<string, string>> = {},
): Promise<{ readonly folder: string; readonly scripts: SqliteScripts }> {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const sourceOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));
  await build({
    entryPoints: {
      'sqlite-worker': sourceOf('../../../../../engine/platform/node/effects/sqlite/worker.ts'),
      ...Object.fromEntries(Object.entries(programs).map(([name, path]) => [name, sourceOf(path)])),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node20.19',
  });
  mkdirSync(join(folder, 'sqlite'));
  for (const file of ['node-sqlite3-wasm.js', 'node-sqlite3-wasm.wasm']) {
    cpSync(new URL(file, LIBRARY), join(folder, 'sqlite', file));
  }
  return { folder, scripts: scriptsOf(pathToFileURL(join(folder, 'node.js')).href) };
}
