// The module readers against real modules, as npm has them: read without error, the imports that V8
// sees, every one of them classified, and call paths that the bytes have.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { InputError } from '../engine/encoding/input-error.ts';
import { requireAgreement } from '../engine/module/agreement.ts';
import { inspectModule } from '../engine/module/report.ts';
import type { Feature, ModuleReport } from '../engine/module/types.ts';
import { readLayout } from '../engine/module/walker.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { PathChecker } from './support/call-edges.ts';
import { whitelist } from './support/gate.ts';

const CORPUS = fileURLToPath(new URL('corpus/', import.meta.url));

interface CorpusModule {
  readonly package: string;
  readonly path: string;
  readonly features: readonly string[];
  readonly v8: boolean;
  readonly sha256: string;
}

const modules: readonly CorpusModule[] = JSON.parse(readFileSync(`${CORPUS}modules.json`, 'utf8'));
const readable = modules.filter(({ v8 }) => v8);

/** What the corpus calls a feature, and what the engine does; the others have no name in both. */
const FEATURES: ReadonlyMap<string, Feature> = new Map([
  ['atomics', 'threads'],
  ['bulk-memory', 'bulk-memory'],
  ['gc', 'gc'],
  ['legacy-exceptions', 'exceptions-legacy'],
  ['memory64', 'memory64'],
  ['multi-value', 'multi-value'],
  ['mutable-globals', 'mutable-globals'],
  ['reference-types', 'reference-types'],
  ['saturating-float-to-int', 'saturating-float-to-int'],
  ['sign-extension', 'sign-extension'],
  ['simd', 'simd'],
  ['table64', 'memory64'],
  ['threads', 'threads'],
  ['typed-references', 'function-references'],
]);

/** What all modules together gave, told at the end. */
const totals = {
  modules: 0,
  packages: new Set<string>(),
  imports: { pure: 0, directive: 0, impure: 0 },
  secondOpinion: { agrees: 0, 'cannot-read': 0, disagrees: 0 },
  paths: 0,
  steps: 0,
  unreached: 0,
  features: new Set<Feature>(),
};

function read({ path, sha256 }: CorpusModule): Uint8Array<ArrayBuffer> {
  const file = `${CORPUS}node_modules/${path}`;
  assert.ok(
    existsSync(file),
    `${path} is not installed: run \`npm ci --ignore-scripts\` in test/corpus, or \`npm test\`, which does`,
  );
  const bytes = new Uint8Array(readFileSync(file));
  assert.equal(nodeCrypto.sha256(bytes), sha256, `${path} is another file than modules.json lists`);
  return bytes;
}

for (const listed of readable) {
  test(`reads ${listed.path} as V8 does`, () => {
    const bytes = read(listed);
    const report = inspectModule(nodeCrypto, bytes);
    assert.equal(report.sha256, listed.sha256);
    assert.equal(report.size, bytes.length);

    const compiled = new WebAssembly.Module(bytes);
    const seen = report.imports.map(({ module, name, kind }) => ({ module, name, kind }));
    assert.deepEqual(seen, WebAssembly.Module.imports(compiled));
    const exported = report.exports.map(({ name, kind }) => ({ name, kind }));
    assert.deepEqual(exported, WebAssembly.Module.exports(compiled));
    const { imports, sections } = readLayout(bytes);
    assert.deepEqual({ imports, sections }, { imports: report.imports, sections: report.sections });

    checkOpinions(report);
    checkClasses(report);
    checkFeatures(report, listed.features);
    checkPaths(report, bytes);
    totals.modules++;
    totals.packages.add(listed.package);
  });
}

function checkOpinions(report: ModuleReport): void {
  requireAgreement(report);
  const opinions = new Map(report.readers.map(({ reader, outcome }) => [reader, outcome]));
  assert.equal(opinions.get('walker'), 'agrees');
  assert.equal(opinions.get('wasmparser'), 'agrees');
  const second = opinions.get('webassemblyjs');
  assert.ok(second === 'agrees' || second === 'cannot-read', second);
  totals.secondOpinion[second]++;
}

function checkClasses({ imports }: ModuleReport): void {
  for (const entry of imports) {
    const classification = whitelist.classify(entry);
    assert.ok(classification.class in totals.imports, `${entry.module}.${entry.name}`);
    totals.imports[classification.class]++;
  }
}

function checkFeatures({ features }: ModuleReport, listed: readonly string[]): void {
  assert.ok(!features.includes('unknown-instructions'));
  for (const name of listed) {
    const feature = FEATURES.get(name);
    if (feature === undefined) continue;
    assert.ok(features.includes(feature), `${name} is not among ${features}`);
    totals.features.add(feature);
  }
}

function checkPaths(report: ModuleReport, bytes: Uint8Array): void {
  const checker = new PathChecker(bytes, report);
  for (const [index, entry] of report.imports.entries()) {
    if (entry.kind !== 'function' || whitelist.classify(entry).class !== 'impure') continue;
    const path = report.callGraph.pathTo(index);
    if (path === undefined) {
      totals.unreached++;
      continue;
    }
    checker.check(index, path);
    totals.paths++;
    totals.steps += path.frames.length - 1;
  }
}

for (const listed of modules.filter(({ v8 }) => !v8)) {
  test(`reads or refuses ${listed.path}, which this V8 may not know`, (t) => {
    const bytes = read(listed);
    let report: ModuleReport;
    try {
      report = inspectModule(nodeCrypto, bytes);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      assert.equal(error.code, 'invalid-module');
      assert.match(error.message, /^not a valid WebAssembly module: [^\n]+, at byte \d+/);
      t.diagnostic(error.message);
      return;
    }
    assert.ok(WebAssembly.validate(bytes), 'it was read though V8 refuses it');
    assert.equal(report.sha256, listed.sha256);
    checkOpinions(report);
    checkFeatures(report, listed.features);
  });
}

test('the corpus is as large and as varied as it has to be', (t) => {
  const { imports, secondOpinion, paths, steps, unreached } = totals;
  t.diagnostic(`${totals.modules} modules of ${totals.packages.size} packages`);
  t.diagnostic(
    `imports: ${imports.pure} pure, ${imports.directive} directive, ${imports.impure} impure`,
  );
  t.diagnostic(
    `second opinion: ${secondOpinion.agrees} agree, ${secondOpinion['cannot-read']} cannot be read`,
  );
  t.diagnostic(`call paths: ${paths} of ${steps} steps; ${unreached} imports that nothing reaches`);
  t.diagnostic(`features: ${[...totals.features].sort().join(', ')}`);
  assert.equal(totals.modules, readable.length);
  assert.ok(totals.modules >= 40 && totals.packages.size >= 12);
  assert.ok(imports.impure > 0 && secondOpinion.agrees >= 40 && paths > 0 && steps > paths);
  for (const feature of ['simd', 'threads', 'exceptions-legacy', 'reference-types'] as const) {
    assert.ok(totals.features.has(feature), feature);
  }
});
