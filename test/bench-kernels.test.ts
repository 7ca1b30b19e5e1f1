// The kernels that the price of fuel is measured on compute what they say, plain and metered.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { runOf } from '../bench/kernels/instance.ts';
import { expectedChecksum, KERNELS, readKernel } from '../bench/kernels/kernels.ts';
import { meterKernel } from '../bench/kernels/metered.ts';
import { readLayout } from '../engine/module/walker.ts';

test('every built kernel is measured, and there are at least ten', () => {
  const built = readdirSync('bench/kernels/build').map((file) => file.replace('.wasm', ''));
  assert.deepEqual(KERNELS.map(({ name }) => name).sort(), built.sort());
  assert.ok(KERNELS.length >= 10);
});

for (const kernel of KERNELS) {
  test(`${kernel.name} imports nothing and answers what an independent implementation does`, () => {
    const bytes = readKernel(kernel);
    assert.deepEqual(readLayout(bytes).imports, []);
    const run = runOf(new WebAssembly.Instance(new WebAssembly.Module(bytes)));
    assert.equal(run(kernel.n), expectedChecksum(kernel));
  });

  for (const canonicalNaN of [false, true]) {
    const how = canonicalNaN ? 'metered with canonical NaNs' : 'metered';
    test(`${kernel.name}, ${how}, answers the same, again too, and uses the same fuel`, () => {
      const { bytes, instantiate } = meterKernel(readKernel(kernel), { canonicalNaN });
      const { run, used } = instantiate(new WebAssembly.Module(bytes));
      const expected = expectedChecksum(kernel);
      assert.equal(run(kernel.n), expected);
      const fuel = used();
      assert.ok(fuel > 0);
      assert.equal(run(kernel.n), expected);
      assert.equal(used(), fuel);
    });
  }
}
