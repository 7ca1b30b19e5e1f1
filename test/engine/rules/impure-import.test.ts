import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codesOf, examineAlone, findingsOf, oneFinding, PURE } from './support.ts';

const WRITES = `(module
  (import "wasi_snapshot_preview1" "fd_write" (func $w (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1 4)
  (func $std::io::stdio::_print (drop (call $w (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $report (call $std::io::stdio::_print))
  (func (export "plan") (call $report)))`;

test('an import outside the whitelist is told with its type and the way to it', async () => {
  const found = oneFinding(await examineAlone(WRITES), 'impure-import');
  assert.equal(
    found.message,
    'wasi_snapshot_preview1.fd_write (i32, i32, i32, i32) -> i32 is outside mashin@1; reached by plan → report → std::io::stdio::_print → fd_write',
  );
  assert.equal(found.severity, 'error');
  assert.equal(found.subject, 'wasi_snapshot_preview1.fd_write');
  assert.equal(found.location?.file, 'artifact');
  assert.deepEqual(found.callPath?.frames.map(({ name }) => name).slice(1, 3), [
    'report',
    'std::io::stdio::_print',
  ]);
});

test('the last step in the author’s own code is pointed at, with a recipe for what is behind it', async () => {
  const found = oneFinding(await examineAlone(WRITES), 'impure-import');
  assert.match(found.related?.[0]?.message ?? '', /^report calls std::io::stdio::_print here/);
  assert.ok((found.related?.[0]?.location.offset ?? 0) > 0);
  assert.match(found.help ?? '', /println!/);
});

test('the import goes, the finding goes', async () => {
  const { artifact } = await examineAlone(PURE);
  assert.deepEqual(artifact.diagnostics, []);
  assert.equal(artifact.allImportsPure, true);
});

test('every impure import has exactly one primary finding', async () => {
  const examination = await examineAlone(`(module
    (import "env" "a" (func $a))
    (import "mashin" "get_inptu_len" (func $b (result i32)))
    (import "mashin" "get_input" (func $c (param i64)))
    (import "env" "unused" (func $d))
    (import "env" "mem" (memory 1 2))
    (export "memory" (memory 0))
    (func (export "plan") (call $a) (drop (call $b)) (call $c (i64.const 0))))`);
  assert.deepEqual([...codesOf(examination)].sort(), [
    'import-type-mismatch',
    'impure-import',
    'impure-import',
    'unknown-host-function',
    'unreachable-impure-import',
  ]);
  assert.equal(examination.artifact.allImportsPure, false);
});

test('a host function imported from the wrong module is recognised', async () => {
  const examination = await examineAlone(`(module
    (import "env" "set_output" (func $s (param i32 i32)))
    (memory (export "memory") 1 4)
    (func (export "plan") (call $s (i32.const 0) (i32.const 0))))`);
  assert.match(
    oneFinding(examination, 'impure-import').help ?? '',
    /^Did you mean mashin\.set_output\?/,
  );
});

test('names from the module cannot fool a terminal', async () => {
  const examination = await examineAlone(`(module
    (import "env" "safe\\1b[2K\\e2\\80\\ae" (func $f))
    (memory (export "memory") 1 4)
    (func (export "plan") (call $f)))`);
  const { message } = oneFinding(examination, 'impure-import');
  assert.ok(message.startsWith('env.safe\\u{1b}[2K\\u{202e} () -> () is outside'), message);
});

test('a long path keeps its beginning, the step into the library, and its end', async () => {
  const calls = Array.from({ length: 9 }, (_, i) => `(func $core::f${i} (call $core::f${i + 1}))`);
  const examination = await examineAlone(`(module
    (import "env" "now" (func $core::f9))
    (memory (export "memory") 1 4)
    ${calls.join('\n')}
    (func $step (call $core::f0))
    (func (export "plan") (call $step)))`);
  assert.match(
    oneFinding(examination, 'impure-import').message,
    /reached by plan → step → core::f0 → … → now$/,
  );
});

test('thousands of impure imports are told in moderate time', async () => {
  const imports = Array.from({ length: 20_000 }, (_, i) => `(import "env" "f${i}" (func))`);
  const examination = await examineAlone(`(module ${imports.join('')})`);
  const told =
    findingsOf(examination, 'impure-import').length +
    findingsOf(examination, 'unreachable-impure-import').length;
  assert.equal(told, 20_000);
});
