// Executors that never end by themselves are ended by fuel or by call depth: in thread, without a
// clock, at the same point each time.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { InputError } from '../engine/encoding/input-error.ts';
import { createGate } from '../engine/gate/admit.ts';
import { inThread } from '../engine/runtime/isolation.ts';
import { runExecutor } from '../engine/runtime/run.ts';
import { DEFAULT_LIMITS, type RunStatus } from '../engine/runtime/types.ts';
import { bundleProgram } from './support/bundled-program.ts';
import { certificateFor, environment } from './support/gate.ts';
import { compileMetered } from './support/metered.ts';
import { ALLOWANCE, runOnce, runShapes, throwProblems } from './support/runaway/run.ts';
import type { RunawayEnd } from './support/runaway/shape.ts';
import { SHAPES } from './support/runaway/shapes.ts';
import { thrower } from './support/runaway/throwers.ts';
import { assemble } from './support/wat.ts';

const newerNode = process.env.TOUCHSTONE_NEWER_NODE;

test('every shape of endless executor is stopped by the meter', (t) => {
  const { run, unknown, problems } = runShapes();
  t.diagnostic(`${run.length} shapes, ${unknown.length} unknown to this V8: ${unknown.join(', ')}`);
  assert.deepEqual(problems, []);
  assert.ok(run.length >= 60);
});

const withoutNode = newerNode === undefined && 'TOUCHSTONE_NEWER_NODE names no newer Node';

test('and on a newer Node, where all of them run', { skip: withoutNode }, async (t) => {
  assert.ok(newerNode !== undefined);
  const texts = z.array(z.string());
  const schema = z.object({ run: texts, unknown: texts, problems: texts });
  const program = await bundleProgram(t, 'runaway/main.ts');
  const { run, unknown, problems } = schema.parse(JSON.parse(await program.run(newerNode, [])));
  assert.deepEqual(problems, []);
  assert.deepEqual(unknown, []);
  assert.equal(run.length, SHAPES.length);
});

/** What the runtime calls each end. */
const STATUSES: Readonly<Record<RunawayEnd, RunStatus>> = {
  'out-of-fuel': 'out-of-fuel',
  'call-depth': 'call-depth',
  pages: 'memory-limit',
  elements: 'memory-limit',
};

test('the runtime says of every shape what ended it', async (t) => {
  const limits = {
    ...DEFAULT_LIMITS,
    fuel: ALLOWANCE.fuel,
    memoryPages: ALLOWANCE.pages + 1,
    tableElements: ALLOWANCE.elements,
  };
  let run = 0;
  const refused: string[] = [];
  for (const { name, end, bytes } of SHAPES) {
    const module = Uint8Array.from(bytes());
    if (!WebAssembly.validate(module)) continue;
    let certificate: Uint8Array;
    try {
      certificate = await certificateFor(module);
    } catch (error) {
      // The certifier's readers do not know every feature; what they cannot read is not admitted.
      if (!(error instanceof InputError)) throw error;
      refused.push(name);
      continue;
    }
    const admission = createGate(environment()).admit({ bytes: module, tier: 1, certificate });
    assert.ok(admission.admitted, name);
    const outcome = await runExecutor(admission.executor, { input: {}, limits }, inThread);
    assert.equal(outcome.status, STATUSES[end], name);
    assert.equal(outcome.result, null, name);
    run++;
  }
  t.diagnostic(`${run} shapes run, ${refused.length} not certified: ${refused.join(', ')}`);
  assert.ok(run >= 50);
});

test('an exception gives back the depth that it unwinds, and no fuel', () => {
  assert.deepEqual(throwProblems('legacy'), []);
});

test('what is caught inside does not give the frames around it more depth', () => {
  const nested = (rounds: number) =>
    assemble(`(module
      (memory (export "memory") 1)
      (tag $e)
      (global $n (export "count") (mut i32) (i32.const 0))
      (func $throws (throw $e))
      (func $ever (local $left i32)
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (local.set $left (i32.const ${rounds}))
        (loop $l
          (try (do (call $throws)) (catch_all))
          (br_if $l (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (call $ever))
      (func (export "plan") (call $ever)))`);
  const reached = [1, 2, 5].map((rounds) =>
    runOnce(compileMetered(nested(rounds)), { ...ALLOWANCE, fuel: 10 * ALLOWANCE.fuel }),
  );
  assert.deepEqual(new Set(reached.map(({ stop }) => stop)), new Set(['call-depth']));
  assert.equal(new Set(reached.map(({ count }) => count)).size, 1);
});

test('half the depth ends recursion at about half the way', () => {
  const compiled = compileMetered(thrower(0, 0, 'legacy'));
  const whole = runOnce(compiled);
  const half = runOnce(compiled, { ...ALLOWANCE, stack: ALLOWANCE.stack / 2 });
  assert.deepEqual([whole.stop, half.stop], ['call-depth', 'call-depth']);
  assert.ok(Math.abs(whole.count / 2 - half.count) <= 2);
});
