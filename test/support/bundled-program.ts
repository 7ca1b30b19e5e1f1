import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';

const MOST_OUTPUT = 64 * 2 ** 20;

/** What packages in the older module form expect to find. */
const BANNER = `
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const __dirname = import.meta.dirname;`;

/** A program of the tests as one file, which needs neither this project nor its loader to run. */
export interface BundledProgram {
  /** Runs it to its end, and answers what it wrote to its standard output. */
  run(node: string, args: readonly string[]): Promise<string>;
}

/** @param path the program's source, seen from `test/support`. */
export async function bundleProgram(t: TestContext, path: string): Promise<BundledProgram> {
  const folder = await mkdtemp(join(tmpdir(), 'touchstone-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const script = join(folder, 'main.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL(path, import.meta.url))],
    outfile: script,
    bundle: true,
    platform: 'node',
    // The other builds of some libraries ask for their parts by computed names.
    mainFields: ['module', 'main'],
    format: 'esm',
    banner: { js: BANNER },
    logLevel: 'silent',
  });
  return {
    run: async (node, args) => {
      const options = { maxBuffer: MOST_OUTPUT };
      const { stdout } = await promisify(execFile)(node, [script, ...args], options);
      return stdout;
    },
  };
}
