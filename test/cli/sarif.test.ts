import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { answerOf, assertExit, ROOT, workspace } from './support.ts';

const level = z.enum(['error', 'warning', 'note']);
const message = z.strictObject({ text: z.string().min(1) });

/** Regions as SARIF 2.1.0 section 3.30 has them: lines and columns count from 1. */
const physicalLocation = z.strictObject({
  artifactLocation: z.strictObject({
    uri: z.string().regex(/^[^\\ ]+$/),
    uriBaseId: z.literal('%SRCROOT%').optional(),
  }),
  region: z.strictObject({
    startLine: z.int().min(1),
    startColumn: z.int().min(1).optional(),
    endLine: z.int().min(1).optional(),
    endColumn: z.int().min(1).optional(),
    byteOffset: z.int().min(0).optional(),
  }),
});

/** The part of SARIF 2.1.0 that code scanning reads, with the fields that it demands. */
const sarif = z.strictObject({
  $schema: z.url(),
  version: z.literal('2.1.0'),
  runs: z.tuple([
    z.strictObject({
      tool: z.strictObject({
        driver: z.strictObject({
          name: z.literal('touchstone'),
          semanticVersion: z.string().regex(/^\d+\.\d+\.\d+/),
          rules: z.array(
            z.strictObject({
              id: z.string().regex(/^[a-z0-9-]+$/),
              shortDescription: message,
              helpUri: z.string(),
              help: message,
              defaultConfiguration: z.strictObject({ level }),
              properties: z.strictObject({ tags: z.array(z.string()) }),
            }),
          ),
        }),
      }),
      columnKind: z.literal('utf16CodeUnits'),
      results: z.array(
        z.strictObject({
          ruleId: z.string(),
          ruleIndex: z.int().min(0),
          level,
          message,
          locations: z.tuple([z.strictObject({ physicalLocation })]),
          relatedLocations: z
            .array(z.strictObject({ id: z.int(), message, physicalLocation }))
            .optional(),
          partialFingerprints: z.strictObject({
            primaryLocationLineHash: z.string().regex(/^[0-9a-f]+:\d+$/),
          }),
        }),
      ),
    }),
  ]),
});

const logOf = (stdout: string) => sarif.parse(JSON.parse(stdout)).runs[0];

test('check --format sarif is SARIF 2.1.0 as code scanning reads it', async (t) => {
  const here = workspace(t);
  here.example('impure/println');
  here.example('echo');
  const { tool, results } = logOf(answerOf(await here.run('check', '--format', 'sarif'), 1));
  const ids = tool.driver.rules.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'each rule is listed once');
  for (const { helpUri } of tool.driver.rules) {
    assert.ok(existsSync(join(ROOT, helpUri)), `${helpUri} is a page`);
  }
  for (const { ruleId, ruleIndex } of results) assert.equal(ids[ruleIndex], ruleId);
  const impure = results.filter(({ ruleId }) => ruleId === 'impure-import');
  assert.equal(impure.length, 4);
  for (const { level, locations } of impure) {
    assert.equal(level, 'error');
    const { artifactLocation, region } = locations[0].physicalLocation;
    assert.equal(artifactLocation.uri, 'impure/println/executor.json');
    const lines = here.read('impure/println/executor.json').toString().split('\n');
    assert.match(lines[region.startLine - 1] ?? '', /"artifact"/);
  }
  const fingerprints = results.map((each) => each.partialFingerprints.primaryLocationLineHash);
  assert.equal(new Set(fingerprints).size, results.length, 'no two results look the same');
  const again = logOf((await here.run('check', '--format', 'sarif')).stdout);
  assert.deepEqual(again.results, results, 'nothing depends on when it is made');
});

test('a file that is no module is a result too, beside exit code 2', async (t) => {
  const here = workspace(t);
  here.write('a b.wasm', 'no module');
  const result = await here.run('check', 'a b.wasm', '--format', 'sarif');
  assertExit(result, 2);
  const { results } = logOf(result.stdout);
  assert.deepEqual(
    results.map(({ ruleId }) => ruleId),
    ['invalid-module'],
  );
  assert.equal(results[0]?.locations[0].physicalLocation.artifactLocation.uri, 'a%20b.wasm');
});
