import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const SOURCE = fileURLToPath(
  new URL('../../engine/platform/node/process-main.ts', import.meta.url),
);

/** Bundles the script of the executors' process as the build does. */
export async function bundleExecutorHost(): Promise<{
  readonly script: URL;
  readonly remove: () => Promise<void>;
}> {
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
