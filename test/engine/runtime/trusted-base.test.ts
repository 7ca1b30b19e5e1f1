import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

async function graphOf(entry: string) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    external: ['node:*'],
    logLevel: 'silent',
  });
  const inputs = Object.values(result.metafile.inputs);
  const externals = inputs.flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path),
  );
  return {
    files: Object.keys(result.metafile.inputs),
    externals,
  };
}

const PURE = /^(engine\/(runtime|encoding)\/|node_modules\/(canonicalize|jsonc-parser)\/)/;
test('the guest’s side as a whole imports nothing but data handling', async () => {
  const { files, externals } = await graphOf('engine/runtime/execute.ts');
  assert.deepEqual(externals, []);
  assert.deepEqual(
    files.filter((file) => !PURE.test(file)),
    [],
  );
});

test('the worker’s script adds the thread’s message port and nothing else', async () => {
  const { externals } = await graphOf('engine/platform/node/worker-main.ts');
  assert.deepEqual(externals, ['node:worker_threads']);
});
