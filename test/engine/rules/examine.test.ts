import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, MASHIN, PURE } from './support.ts';

test('an examined artifact has the shape of check --format json', async () => {
  const { artifact, report } = await examineAlone(
    PURE.replace('(memory', '(import "env" "now" (func $now)) (memory').replace(
      '(drop',
      '(call $now) (drop',
    ),
  );
  assert.deepEqual(Object.keys(artifact), [
    'path',
    'sha256',
    'whitelist',
    'imports',
    'allImportsPure',
    'diagnostics',
  ]);
  assert.deepEqual(artifact.whitelist, { name: 'mashin', version: 1, hash: MASHIN.hash });
  assert.equal(artifact.sha256, report?.sha256);
  const offsets = report?.imports.map(({ offset }) => offset) ?? [];
  assert.deepEqual(artifact.imports, [
    {
      module: 'mashin',
      name: 'get_input_len',
      kind: 'function',
      type: '() -> i32',
      class: 'pure',
      category: 'context',
      offset: offsets[0],
    },
    {
      module: 'env',
      name: 'now',
      kind: 'function',
      type: '() -> ()',
      class: 'impure',
      offset: offsets[1],
    },
  ]);
  assert.equal(artifact.allImportsPure, false);
  const [diagnostic] = artifact.diagnostics;
  assert.equal(diagnostic?.code, 'impure-import');
  assert.deepEqual(diagnostic?.location, { file: 'artifact', offset: offsets[1] });
});

test('the whole of an examination can be printed as JSON', async () => {
  const { artifact } = await examineAlone(PURE);
  assert.deepEqual(JSON.parse(JSON.stringify(artifact)), artifact);
});
