// npm test: installs and builds what is missing, then type check, lint and every test.
// With --unit: the tests alone. Further arguments name test files or folders.

import { readdirSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ensureBuilt } from './build.mjs';
import { ensureInstalled, ROOT, run, say } from './prepare.mjs';

const args = process.argv.slice(2);
const unitOnly = args.includes('--unit');
const named = args.filter((arg) => !arg.startsWith('--'));

await ensureBuilt();
ensureInstalled('test/corpus', 'the real-world modules that the tests read');
if (!unitOnly) {
  say('Type check (tsc)');
  run('npx', ['--no-install', 'tsc', '--noEmit']);
  say('Lint (biome)');
  run('npx', ['--no-install', 'biome', 'check', '--error-on-warnings', '.']);
}
say('Tests (node --test)');
const files = (named.length > 0 ? named : ['test']).flatMap((path) => testFiles(join(ROOT, path)));
run(process.execPath, [
  '--import',
  'tsx',
  '--test',
  '--test-reporter=spec',
  '--test-concurrency=2',
  // What waits for something that does not come is to fail, not to wait on. The longest takes ten minutes.
  `--test-timeout=${40 * 60_000}`,
  ...files.map((file) => relative(ROOT, file)),
]);

/** @param {string} path */
function testFiles(path) {
  if (statSync(path).isFile()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.includes('node_modules'))
    .sort();
}
