// The same executor, input and environment key give the same output, directives and receipt, byte
// for byte: however often, on which side of a process boundary, and in whatever order.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { canonicalJson } from '../engine/encoding/json.ts';
import { type AdmittedExecutor, createGate } from '../engine/gate/admit.ts';
import { createProcessIsolation } from '../engine/platform/node/process-isolation.ts';
import { serializeReceipt } from '../engine/provenance/receipt.ts';
import { type Isolation, inThread } from '../engine/runtime/isolation.ts';
import type { Outcome } from '../engine/runtime/types.ts';
import { byPurity, type Example, readExamples, runCase } from './support/examples.ts';
import { bundleExecutorHost } from './support/executor-host.ts';
import { certificateFor, environment } from './support/gate.ts';

const RUNS = 1_000;
const ISOLATED_RUNS = 20;

const { pure } = byPurity(await readExamples());

let bundle: Awaited<ReturnType<typeof bundleExecutorHost>>;
let isolated: Isolation;
before(async () => {
  bundle = await bundleExecutorHost();
  isolated = createProcessIsolation({ script: bundle.script });
});
after(async () => {
  await isolated.close();
  await bundle.remove();
});

/** Everything that a run gives and that has to be the same, as text. */
interface Traces {
  /** The exact bytes that the executor handed over, in hex. */
  readonly output: string | undefined;
  readonly directives: string;
  readonly receipt: string;
}

async function admit({ bytes }: Example): Promise<AdmittedExecutor> {
  const certificate = await certificateFor(bytes);
  const admission = createGate(environment()).admit({ bytes, tier: 1, certificate });
  assert.ok(admission.admitted);
  return admission.executor;
}

/** Runs a case once, recorded in a chain that is empty before, and signed by one fixed key. */
async function trace(
  executor: AdmittedExecutor,
  example: Example,
  { content }: Example['cases'][number],
  isolation: Isolation,
): Promise<Traces> {
  const outcomes: Outcome[] = [];
  const listening: Isolation = {
    ...isolation,
    execute: async (job, options) => {
      const outcome = await isolation.execute(job, options);
      outcomes.push(outcome);
      return outcome;
    },
  };
  const report = await runCase(example, executor, content, listening);
  assert.equal(report.status, content.expect.status, report.problem?.message);
  const [{ output } = { output: undefined }] = outcomes;
  return {
    output: output && Buffer.from(output).toString('hex'),
    directives: canonicalJson(report.directives),
    receipt: Buffer.from(serializeReceipt(report.receipt)).toString(),
  };
}

/** The case that gives the most to compare. */
function largestCase({ name, cases }: Example): Example['cases'][number] {
  const size = ({ content }: Example['cases'][number]) =>
    canonicalJson(content.expect.directives ?? []).length;
  const [largest] = [...cases].sort((a, b) => size(b) - size(a));
  assert.ok(largest, `${name} has no case`);
  return largest;
}

test('there are eight pure examples', () => {
  assert.equal(pure.length, 8);
});

for (const example of pure) {
  const chosen = largestCase(example);
  test(`${example.name} gives the same ${RUNS} times: ${chosen.name}`, async () => {
    const executor = await admit(example);
    const first = await trace(executor, example, chosen, inThread);
    assert.ok(first.output !== undefined && first.receipt.includes('"status":"ok"'));
    for (let run = 1; run < RUNS; run++) {
      assert.deepEqual(await trace(executor, example, chosen, inThread), first, `run ${run}`);
    }
  });

  test(`${example.name} gives the same in a process of its own`, async () => {
    const executor = await admit(example);
    const first = await trace(executor, example, chosen, inThread);
    for (let run = 0; run < ISOLATED_RUNS; run++) {
      assert.deepEqual(await trace(executor, example, chosen, isolated), first, `run ${run}`);
    }
  });

  test(`${example.name} gives another output and receipt for another case`, async () => {
    const executor = await admit(example);
    const traces: Traces[] = [];
    for (const each of example.cases) {
      traces.push(await trace(executor, example, each, inThread));
    }
    assert.equal(new Set(traces.map(({ receipt }) => receipt)).size, example.cases.length);
    assert.ok(new Set(traces.map(({ output }) => output)).size > 1);
  });
}

test('all cases, interleaved and admitted anew, give what they gave before', async () => {
  const all = pure.flatMap((example) => example.cases.map((each) => ({ example, each })));
  const once = async (isolation: Isolation) =>
    Promise.all(
      all.map(async ({ example, each }) => trace(await admit(example), example, each, isolation)),
    );
  const first = await once(inThread);
  all.reverse();
  assert.deepEqual(await once(isolated), first.reverse());
});
