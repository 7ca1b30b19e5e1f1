import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import type { Examination } from '../../../engine/rules/examine.ts';
import { RULES } from '../../../engine/rules/rules.ts';
import { toSarif } from '../../../engine/rules/sarif.ts';
import { crypto, examineAlone, examineProject, PURE } from './support.ts';

const IMPURE = PURE.replace('"mashin"', '"env"');
const resultsOf = (...examinations: readonly Examination[]) =>
  toSarif(examinations, { crypto, version: '1.2.3' }).runs[0].results;

test('the log says which version of SARIF it is and describes every rule', () => {
  const log = toSarif([], { crypto, version: '1.2.3' });
  assert.equal(log.version, '2.1.0');
  const { driver } = log.runs[0].tool;
  assert.equal(driver.semanticVersion, '1.2.3');
  assert.deepEqual(
    driver.rules.map(({ id }) => id),
    RULES.map(({ code }) => code),
  );
  for (const { helpUri } of driver.rules) {
    assert.ok(existsSync(new URL(`../../../${helpUri}`, import.meta.url)), helpUri);
  }
});

test('a finding in a module by itself points at its byte, with a text location', async () => {
  const examination = await examineAlone(IMPURE);
  const [result] = resultsOf(examination);
  assert.equal(result?.ruleId, 'impure-import');
  assert.equal(RULES[result?.ruleIndex ?? -1]?.code, 'impure-import');
  assert.equal(result?.level, 'error');
  assert.deepEqual(result?.locations[0].physicalLocation, {
    artifactLocation: { uri: 'tried.wasm', uriBaseId: '%SRCROOT%' },
    region: { startLine: 1, byteOffset: examination.artifact.imports[0]?.offset },
  });
});

test('a finding in a project shows on the artifact line of its manifest', async () => {
  const [result] = resultsOf(await examineProject(IMPURE));
  assert.deepEqual(result?.locations[0].physicalLocation, {
    artifactLocation: { uri: 'executor.json', uriBaseId: '%SRCROOT%' },
    region: { startLine: 3, startColumn: 15, endLine: 3, endColumn: 33 },
  });
  const [byte] = result?.relatedLocations ?? [];
  assert.equal(byte?.physicalLocation.artifactLocation.uri, 'build/tried.wasm');
  assert.ok((byte?.physicalLocation.region.byteOffset ?? 0) > 0);
});

test('a fingerprint stays from build to build, and tells findings apart', async () => {
  const padded = IMPURE.replace(
    '(module',
    '(module (import "mashin" "log" (func (param i32 i32 i32)))',
  );
  const print = (examination: Examination) =>
    resultsOf(examination).map((r) => r.partialFingerprints.primaryLocationLineHash);
  assert.deepEqual(print(await examineAlone(IMPURE)), print(await examineAlone(padded)));
  const two = print(
    await examineAlone(IMPURE.replace('(memory', '(import "env" "other" (func)) (memory')),
  );
  assert.equal(new Set(two).size, 2);
});

test('paths become URIs', async () => {
  const examination = await examineAlone(IMPURE);
  const uriOf = (path: string) => {
    const renamed = { ...examination, artifact: { ...examination.artifact, path } };
    return resultsOf(renamed)[0]?.locations[0].physicalLocation.artifactLocation;
  };
  assert.deepEqual(uriOf('./a b/#1.wasm'), { uri: 'a%20b/%231.wasm', uriBaseId: '%SRCROOT%' });
  assert.deepEqual(uriOf('/builds/x.wasm'), { uri: 'file:///builds/x.wasm' });
  assert.deepEqual(uriOf('C:\\build\\x.wasm'), { uri: 'file:///C:/build/x.wasm' });
});
