import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closureOf } from '../../support/import-graph.ts';

test('the guest’s side as a whole imports nothing but data handling', async () => {
  const { files, packages, outside } = await closureOf('engine/runtime/execute.ts');
  assert.deepEqual(outside, []);
  assert.deepEqual(packages, ['canonicalize', 'jsonc-parser']);
  assert.deepEqual(files.filter((file) => !/^engine\/(runtime|encoding)\//.test(file)).sort(), [
    'engine/metering/costs.ts',
    'engine/metering/meter.ts',
  ]);
});

test('the process’s script adds reading and writing of its channel and nothing else', async () => {
  const { outside } = await closureOf('engine/platform/node/process-main.ts');
  assert.deepEqual(outside, ['node:fs', 'node:timers']);
});
