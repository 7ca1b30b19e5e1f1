import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reportOf } from '../../../../engine/module/report.ts';
import { readLayout } from '../../../../engine/module/walker.ts';
import {
  body,
  inspect,
  inspectWat,
  leb,
  moduleOf,
  name,
  pathText,
  section,
  vector,
} from '../modules.ts';

const I32 = 0x7f;

test('finds the shortest way through direct calls', async () => {
  const report = await inspectWat(`(module
    (import "env" "f" (func $f))
    (func $far (call $mid)) (func $mid (call $near)) (func $near (call $f))
    (func (export "plan") (call $far) (call $near)))`);
  assert.equal(pathText(report, 0), 'plan: plan → near → f');
  const path = report.callGraph.pathTo(0);
  assert.deepEqual(
    path?.frames.map(({ via }) => via),
    ['root', 'call', 'call'],
  );
});

test('tells the byte of the calling instruction', async () => {
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 0]])),
    section(2, vector([[...name('e'), ...name('f'), 0, 0]])),
    section(3, vector([[0]])),
    section(7, vector([[...name('p'), 0, 1]])),
    section(10, vector([body([0x01, 0x10, 0])])),
  );
  const frame = inspect(bytes).callGraph.pathTo(0)?.frames[1];
  assert.equal(bytes[frame?.offset ?? 0], 0x10);
  assert.equal(frame?.name, 'e.f');
});

test('goes through a table to elements of the named type only', async () => {
  const report = await inspectWat(`(module
    (type $one (func (param i32))) (type $same (func (param i32))) (type $two (func (param i64)))
    (import "env" "a" (func $a)) (import "env" "b" (func $b))
    (table 4 funcref)
    (elem (i32.const 1) $to_a $to_b)
    (func $to_a (type $one) (call $a)) (func $to_b (type $two) (call $b))
    (func (export "plan") (call_indirect (type $same) (i32.const 7) (i32.const 1))))`);
  assert.equal(pathText(report, 0), 'plan: plan → to_a → a');
  assert.deepEqual(report.callGraph.pathTo(0)?.frames[1]?.table, {
    tableIndex: 0,
    elementIndex: 1,
  });
  assert.equal(report.callGraph.pathTo(0)?.frames[1]?.via, 'indirect');
  assert.equal(pathText(report, 1), undefined);
});

test('keeps tables apart', async () => {
  const report = await inspectWat(`(module
    (type $t (func))
    (import "env" "a" (func $a)) (import "env" "b" (func $b))
    (table $x 1 funcref) (table $y 1 funcref)
    (elem (table $x) (i32.const 0) func $a) (elem (table $y) (i32.const 0) func $b)
    (func (export "plan") (call_indirect $y (type $t) (i32.const 0))))`);
  assert.equal(pathText(report, 0), undefined);
  assert.equal(pathText(report, 1), 'plan: plan → b');
});

test('reads a table index of several bytes, as LLVM writes it', () => {
  for (const width of [1, 5]) {
    const report = inspect(
      moduleOf(
        section(1, vector([[0x60, 0, 0]])),
        section(2, vector([[...name('e'), ...name('f'), 0, 0]])),
        section(3, vector([[0]])),
        section(
          4,
          vector([
            [0x70, 0, 1],
            [0x70, 0, 1],
          ]),
        ),
        section(7, vector([[...name('p'), 0, 1]])),
        section(9, vector([[2, 1, 0x41, 0, 0x0b, 0, ...vector([[0]])]])),
        section(10, vector([body([0x41, 0, 0x11, 0, ...leb(1, width)])])),
      ),
    );
    assert.equal(pathText(report, 0), 'p: p → e.f');
    assert.ok(report.features.includes('reference-types'));
  }
});

test('follows tail calls', async () => {
  const report = await inspectWat(`(module
    (type $t (func)) (import "env" "a" (func $a)) (import "env" "b" (func $b))
    (table 1 funcref) (elem (i32.const 0) $b)
    (func $next (return_call_indirect (type $t) (i32.const 0)))
    (func (export "plan") (call $next) (return_call $a)))`);
  assert.equal(pathText(report, 0), 'plan: plan → a');
  assert.equal(pathText(report, 1), 'plan: plan → next → b');
  assert.ok(report.features.includes('tail-call'));
});

test('lets a passive segment reach only the table that table.init names', async () => {
  const module = (init: string) => `(module
    (type $t (func)) (import "env" "f" (func $f))
    (table $x 1 funcref) (table $y 1 funcref) (elem $e func $f)
    (func $fill ${init})
    (func (export "plan") (call_indirect $y (type $t) (i32.const 0))))`;
  const init = (table: string) =>
    `(table.init ${table} $e (i32.const 0) (i32.const 0) (i32.const 1))`;
  assert.equal(pathText(await inspectWat(module('')), 0), undefined);
  assert.equal(pathText(await inspectWat(module(init('$x'))), 0), undefined);
  const report = await inspectWat(module(init('$y')));
  assert.equal(pathText(report, 0), 'plan: plan → f');
  assert.equal(report.callGraph.pathTo(0)?.frames[1]?.table?.elementIndex, undefined);
});

test('lets table.copy carry what table.init and active segments put', async () => {
  const report = await inspectWat(`(module
    (type $t (func)) (import "env" "f" (func $f))
    (table $x 1 funcref) (table $y 1 funcref) (elem (table $x) (i32.const 0) func $f)
    (func $move (table.copy $y $x (i32.const 0) (i32.const 0) (i32.const 1)))
    (func (export "plan") (call_indirect $y (type $t) (i32.const 0))))`);
  assert.equal(pathText(report, 0), 'plan: plan → f');
});

test('lets table.set put every function to which a reference is taken', async () => {
  const report = await inspectWat(`(module
    (type $t (func)) (import "env" "f" (func $f)) (import "env" "g" (func $g (param i32)))
    (table 1 funcref) (elem declare func $f $g)
    (func $put (table.set (i32.const 0) (ref.func $f)))
    (func (export "plan") (call_indirect (type $t) (i32.const 0))))`);
  assert.equal(pathText(report, 0), 'plan: plan → f');
  assert.equal(pathText(report, 1), undefined);
});

test('starts at the start function', async () => {
  const report = await inspectWat(
    '(module (import "env" "f" (func $f)) (func $go (call $f)) (start $go))',
  );
  assert.equal(pathText(report, 0), 'start: go → f');
  assert.equal(report.start, 1);
});

test('starts at elements of a table that the host can reach', async () => {
  const module = (table: string) => `(module
    (import "env" "f" (func $f)) ${table} (elem (i32.const 0) $go) (func $go (call $f)))`;
  const exported = await inspectWat(module('(table (export "t") 1 funcref)'));
  assert.equal(pathText(exported, 0), 'table: go → f');
  assert.deepEqual(exported.callGraph.pathTo(0)?.root, { kind: 'table', tableIndex: 0 });
  const imported = await inspectWat(
    '(module (import "env" "t" (table 1 funcref)) (import "env" "f" (func $f)) (elem (i32.const 0) $go) (func $go (call $f)))',
  );
  assert.equal(pathText(imported, 1), 'table: go → f');
  assert.equal(pathText(await inspectWat(module('(table 1 funcref)')), 0), undefined);
});

test('prefers an export to a table, however much shorter', async () => {
  const report = await inspectWat(`(module
    (import "env" "f" (func $f)) (table (export "t") 1 funcref) (elem (i32.const 0) $f)
    (func $a (call $b)) (func $b (call $f)) (func (export "plan") (call $a)))`);
  assert.equal(pathText(report, 0), 'plan: plan → a → b → f');
});

test('follows a reference where it may leave the module, and not where it cannot', async () => {
  const module = (type: string, use: string) => `(module
    (import "env" "f" (func $f)) (import "env" "give" (func $give (param ${type})))
    (elem declare func $f)
    (func (export "plan") ${use}))`;
  const leaves = await inspectWat(module('funcref', '(call $give (ref.func $f))'));
  assert.equal(pathText(leaves, 0), 'plan: plan → f');
  assert.equal(leaves.callGraph.pathTo(0)?.frames[1]?.via, 'reference');
  const stays = await inspectWat(module('i32', '(drop (ref.func $f))'));
  assert.equal(pathText(stays, 0), undefined);
});

test('starts at a function that an exported global holds', async () => {
  const report = await inspectWat(`(module
    (import "env" "f" (func $f)) (func $go (call $f))
    (global (export "handler") funcref (ref.func $go)))`);
  assert.equal(pathText(report, 0), 'handler: go → f');
});

test('calls by reference reach taken functions of the type', () => {
  const bytes = moduleOf(
    section(
      1,
      vector([
        [0x60, 0, 0],
        [0x60, 1, I32, 0],
      ]),
    ),
    section(
      2,
      vector([
        [...name('e'), ...name('f'), 0, 0],
        [...name('e'), ...name('g'), 0, 1],
      ]),
    ),
    section(3, vector([[0]])),
    section(7, vector([[...name('p'), 0, 2]])),
    section(9, vector([[3, 0, ...vector([[0], [1]])]])),
    section(10, vector([body([0xd2, 1, 0x1a, 0xd2, 0, 0x14, 0])])),
  );
  const report = { ...reportOf(bytes, readLayout(bytes)), sha256: '' };
  const path = report.callGraph.pathTo(0);
  assert.deepEqual(
    path?.frames.map(({ name, via }) => `${via} ${name}`),
    ['root p', 'reference e.f'],
  );
  assert.equal(report.callGraph.pathTo(1), undefined);
  assert.ok(report.features.includes('function-references'));
});

test('a subtype is called by its supertype', () => {
  const bytes = moduleOf(
    // (type $a (sub (func))), (type $b (sub $a (func))), (type $c (func (param i32)))
    section(
      1,
      vector([
        [0x50, 0, 0x60, 0, 0],
        [0x50, 1, 0, 0x60, 0, 0],
        [0x60, 1, I32, 0],
      ]),
    ),
    section(
      2,
      vector([
        [...name('e'), ...name('f'), 0, 1],
        [...name('e'), ...name('g'), 0, 2],
      ]),
    ),
    section(3, vector([[0]])),
    section(4, vector([[0x70, 0, 2]])),
    section(7, vector([[...name('p'), 0, 2]])),
    section(9, vector([[0, 0x41, 0, 0x0b, ...vector([[0], [1]])]])),
    section(10, vector([body([0x41, 0, 0x11, 0, 0])])),
  );
  const { callGraph, features } = reportOf(bytes, readLayout(bytes));
  assert.equal(callGraph.pathTo(0)?.frames.length, 2);
  assert.equal(callGraph.pathTo(1), undefined);
  assert.ok(features.includes('gc'));
});

test('shows who uses an import that is not a function', async () => {
  const report = await inspectWat(`(module
    (import "env" "memory" (memory 1)) (import "env" "g" (global $g i32))
    (import "env" "t" (table $t 1 funcref)) (import "env" "unused" (global i32))
    (type $v (func))
    (func $load (drop (i32.load (global.get $g))))
    (func (export "plan") (call $load) (call_indirect $t (type $v) (i32.const 0))))`);
  assert.equal(pathText(report, 0), 'plan: plan → load');
  assert.equal(pathText(report, 1), 'plan: plan → load');
  assert.equal(pathText(report, 2), 'plan: plan');
  assert.equal(pathText(report, 3), undefined);
});

test('an import that is exported is its own path', async () => {
  const report = await inspectWat(
    '(module (import "env" "f" (func $f)) (export "again" (func $f)))',
  );
  const path = report.callGraph.pathTo(0);
  assert.deepEqual(path?.root, { kind: 'export', name: 'again' });
  assert.deepEqual(
    path?.frames.map(({ via, lastOfAuthor }) => [via, lastOfAuthor]),
    [['root', true]],
  );
});

test('of several ways takes the caller of the lowest index, then the earliest instruction', async () => {
  const report = await inspectWat(`(module
    (type $t (func)) (import "env" "f" (func $f))
    (table 1 funcref) (elem (i32.const 0) $f)
    (func $second (call $f)) (func $third (call $f))
    (func (export "a") (call $third) (call $second) (call_indirect (type $t) (i32.const 0)))
    (func (export "b") (call $f) (call $f)))`);
  assert.equal(pathText(report, 0), 'a: a → f');
  const twice = await inspectWat(`(module (import "env" "f" (func $f))
    (func $x (call $f)) (func $y (call $f)) (func (export "plan") (call $y) (call $x)))`);
  assert.equal(pathText(twice, 0), 'plan: plan → x → f');
});

test('marks the last frame of the author exactly once', async () => {
  const report = await inspectWat(`(module
    (import "wasi" "fd_write" (func $wasi::fd_write)) (import "env" "g" (func $g))
    (func $_ZN3std2io5Write9write_all17h0123456789abcdefE (call $wasi::fd_write))
    (func $_ZN3app5greet17h0123456789abcdefE
      (call $_ZN3std2io5Write9write_all17h0123456789abcdefE))
    (func $__wasm_call_ctors (call $g))
    (func (export "plan") (call $_ZN3app5greet17h0123456789abcdefE))
    (start $__wasm_call_ctors))`);
  assert.equal(
    pathText(report, 0),
    'plan: plan → app::greet → std::io::Write::write_all → wasi::fd_write',
  );
  assert.deepEqual(
    report.callGraph.pathTo(0)?.frames.map(({ lastOfAuthor }) => lastOfAuthor),
    [false, true, false, false],
  );
  assert.deepEqual(
    report.callGraph.pathTo(1)?.frames.map(({ lastOfAuthor }) => lastOfAuthor),
    [true, false],
  );
});

test('names functions from the name section, the export, the import, the index', async () => {
  const { callGraph } = await inspectWat(
    '(module (import "env" "f" (func)) (func $named) (func (export "plan")) (func))',
  );
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((index) => callGraph.nameOf(index)),
    ['env.f', 'named', 'plan', 'func[3]', 'func[4]'],
  );
});

test('ignores a malformed name section', () => {
  const nameSection = (contents: readonly number[]) => section(0, [...name('name'), ...contents]);
  for (const contents of [
    [1, 3, 0xff, 0xff, 0xff],
    [1, 200, 1],
    [1, ...leb(8), 1, 0, ...leb(2 ** 32 - 1)],
    [1, 6, 1, ...leb(0), 2, 0xff, 0xfe, 0],
    [0x80],
  ]) {
    const report = inspect(
      moduleOf(
        section(1, vector([[0x60, 0, 0]])),
        section(3, vector([[0]])),
        section(10, vector([body([])])),
        nameSection(contents),
      ),
    );
    assert.equal(report.callGraph.nameOf(0), 'func[0]');
  }
});

test('a chain of 100,000 calls is walked without recursion, in linear time', () => {
  const count = 100_000;
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 0]])),
    section(2, vector([[...name('e'), ...name('f'), 0, 0]])),
    section(3, vector(Array.from({ length: count }, () => [0]))),
    section(7, vector([[...name('p'), 0, ...leb(count)]])),
    section(10, vector(Array.from({ length: count }, (_, i) => body([0x10, ...leb(i)])))),
  );
  const path = inspect(bytes).callGraph.pathTo(0);
  assert.equal(path?.frames.length, count + 1);
});

test('many indirect calls of many types into one large table stay linear', () => {
  const types = 1000;
  const elements = 100_000;
  const type = (i: number) => [
    0x60,
    10,
    ...Array.from({ length: 10 }, (_, bit) => ((i >> bit) & 1 ? 0x7e : I32)),
    0,
  ];
  const zeros = (i: number) =>
    Array.from({ length: 10 }, (_, bit) => ((i >> bit) & 1 ? [0x42, 0] : [0x41, 0]));
  // Type 0 is the caller's own, so the others are one further.
  const call = (i: number) => [...zeros(i).flat(), 0x41, 0, 0x11, ...leb(i + 1), 0];
  const bytes = moduleOf(
    section(1, vector([[0x60, 0, 0], ...Array.from({ length: types }, (_, i) => type(i))])),
    section(2, vector([[...name('e'), ...name('f'), 0, 1]])),
    section(3, vector([[0]])),
    section(4, vector([[0x70, 0, ...leb(elements)]])),
    section(7, vector([[...name('p'), 0, 1]])),
    section(
      9,
      vector([[0, 0x41, 0, 0x0b, ...vector(Array.from({ length: elements }, () => [0]))]]),
    ),
    section(10, vector([body(Array.from({ length: types }, (_, i) => call(i)).flat())])),
  );
  assert.equal(inspect(bytes).callGraph.pathTo(0)?.frames.length, 2);
});
