import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(
  new URL('../../../engine/platform/node/worker-main.ts', import.meta.url),
);

/** Bundles the worker's script as the build does: Node's threads cannot load TypeScript. */
export async function bundleWorker(): Promise<{ script: URL; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'executor-host-'));
  const outfile = join(folder, 'executor-host.mjs');
  await build({
    entryPoints: [SOURCE],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // The UMD build of jsonc-parser, which `main` names, requires its parts at run time.
    mainFields: ['module', 'main'],
    logLevel: 'error',
  });
  return {
    script: pathToFileURL(outfile),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
