// Metering keeps the meaning of modules, shown by random ones: whatever a valid module does, it does
// metered, and it counts the same each time.
//
// TOUCHSTONE_RANDOM_MODULES says how many on each Node; TOUCHSTONE_RANDOM_SEED=N tries the module of one
// seed alone.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { bundleProgram } from './support/bundled-program.ts';
import { type Report, reportSchema } from './support/random-module/campaign.ts';
import { generateModule } from './support/random-module/generate.ts';
import { tryModule } from './support/random-module/trial.ts';

const MODULES = Number(process.env.TOUCHSTONE_RANDOM_MODULES ?? 1_500);
const PROCESSES = 2;
const SEED = process.env.TOUCHSTONE_RANDOM_SEED;
const newerNode = process.env.TOUCHSTONE_NEWER_NODE;

/** With so many modules, every opcode comes up; with fewer, some may not. */
const ENOUGH_FOR_ALL = 1_500;

/** Runs as many seeds as MODULES from `first` on, dealt out to processes. */
async function campaign(t: TestContext, node: string, first: number): Promise<void> {
  const program = await bundleProgram(t, 'random-module/main.ts');
  const share = Math.ceil(MODULES / PROCESSES);
  const outputs = await Promise.all(
    Array.from({ length: PROCESSES }, (_, i) =>
      program.run(node, [first + i, share, PROCESSES].map(String)),
    ),
  );
  const reports = outputs.map((output) => reportSchema.parse(JSON.parse(output)));
  check(t, reports);
}

function total(reports: readonly Report[], of: (report: Report) => number): number {
  return reports.reduce((sum, report) => sum + of(report), 0);
}

function merged(counts: readonly Readonly<Record<string, number>>[]): string {
  const all: Record<string, number> = {};
  for (const [name, n] of counts.flatMap(Object.entries)) all[name] = (all[name] ?? 0) + Number(n);
  return Object.entries(all)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');
}

function check(t: TestContext, reports: readonly Report[]): void {
  const modules = total(reports, (report) => report.modules);
  const opcodes = new Set(reports.flatMap((report) => report.opcodes));
  const missing = reports
    .flatMap((report) => report.missing)
    .filter((code) => !opcodes.has(code))
    .map((code) => code.toString(16));
  const returning = total(reports, (report) => report.returning);
  const limits = total(reports, (report) => report.limits);
  const milliseconds = total(reports, (report) => report.milliseconds);
  t.diagnostic(
    `${modules} modules, ${(milliseconds / modules).toFixed(1)} ms each; ${returning} with calls ` +
      `that return; ${opcodes.size} opcodes; ${limits} fuel limits tried`,
  );
  t.diagnostic(`endings: ${merged(reports.map((report) => report.endings))}`);
  t.diagnostic(`stops: ${merged(reports.map((report) => report.stops))}`);
  assert.deepEqual(
    reports.flatMap((report) => report.problems),
    [],
  );
  assert.ok(returning > modules / 2 && total(reports, (report) => report.fuel) > modules);
  if (modules >= ENOUGH_FOR_ALL) {
    assert.deepEqual([...new Set(missing)], []);
    assert.ok(limits > modules / 2);
  }
}

test('random modules mean the same when they are metered', { skip: SEED !== undefined }, (t) =>
  campaign(t, process.execPath, 1),
);

const withoutNode =
  newerNode === undefined || SEED !== undefined
    ? 'TOUCHSTONE_NEWER_NODE names no newer Node'
    : false;

test('random modules of a newer Node mean the same', { skip: withoutNode }, async (t) => {
  assert.ok(newerNode !== undefined);
  await campaign(t, newerNode, MODULES + 1);
});

test('the module of one seed means the same', { skip: SEED === undefined }, () => {
  assert.deepEqual(tryModule(Number(SEED)).problems, []);
});

test('a seed gives the same module each time, and another seed another', () => {
  const style = { bounded: true, nan: 'hidden' } as const;
  const [one, again, other] = [7, 7, 8].map((seed) => generateModule(seed, style).bytes);
  assert.deepEqual(one, again);
  assert.notDeepEqual(one, other);
});
