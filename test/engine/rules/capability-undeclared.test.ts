import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineAlone, examineProject, findingsOf, MANIFEST, oneFinding } from './support.ts';

const CALLS = `(module
  (import "mashin" "exec_command" (func $x (param i32 i32)))
  (import "mashin" "record_step" (func $r (param i32 i32)))
  (memory (export "memory") 1 4)
  (func (export "plan")
    (call $x (i32.const 0) (i32.const 0)) (call $r (i32.const 0) (i32.const 0))))`;
const declaring = (list: string) =>
  MANIFEST.replace('"version"', `"capabilities": ${list}, "version"`);

test('a directive whose capability is not declared is told where it would be declared', async () => {
  const manifest = declaring('["net.http"]');
  const found = oneFinding(await examineProject(CALLS, manifest), 'capability-undeclared');
  assert.equal(
    found.message,
    'exec_command needs compute.exec, which executor.json does not declare',
  );
  assert.equal(found.severity, 'warning');
  const { offset = 0, length = 0 } = found.location ?? {};
  assert.equal(manifest.slice(offset, offset + length), '["net.http"]');
  assert.equal(found.related?.[0]?.location.file, 'artifact');
});

test('without "capabilities" it is told at the beginning of the manifest', async () => {
  const found = oneFinding(await examineProject(CALLS), 'capability-undeclared');
  assert.deepEqual(found.location, {
    file: 'manifest',
    path: ['capabilities'],
    offset: 0,
    length: 1,
  });
});

test('declared, or without a manifest to declare it in, it is no finding', async () => {
  const declared = await examineProject(CALLS, declaring('["compute.exec"]'));
  assert.deepEqual(findingsOf(declared, 'capability-undeclared'), []);
  assert.deepEqual(findingsOf(await examineAlone(CALLS), 'capability-undeclared'), []);
});

test('the other spelling of the language model’s capability counts', async () => {
  const asks = CALLS.replaceAll('exec_command', 'llm_call');
  const examination = await examineProject(asks, declaring('["compute.llm_reason"]'));
  assert.deepEqual(findingsOf(examination, 'capability-undeclared'), []);
});
