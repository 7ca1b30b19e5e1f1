import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InputError } from '../../../engine/encoding/input-error.ts';
import { PREPAID } from '../../../engine/metering/costs.ts';
import { instrument } from '../../../engine/metering/instrument.ts';
import { assemble } from '../../support/wat.ts';
import { callExport, metered, PLENTY } from './instances.ts';

const COUNTING = `(module
  (func (export "count") (param $n i32) (result i32) (local $i i32)
    (loop $l
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br_if $l (i32.lt_u (local.get $i) (local.get $n))))
    (local.get $i)))`;

/** local.get, i32.const, i32.add, local.set, local.get, local.get, i32.lt_u, br_if. */
const ROUND = 8;

describe('what is charged', () => {
  test('a small loop pays for four rounds at a time, and the entry for what is not prepaid', () => {
    const { use } = metered(COUNTING);
    // The entry's region is one local.get, so it is charged the least there is.
    assert.deepEqual(use('count', 1), { result: 1, fuel: 1 + 4 * ROUND });
    assert.deepEqual(use('count', 1000), { result: 1000, fuel: 1 + 1000 * ROUND });
    assert.deepEqual(use('count', 1001), { result: 1001, fuel: 1 + 1004 * ROUND });
  });

  test('a loop with another in it pays for each round', () => {
    const { use } = metered(`(module (func (export "f") (param $n i32) (local $i i32)
      (loop $l
        (loop $never (br_if $never (i32.const 0)))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br_if $l (i32.lt_u (local.get $i) (local.get $n))))))`);
    const fuel = use('f', 1).fuel;
    assert.equal(use('f', 11).fuel, fuel + 10 * (ROUND + 4 * 2));
  });

  test('a function that is left within what its call paid charges nothing', () => {
    const { use } = metered('(module (func (export "f") (result i32) (i32.const 7)))');
    assert.deepEqual(use('f'), { result: 7, fuel: 0 });
  });

  test('a straight line pays for all of it but what is prepaid', () => {
    const adds = '(i32.const 1) (i32.add) '.repeat(50);
    const { use } = metered(`(module (func (export "f") (result i32) (i32.const 0) ${adds}))`);
    assert.deepEqual(use('f'), { result: 50, fuel: 101 - PREPAID });
  });

  test('a branch costs what the longer way does, whichever is taken', () => {
    const long = '(i32.const 1) (i32.add) '.repeat(100);
    const { use } = metered(`(module (func (export "f") (param i32) (result i32)
      (if (result i32) (local.get 0) (then (i32.const 0) ${long}) (else (i32.const 5)))))`);
    assert.deepEqual(use('f', 1), { result: 100, fuel: 203 - PREPAID });
    assert.deepEqual(use('f', 0), { result: 5, fuel: 203 - PREPAID });
  });

  test('bulk instructions pay by size, cut to what is there', () => {
    const { use, meter, exports } = metered(`(module (memory 1)
      (func (export "fill") (param i32)
        (memory.fill (i32.const 0) (i32.const 7) (local.get 0))))`);
    const none = use('fill', 0).fuel;
    assert.equal(use('fill', 800).fuel, none + 100);
    assert.equal(use('fill', 65_536).fuel, none + 8_192);
    meter.set(PLENTY);
    assert.throws(() => callExport(exports, 'fill', -1), /out of bounds/);
    assert.equal(meter.read().stop, undefined);
    assert.equal(PLENTY.fuel - meter.read().fuel <= none + 8_192, true);
  });

  test('instantiation costs what active segments take; passive ones cost where they are used', () => {
    const text = (mode: string) =>
      `(module (memory 1) (table 10 funcref) (func $f)
        (data ${mode} "${'x'.repeat(800)}") (elem (i32.const 0) func $f $f))`;
    assert.equal(instrument(assemble(text('(i32.const 0)'))).instantiationFuel, 100 + 2 * 8);
    assert.equal(instrument(assemble(text(''))).instantiationFuel, 2 * 8);
  });

  test('the start function waits for the host, and is charged', () => {
    const { module, exports, meter } = metered(`(module
      (global $g (export "g") (mut i32) (i32.const 0))
      (func $s (global.set $g (i32.const 9)) (loop $l (br_if $l (i32.const 0)))) (start $s))`);
    const g = exports.g as WebAssembly.Global;
    assert.equal(g.value, 0);
    meter.set(PLENTY);
    assert.ok(module.start !== undefined);
    callExport(exports, module.start);
    assert.equal(g.value, 9);
    assert.ok(meter.read().fuel < PLENTY.fuel);
  });
});

describe('where it stops', () => {
  test('at the first charge that there is too little for, the same each time', () => {
    const { exports, meter, use } = metered(COUNTING);
    const { fuel } = use('count', 100);
    meter.set({ ...PLENTY, fuel });
    assert.equal(callExport(exports, 'count', 100), 100);
    assert.deepEqual(meter.read(), { fuel: 0, stop: undefined });
    meter.set({ ...PLENTY, fuel: fuel - 1 });
    assert.throws(() => callExport(exports, 'count', 100), WebAssembly.RuntimeError);
    assert.deepEqual(meter.read(), { fuel: 0, stop: 'out-of-fuel' });
  });

  test('recursion ends at a depth that the stack units decide', () => {
    const { exports, meter } = metered(`(module (global $d (export "d") (mut i32) (i32.const 0))
      (func $f (export "f") (global.set $d (i32.add (global.get $d) (i32.const 1))) (call $f)))`);
    const depths = [1_000, 1_000, 2_000].map((stack) => {
      const d = exports.d as WebAssembly.Global;
      d.value = 0;
      meter.set({ ...PLENTY, stack });
      assert.throws(() => callExport(exports, 'f'), WebAssembly.RuntimeError);
      assert.equal(meter.read().stop, 'call-depth');
      return Number(d.value);
    });
    const [first = 0, again, double] = depths;
    assert.equal(first, again);
    assert.ok(double === 2 * first || double === 2 * first - 1);
  });

  test('a stack that was given back by an exception is there again', () => {
    const { exports, meter } = metered(`(module (tag $t)
      (func $deep (param i32)
        (if (local.get 0) (then (call $deep (i32.sub (local.get 0) (i32.const 1)))) (else (throw $t))))
      (func (export "f") (param i32) (local $i i32)
        (loop $l
          try (call $deep (i32.const 50)) catch $t end
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $l (i32.lt_u (local.get $i) (local.get 0))))))`);
    meter.set({ ...PLENTY, fuel: 100_000_000, stack: 2_000 });
    callExport(exports, 'f', 1_000);
    assert.equal(meter.read().stop, undefined);
  });

  test('fuel that was spent before an exception stays spent', () => {
    const { exports, meter } = metered(`(module (tag $t)
      (func $spend (loop $l (br_if $l (i32.const 0))) (throw $t))
      (func (export "f") (loop $l try (call $spend) catch_all end (br $l))))`);
    meter.set(PLENTY);
    assert.throws(() => callExport(exports, 'f'), WebAssembly.RuntimeError);
    assert.equal(meter.read().stop, 'out-of-fuel');
  });

  test('a memory that may not grow further by its own type still answers -1', () => {
    const { use } = metered(`(module (memory 1 2) (func (export "grow") (param i32) (result i32)
      (memory.grow (local.get 0))))`);
    assert.equal(use('grow', 2).result, -1);
    assert.equal(use('grow', 1).result, 1);
    assert.equal(use('grow', 1).result, -1);
    assert.equal(use('grow', -1).result, -1);
  });

  test('growing beyond the allowance ends the run, tables too', () => {
    const { exports, meter } = metered(`(module (memory 1) (table $t 1 funcref)
      (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
      (func (export "table") (param i32) (result i32)
        (table.grow $t (ref.null func) (local.get 0))))`);
    meter.set({ ...PLENTY, pages: 3, elements: 5 });
    assert.equal(callExport(exports, 'grow', 2), 1);
    assert.equal(callExport(exports, 'grow', 1), 3);
    assert.throws(() => callExport(exports, 'grow', 1), WebAssembly.RuntimeError);
    assert.equal(meter.read().stop, 'pages');
    meter.set({ ...PLENTY, pages: 3, elements: 5 });
    assert.equal(callExport(exports, 'table', 5), 1);
    assert.throws(() => callExport(exports, 'table', 1), WebAssembly.RuntimeError);
    assert.equal(meter.read().stop, 'elements');
  });
});

describe('what comes out', () => {
  test('has hidden exports under names that the module does not have', () => {
    const { module, exports } = metered(
      '(module (global (export "touchstone:fuel") i32 (i32.const 3)))',
    );
    assert.notEqual(module.meter.fuel, 'touchstone:fuel');
    assert.equal((exports['touchstone:fuel'] as WebAssembly.Global).value, 3);
    assert.ok(exports[module.meter.fuel] instanceof WebAssembly.Global);
  });

  test('keeps the sections that a module has, and the names of its functions', () => {
    const { exports, meter } = metered(
      '(module (func $inner unreachable) (func (export "f") (call $inner)))',
    );
    meter.set(PLENTY);
    assert.throws(
      () => callExport(exports, 'f'),
      (error) => error instanceof Error && /inner/.test(error.stack ?? ''),
    );
  });

  test('a module without code, memory or anything is metered too', () => {
    const { meter } = metered('(module)');
    meter.set(PLENTY);
    assert.equal(meter.read().fuel, PLENTY.fuel);
  });

  test('tells what another machine could answer differently', () => {
    const relaxed = `(module (func (export "f") (result v128)
      (f32x4.relaxed_min (v128.const i32x4 0 0 0 0) (v128.const i32x4 0 0 0 0))))`;
    assert.match(instrument(assemble(relaxed)).nondeterministic ?? '', /relaxed SIMD/);
    const shared = '(module (memory 1 1 shared))';
    assert.match(instrument(assemble(shared)).nondeterministic ?? '', /shared memory/);
    assert.equal(instrument(assemble(COUNTING)).nondeterministic, undefined);
  });

  test('a function with as many locals as engines take is refused by name of the limit', () => {
    const text = `(module (func (export "f") (local ${'i32 '.repeat(50_000)}) (loop (br 0))))`;
    assert.throws(
      () => instrument(assemble(text)),
      (error) =>
        error instanceof InputError && error.code === 'too-large' && /locals/.test(error.message),
    );
  });
});

describe('canonical NaN', () => {
  const QUIET = 0x7fc0_0000;
  /** A NaN with a payload goes through an instruction and is looked at. */
  const through = (instruction: string) => `(module (func (export "f") (param i32) (result i32)
    (i32.reinterpret_f32 ${instruction})))`;
  const given = '(f32.reinterpret_i32 (local.get 0))';

  test('is what arithmetic gives, and only where its bits are seen', () => {
    for (const name of ['add', 'sub', 'mul', 'div', 'min', 'max']) {
      const { module, use } = metered(through(`(f32.${name} ${given} (f32.const 1))`), {
        canonicalNaN: true,
      });
      assert.equal(module.canonicalised, 1);
      assert.equal(use('f', 0x7fc0_1234).result, QUIET, name);
      assert.equal(use('f', 0xffc0_1234 | 0).result, QUIET, name);
    }
    for (const name of ['sqrt', 'ceil', 'floor', 'trunc', 'nearest']) {
      const { use } = metered(through(`(f32.${name} ${given})`), { canonicalNaN: true });
      assert.equal(use('f', 0x7fc0_1234).result, QUIET, name);
    }
  });

  test('leaves what only moves bits alone', () => {
    const { module, use } = metered(through(`(f32.neg ${given})`), { canonicalNaN: true });
    assert.equal(module.canonicalised, 0);
    assert.equal(use('f', 0x7fc0_1234).result, 0xffc0_1234 | 0);
  });

  test('is not made where the next instruction cannot tell', () => {
    const chain = `(module (func (export "f") (param f64 f64) (result i32)
      (f64.lt (f64.mul (f64.add (local.get 0) (local.get 1)) (f64.const 3)) (f64.const 2))))`;
    assert.equal(instrument(assemble(chain), { canonicalNaN: true }).canonicalised, 0);
    const kept = `(module (func (export "f") (param f64 f64) (result f64)
      (f64.mul (f64.add (local.get 0) (local.get 1)) (f64.const 3))))`;
    assert.equal(instrument(assemble(kept), { canonicalNaN: true }).canonicalised, 1);
  });

  test('is made lane by lane in vectors', () => {
    const text = `(module (func (export "f") (param i32) (result i32)
      (i32x4.extract_lane 2 (f32x4.add (i32x4.splat (local.get 0)) (v128.const f32x4 1 1 1 1)))))`;
    const { use } = metered(text, { canonicalNaN: true });
    assert.equal(use('f', 0x7fc0_1234).result, QUIET);
    assert.equal(use('f', 0x3f80_0000).result, 0x4000_0000);
  });
});

describe('a fixed memory', () => {
  const text = `(module (memory (export "memory") 2 10)
    (func (export "size") (result i32) (memory.size))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))`;

  test('is all there from the start, and hands out what is there', () => {
    const { exports, meter } = metered(text, { fixedPages: 4 });
    meter.set({ ...PLENTY, pages: 2 });
    assert.equal(callExport(exports, 'size'), 2);
    assert.equal(callExport(exports, 'grow', 1), 2);
    assert.equal(callExport(exports, 'size'), 3);
    assert.equal(callExport(exports, 'grow', 8), -1);
    assert.equal(callExport(exports, 'grow', 0), 3);
    assert.throws(() => callExport(exports, 'grow', 2), WebAssembly.RuntimeError);
    assert.equal(meter.read().stop, 'pages');
    assert.equal((exports.memory as WebAssembly.Memory).buffer.byteLength, 4 * 65_536);
  });

  test('is refused to a module that it does not fit', () => {
    for (const [module, pages] of [
      [text, 1],
      ['(module)', 4],
      ['(module (memory 1) (memory 1))', 4],
    ] as const) {
      assert.throws(
        () => instrument(assemble(module), { fixedPages: pages }),
        (error) => error instanceof InputError && error.code === 'usage',
      );
    }
  });
});
