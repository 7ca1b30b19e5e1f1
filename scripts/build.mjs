// Bundles everything that runs into dist/. With --types also the declarations of the library; with
// --sign KEY.pem the build says who made it.

import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled, ROOT, requireNode, run } from './prepare.mjs';

/** Bundle → its entry point. */
const ENTRIES = {
  cli: 'cli/main.ts',
  server: 'server/main.ts',
  analysis: 'server/analysis/thread.ts',
  engine: 'engine/index.ts',
  node: 'engine/platform/node/index.ts',
  'sqlite-worker': 'engine/platform/node/effects/sqlite/worker.ts',
};

/** Bundles whose text is handed to a process that can read no file: each is whole, in one file. */
const WHOLE = {
  'executor-host': 'engine/platform/node/process-main.ts',
  'eval-host': 'engine/platform/node/effects/code-eval/host-main.ts',
};

/** What the language server reads sources with: tree-sitter's runtime, and a grammar a language. */
const GRAMMARS = [
  'web-tree-sitter/web-tree-sitter.wasm',
  '@vscode/tree-sitter-wasm/wasm/tree-sitter-cpp.wasm',
  '@vscode/tree-sitter-wasm/wasm/tree-sitter-go.wasm',
  '@vscode/tree-sitter-wasm/wasm/tree-sitter-rust.wasm',
  '@vscode/tree-sitter-wasm/wasm/tree-sitter-typescript.wasm',
  '@tree-sitter-grammars/tree-sitter-zig/tree-sitter-zig.wasm',
];

/** What `memory_op` and `db_op` are performed with. */
const SQLITE = [
  'node-sqlite3-wasm/dist/node-sqlite3-wasm.js',
  'node-sqlite3-wasm/dist/node-sqlite3-wasm.wasm',
];

/** What `code_eval` is performed with. */
const QUICKJS = ['@jitl/quickjs-wasmfile-release-sync/dist/emscripten-module.wasm'];

// What bundled CommonJS libraries expect to find, and ES modules lack.
const COMMONJS =
  "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url); const __dirname = import.meta.dirname;";

/** Installs what the build needs, then builds. */
export async function ensureBuilt() {
  requireNode();
  ensureInstalled('.', 'dependencies');
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  await bundle(ENTRIES, 'dist');
  // The browser's build of a library does not reach for files.
  await bundle(WHOLE, 'dist', { splitting: false, banner: {}, conditions: ['browser'] });
  copyPackaged(GRAMMARS, 'grammars');
  copyPackaged(SQLITE, 'sqlite');
  copyPackaged(QUICKJS, 'quickjs');
  // Late: it needs a package that was not there before the installation above.
  const { writeBuildManifest } = await import('./build-manifest.mjs');
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeBuildManifest(join(ROOT, 'dist'), version, signingKey());
}

/** Copies files of packages into a folder of dist. */
function copyPackaged(files, folder) {
  mkdirSync(join(ROOT, 'dist', folder));
  for (const file of files) {
    cpSync(join(ROOT, 'node_modules', file), join(ROOT, 'dist', folder, basename(file)));
  }
}

/** The key file that `--sign` names. */
function signingKey() {
  const at = process.argv.indexOf('--sign');
  return at < 0 ? undefined : process.argv[at + 1];
}

/**
 * Bundles entry points into a folder, as ES modules for Node. Ends the process where that fails.
 *
 * @param {Record<string, string>} entryPoints bundle → file
 * @param {string} outdir
 * @param {import('esbuild').BuildOptions} [others] in place of what the other bundles have
 */
export async function bundle(entryPoints, outdir, others = {}) {
  const { build } = await import('esbuild');
  try {
    await build({
      absWorkingDir: ROOT,
      entryPoints,
      outdir,
      bundle: true,
      splitting: true,
      chunkNames: 'chunks/[name]-[hash]',
      format: 'esm',
      platform: 'node',
      // ES modules first: the other builds of some libraries ask for their parts by computed names.
      mainFields: ['module', 'main'],
      target: 'node20.19',
      banner: { js: COMMONJS },
      legalComments: 'none',
      logLevel: 'warning',
      ...others,
    });
  } catch {
    process.exit(1); // esbuild has said what is wrong, and where
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureBuilt();
  if (process.argv.includes('--types')) {
    run('npx', ['--no-install', 'tsc', '-p', 'tsconfig.types.json']);
  }
}
