// The committed modules of examples/ come out again from their sources. Where a toolchain is missing
// its examples are told, unless TOUCHSTONE_REQUIRE_TOOLCHAINS asks for all of them. A file of its
// own, since it takes long and the others need not wait.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readExamples } from './support/examples.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

/** Their toolchains are development dependencies, so that they are built on every machine. */
const ALWAYS_BUILT = ['echo', 'impure/abort', 'impure/imported-memory', 'route'];

interface Rebuild {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function rebuild(options: readonly string[]): Promise<Rebuild> {
  const args = ['scripts/examples.mjs', '--check', ...options];
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: ROOT }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}

test('every example is rebuilt in the same bytes', async (t) => {
  const requireAll = Boolean(process.env.TOUCHSTONE_REQUIRE_TOOLCHAINS);
  const { code, stdout, stderr } = await rebuild(requireAll ? ['--require-all'] : []);
  assert.equal(code, 0, `${stdout}\n${stderr}`);

  const status = new Map<string, string>();
  for (const [, found = '', name = ''] of stdout.matchAll(/^(\S+(?: \S+)*) {2,}(\S+)$/gm)) {
    status.set(name, found);
  }
  const names = (await readExamples()).map(({ name }) => name);
  assert.deepEqual([...status.keys()].sort(), names, stdout);

  const notBuilt = names.filter((name) => status.get(name) === 'not built');
  if (notBuilt.length > 0) t.diagnostic(`not built: ${notBuilt.join(', ')}\n${stdout}`);
  const built = names.filter((name) => !notBuilt.includes(name));
  t.diagnostic(`${built.length} of ${names.length} rebuilt`);
  for (const name of built) assert.equal(status.get(name), 'identical', name);
  for (const name of ALWAYS_BUILT) assert.ok(built.includes(name), `${name} was not built`);
  if (requireAll) assert.deepEqual(notBuilt, []);
});
