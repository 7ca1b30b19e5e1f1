import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instrument } from '../../../engine/metering/instrument.ts';
import { openMeter } from '../../../engine/metering/meter.ts';
import { assemble } from '../../support/wat.ts';
import { callExport, PLENTY } from './instances.ts';

/** Byte offset of the innermost frame of a trap. */
function offsetOf(run: () => unknown): number {
  try {
    run();
  } catch (error) {
    const found = /wasm-function\[\d+\]:0x([0-9a-f]+)/.exec(
      error instanceof Error ? (error.stack ?? '') : '',
    );
    if (found?.[1] !== undefined) return Number.parseInt(found[1], 16);
  }
  throw new Error('there was no trap');
}

const TRAPS: Readonly<Record<string, string>> = {
  'at the first instruction': '(func (export "f") unreachable)',
  'behind a call': '(func $g) (func (export "f") (call $g) (call $g) unreachable)',
  'in a loop': `(func (export "f") (local $i i32)
    (loop $l (local.set $i (i32.add (local.get $i) (i32.const 9999)))
      (drop (i32.load (local.get $i))) (br $l)))`,
  'in the second of two functions': `(func $a (loop (br_if 0 (i32.const 0))))
    (func (export "f") (call $a) (drop (i32.div_u (i32.const 1) (i32.const 0))))`,
  'in a bulk instruction': `(func (export "f")
    (memory.fill (i32.const 65530) (i32.const 0) (i32.const 100)))`,
  'in a callee': `(func $g (param i32) (if (local.get 0) (then unreachable)))
    (func (export "f") (call $g (i32.const 0)) (call $g (i32.const 1)))`,
};

for (const [what, functions] of Object.entries(TRAPS)) {
  test(`a trap ${what} is told where the original module has it`, () => {
    const bytes = Uint8Array.from(assemble(`(module (memory 1) ${functions})`));
    const plain = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
    const expected = offsetOf(() => callExport(plain, 'f'));
    const metered = instrument(bytes);
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(metered.bytes));
    openMeter(exports, metered.meter).set(PLENTY);
    const found = offsetOf(() => callExport(exports, 'f'));
    assert.equal(metered.positions.toOriginal(found), expected);
  });
}

test('a place outside of every body came from nowhere', () => {
  const { positions, bytes } = instrument(assemble('(module (func unreachable))'));
  assert.equal(positions.toOriginal(0), undefined);
  assert.equal(instrument(assemble('(module)')).positions.toOriginal(bytes.length), undefined);
});
