// Metering keeps the meaning of modules, shown by the WebAssembly specification's own test suite:
// every script runs plain and metered side by side, with the same results and the same traps.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { bundleProgram } from './support/bundled-program.ts';
import { readSuite } from './support/spec-suite/files.ts';
import { METERINGS } from './support/spec-suite/meterings.ts';
import { runSuite } from './support/spec-suite/run.ts';
import { type Tally, tallySchema } from './support/spec-suite/tally.ts';

const suite = process.env.TOUCHSTONE_SPEC_TESTSUITE;
const required = process.env.TOUCHSTONE_REQUIRE_SPEC === '1';
const newerNode = process.env.TOUCHSTONE_NEWER_NODE;

const withoutSuite =
  suite === undefined && !required
    ? 'TOUCHSTONE_SPEC_TESTSUITE names neither the folder nor the tar.gz of the test suite'
    : false;

/** The suite that the tests were told of; a missing one that is required fails the test. */
function suitePath(): string {
  assert.ok(suite !== undefined, 'TOUCHSTONE_REQUIRE_SPEC=1, and no TOUCHSTONE_SPEC_TESTSUITE');
  return suite;
}

/** The smallest numbers that show that the suite was there and did run: half of what it has. */
const ENOUGH = { modules: 700, commands: 25_000, refused: 1_200 };

/** Disagreements that a failure shows. */
const SHOWN = 20;

/** Calls of the suite that grow a memory beyond the maximum that only its host knows. */
const MOST_GROWTH = 4;

function check(t: TestContext, tally: Tally): void {
  const commands = Object.values(tally.commands).reduce((sum, n) => sum + n, 0);
  const refused = Object.values(tally.refusedBy).reduce((sum, n) => sum + n, 0);
  t.diagnostic(
    `${tally.scripts} scripts, ${tally.modules} modules, ${commands} commands run, ` +
      `${tally.skipped} skipped, ${tally.disagreements.length} disagreements, ` +
      `${tally.v8.length} of V8's own, ${tally.afterRefusal} where V8 lacks a module, ` +
      `${tally.nanBits} NaN of other bits, ${tally.growth} stops for growth of the host's memory`,
  );
  t.diagnostic(`commands: ${JSON.stringify(tally.commands)}`);
  t.diagnostic(`binaries refused: ${JSON.stringify(tally.refusedBy)}`);
  for (const [reason, n] of Object.entries(tally.refused))
    t.diagnostic(`V8 refuses ${n}: ${reason}`);
  assert.deepEqual(tally.disagreements.slice(0, SHOWN), []);
  assert.deepEqual(tally.accepted, []);
  assert.deepEqual(tally.v8, []);
  assert.ok(tally.growth <= MOST_GROWTH);
  assert.ok(tally.modules > ENOUGH.modules && commands > ENOUGH.commands);
  assert.ok(refused > ENOUGH.refused);
}

for (const [name, options] of Object.entries(METERINGS)) {
  test(`the test suite runs ${name} as it runs plain`, { skip: withoutSuite }, (t) => {
    check(t, runSuite(readSuite(suitePath()), options));
  });
}

const withoutNode =
  newerNode === undefined ? 'TOUCHSTONE_NEWER_NODE names no newer Node' : withoutSuite;

test('the test suite runs the same on a newer Node', { skip: withoutNode }, async (t) => {
  assert.ok(newerNode !== undefined);
  const program = await bundleProgram(t, 'spec-suite/main.ts');
  const stdout = await program.run(newerNode, [suitePath()]);
  const tallies = z.record(z.string(), tallySchema).parse(JSON.parse(stdout));
  assert.deepEqual(Object.keys(tallies), Object.keys(METERINGS));
  for (const [name, tally] of Object.entries(tallies)) {
    t.diagnostic(name);
    check(t, tally);
  }
});
