import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { countAgreeing, requireAgreement } from '../../../engine/module/agreement.ts';
import { compareWithV8 } from '../../../engine/module/v8-opinion.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { body, inspect, inspectWat, leb, moduleOf, name, section, vector } from './modules.ts';

const EMPTY_TYPE = [0x60, 0, 0];
const functionImport = (module: string, field: string) => [...name(module), ...name(field), 0, 0];

test('reports imports, exports, memories and start with their types', async () => {
  const bytes = await assembleWat(
    `(module
      (import "a" "f" (func $f (param i32 i64) (result f32)))
      (import "a" "m" (memory 1 16)) (import "a" "t" (table 0 10 funcref))
      (import "a" "g" (global (mut f64)))
      (func $s) (start $s)
      (table (export "table") 2 externref) (global (export "c") i32 (i32.const 1))
      (export "f" (func $f)) (export "memory" (memory 0)))`,
    'x.wat',
  );
  const report = inspect(bytes);
  assert.deepEqual(
    report.imports.map(({ kind, type }) => `${kind} ${type}`),
    ['function (i32, i64) -> f32', 'memory i32 1 16', 'table i32 0 10 funcref', 'global mut f64'],
  );
  assert.deepEqual(
    report.exports.map(({ name, kind, type, index }) => `${name} ${kind} ${type} ${index}`),
    [
      'table table i32 2 externref 1',
      'c global i32 1',
      'f function (i32, i64) -> f32 0',
      'memory memory i32 1 16 0',
    ],
  );
  for (const { name, offset } of report.exports) {
    const length = bytes[offset] ?? 0;
    const text = new TextDecoder().decode(bytes.subarray(offset + 1, offset + 1 + length));
    assert.equal(text, name);
  }
  assert.deepEqual(report.memories, [
    { imported: true, address: 'i32', minimum: 1n, maximum: 16n, shared: false },
  ]);
  assert.equal(report.start, 1);
  assert.equal(report.size, bytes.length);
  assert.equal(report.sha256, createHash('sha256').update(bytes).digest('hex'));
});

test('reads a module that lies within a larger buffer', async () => {
  const bytes = await assembleWat('(module (import "a" "f" (func)))', 'x.wat');
  const larger = new Uint8Array(bytes.length + 20);
  larger.set(bytes, 7);
  const report = inspect(larger.subarray(7, 7 + bytes.length));
  assert.equal(report.imports.length, 1);
  assert.deepEqual(
    report.readers.map(({ outcome }) => outcome),
    ['agrees', 'agrees', 'agrees'],
  );
});

test('says what V8 refuses, at which byte, in one line', () => {
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 1, 0x7f]])),
    section(3, vector([[0]])),
    section(10, vector([body([0x42, 0])])),
  );
  assert.throws(
    () => inspect(bytes),
    (error) =>
      error instanceof InputError &&
      error.code === 'invalid-module' &&
      error.offset === bytes.length - 1 &&
      /^not a valid WebAssembly module: Compiling function #0 failed: .*, at byte \d+$/.test(
        error.message,
      ),
  );
});

// Each is valid somewhere: which of them this V8 knows depends on its version.
const YOUNG_FEATURES = {
  memory64: moduleOf(section(5, vector([[4, 1]]))),
  gc: moduleOf(section(1, vector([[0x5f, 0]]))),
  'a continuation type': moduleOf(
    section(
      1,
      vector([
        [0x60, 0, 0],
        [0x5d, 0],
      ]),
    ),
  ),
};

test('reads what this V8 knows, and says of the rest that the runtime is too old or what is wrong', () => {
  const refusals = Object.values(YOUNG_FEATURES).flatMap((bytes) => {
    try {
      inspect(bytes);
      return [];
    } catch (error) {
      assert.ok(error instanceof InputError);
      return [error.message];
    }
  });
  assert.ok(refusals.length > 0);
  for (const message of refusals) {
    assert.match(
      message,
      /^not a valid WebAssembly module: .*, at byte \d+(; this runtime does not know the feature \(V8 has it behind --experimental-wasm-\w+\), a newer one may)?$/,
    );
  }
});

test('a name in a refusal of V8 cannot break the line', () => {
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 1, 0x7f]])),
    section(3, vector([[0]])),
    section(7, vector([[...name('a\n@+1\u202e'), 0, 0]])),
    section(10, vector([body([0x42, 0])])),
  );
  assert.throws(
    () => inspect(bytes),
    (error) =>
      error instanceof InputError && !/[\n\u202e]/.test(error.message) && error.offset !== 1,
  );
});

test('three readers agree on an ordinary module', async () => {
  const report = await inspectWat(
    '(module (import "a" "f" (func (param i32))) (import "a" "m" (memory 1)))',
  );
  assert.deepEqual(report.readers, [
    { reader: 'walker', outcome: 'agrees' },
    { reader: 'wasmparser', outcome: 'agrees' },
    { reader: 'webassemblyjs', outcome: 'agrees' },
  ]);
  assert.equal(countAgreeing(report), 3);
  requireAgreement(report);
});

test('a reader that cannot read is recorded, and counts for nothing', async () => {
  const report = await inspectWat('(module (import "a" "t" (tag)) (import "a" "f" (func)))');
  const opinion = report.readers[2];
  assert.equal(opinion?.outcome, 'cannot-read');
  assert.equal(countAgreeing(report), 2);
  requireAgreement(report);
});

test('the second opinion does not take a surrogate pair for another name', async () => {
  const report = await inspectWat('(module (import "a" "💥" (func)))');
  assert.equal(report.readers[2]?.outcome, 'cannot-read');
});

test('the second opinion writes nothing to the console and restores it', async () => {
  const lines: unknown[] = [];
  const { log, warn } = console;
  const mine = (...args: unknown[]) => lines.push(args);
  console.log = mine;
  console.warn = mine;
  try {
    // A block typed by an index in a constant-free module makes it log; a tag export makes it warn.
    await inspectWat('(module (tag (export "t")) (func (export "f")))');
    await inspectWat('(module (import "a" "t" (tag)))');
    assert.equal(console.log, mine);
  } finally {
    console.log = log;
    console.warn = warn;
  }
  assert.deepEqual(lines, []);
});

test('disagreement is an error that says what each reader says', async () => {
  const bytes = await assembleWat('(module (import "env" "abort" (func (param i32))))', 'x.wat');
  const { imports } = inspect(bytes);
  const [entry] = imports;
  assert.ok(entry);
  const module = new WebAssembly.Module(new Uint8Array(bytes));
  assert.deepEqual(compareWithV8(imports, module), { reader: 'v8', outcome: 'agrees' });

  const renamed = compareWithV8([{ ...entry, name: 'exit' }], module);
  assert.throws(() => requireAgreement({ readers: [renamed] }), {
    code: 'reader-disagreement',
    message:
      'readers disagree on import 0: walker says env.exit (function, (i32) -> ()), v8 says env.abort (function)',
  });
  assert.equal(compareWithV8([], module).outcome, 'disagrees');
  assert.equal(compareWithV8([entry, entry], module).outcome, 'disagrees');
  assert.equal(compareWithV8([{ ...entry, kind: 'global' }], module).outcome, 'disagrees');
  assert.equal(countAgreeing({ readers: [renamed, { reader: 'v8', outcome: 'agrees' }] }), 0);
});

test('a name of 64 KiB costs nothing, and the slow reader is not asked', () => {
  const long = 'n'.repeat(65_536);
  const bytes = moduleOf(
    section(1, vector([EMPTY_TYPE])),
    section(2, vector([functionImport('e', long)])),
  );
  const report = inspect(bytes);
  assert.equal(report.imports[0]?.name.length, 65_536);
  assert.equal(report.readers[2]?.outcome, 'cannot-read');
  assert.equal(countAgreeing(report), 2);
});

test('10,000 imports are read by all', () => {
  const bytes = moduleOf(
    section(1, vector([EMPTY_TYPE])),
    section(2, vector(Array.from({ length: 10_000 }, (_, i) => functionImport('e', `f${i}`)))),
  );
  assert.equal(countAgreeing(inspect(bytes)), 3);
});

test('counts that custom sections claim are never believed', () => {
  const huge = leb(0xffff_fff0);
  for (const title of ['name', 'producers', 'linking', 'reloc.CODE', 'sourceMappingURL']) {
    const bytes = moduleOf(
      section(0, [...name(title), ...huge, ...huge]),
      section(0, [...name(title), 1, ...leb(10), ...huge, 0, ...huge]),
      section(1, vector([EMPTY_TYPE])),
      section(2, vector([functionImport('e', 'f')])),
    );
    assert.equal(countAgreeing(inspect(bytes)), 3);
  }
});

test('counts that other sections claim are refused', () => {
  for (const id of [1, 2, 3, 4, 5, 6, 7, 9, 10, 11]) {
    assert.throws(() => inspect(moduleOf(section(id, leb(0xffff_fff0)))), InputError);
  }
});

test('a module cut off anywhere, or with any byte changed, is read or refused with an offset', async () => {
  const whole = await assembleWat(
    `(module (import "a" "f" (func $f (param i32))) (memory 1) (table 2 funcref)
      (elem (i32.const 0) $f $g) (global $x (mut i32) (i32.const 7))
      (func $g (param i32) (call $f (global.get $x)))
      (func (export "plan") (call_indirect (param i32) (i32.const 1) (i32.const 0))) (data (i32.const 0) "hi"))`,
    'x.wat',
  );
  const attempt = (bytes: Uint8Array) => {
    try {
      inspect(bytes).callGraph.pathTo(0);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      assert.equal(typeof error.offset, 'number', error.message);
      assert.ok(!error.message.includes('\n'));
    }
  };
  for (let length = 0; length < whole.length; length++) attempt(whole.subarray(0, length));
  for (let at = 0; at < whole.length; at++) {
    for (const value of [0, 0x7f, 0x80, 0xff, (whole[at] ?? 0) ^ 1]) {
      const changed = whole.slice();
      changed[at] = value;
      attempt(changed);
    }
  }
});

test('a component is told from a module', () => {
  const component = Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]);
  assert.throws(() => inspect(component), { code: 'component-not-module' });
});

test('refuses more types than V8 could compare in seconds', () => {
  const type = (i: number) => [
    0x60,
    20,
    ...Array.from({ length: 20 }, (_, bit) => ((i >> bit) & 1 ? 0x7e : 0x7f)),
    0,
  ];
  const bytes = moduleOf(section(1, vector(Array.from({ length: 60_000 }, (_, i) => type(i)))));
  assert.throws(() => inspect(bytes), { code: 'too-large', offset: 12 });
});
