// The executors of examples/: the pure ones go the whole way, the impure ones are stopped, and the
// tables of their README say what they are.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { test } from 'node:test';
import { certify } from '../engine/certificate/certify.ts';
import { type AdmittedExecutor, createGate } from '../engine/gate/admit.ts';
import { DEFAULT_POLICY } from '../engine/gate/policy.ts';
import { inspectModule } from '../engine/module/report.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { compareCase } from '../engine/project/case.ts';
import { inThread } from '../engine/runtime/isolation.ts';
import { byPurity, EXAMPLES, type Example, readExamples, runCase } from './support/examples.ts';
import { certificateFor, certifier, environment, NOW, whitelist } from './support/gate.ts';

const PURE = ['call', 'code', 'echo', 'memory', 'minimal', 'reason', 'route', 'tally'];

const IMPURE_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  'impure/abort': ['env.abort', 'env.seed'],
  'impure/extern': ['env.fetch_url'],
  'impure/imported-memory': ['env.memory'],
  'impure/println': [
    'wasi_snapshot_preview1.fd_write',
    'wasi_snapshot_preview1.environ_get',
    'wasi_snapshot_preview1.environ_sizes_get',
    'wasi_snapshot_preview1.proc_exit',
  ],
};

const examples = await readExamples();
const { pure, impure } = byPurity(examples);

async function admit({ bytes, manifest }: Example): Promise<AdmittedExecutor> {
  const certificate = await certificateFor(bytes);
  const gate = createGate(environment());
  const admission = gate.admit({ bytes, tier: 1, designatedTier: manifest.tier, certificate });
  assert.ok(admission.admitted, admission.admitted ? '' : admission.detail);
  return admission.executor;
}

test('there are the examples that these tests know', () => {
  assert.deepEqual(
    pure.map(({ name }) => name),
    PURE,
  );
  assert.deepEqual(
    impure.map(({ name }) => name),
    Object.keys(IMPURE_IMPORTS),
  );
});

for (const example of pure) {
  test(`${example.name} is certified, admitted, and does what its cases say`, async (t) => {
    const executor = await admit(example);
    assert.equal(executor.tier, 1);
    assert.ok(example.cases.length > 0, 'it has no cases');
    for (const each of example.cases) {
      await t.test(each.name, async () => {
        const report = await runCase(example, executor, each.content, inThread);
        assert.deepEqual(compareCase(each.content.expect, report), [], report.problem?.message);
        assert.equal(report.receipt.status, report.status);
        assert.equal(report.receipt.artifactHash, nodeCrypto.sha256(example.bytes));
      });
    }
  });
}

test('the cases hold successes and failures, and say what each directive is', (t) => {
  const all = pure.flatMap(({ cases }) => cases.map(({ content }) => content.expect));
  t.diagnostic(`${all.length} cases of ${pure.length} examples`);
  assert.ok(all.some(({ status }) => status === 'ok'));
  assert.ok(all.some(({ status }) => status === 'error'));
  for (const { status, result, directives } of all) {
    if (status === 'ok') assert.ok(result !== undefined && directives !== undefined);
  }
});

for (const { name, bytes, manifest } of impure) {
  test(`${name} is refused by the certifier and the gate for exactly its impure imports`, async () => {
    const expected = IMPURE_IMPORTS[name] ?? [];
    const result = await certify(nodeCrypto, {
      report: inspectModule(nodeCrypto, bytes),
      artifactName: manifest.artifact,
      whitelist,
      certifier,
      issuedAt: NOW,
    });
    assert.ok(!result.certified && result.reason === 'impure');
    const refused = result.impure.map((entry) => `${entry.module}.${entry.name}`);
    assert.deepEqual(refused, expected);

    const gate = createGate(environment({ policy: { ...DEFAULT_POLICY, minimumTier: 2 } }));
    const admission = gate.admit({ bytes, tier: 2 });
    assert.ok(!admission.admitted);
    assert.equal(admission.failed, 'conclusion');
    assert.ok(admission.detail.startsWith(`${expected[0]} is impure`), admission.detail);
  });
}

const LANGUAGES: Readonly<Record<string, string>> = {
  '.rs': 'Rust',
  '.ts': 'AssemblyScript',
  '.c': 'C',
  '.wat': 'WAT',
};

/** The rows of the README's tables about examples, as their cells without Markdown. */
function readmeRows(): readonly (readonly string[])[] {
  const lines = readFileSync(join(EXAMPLES, 'README.md'), 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('| ['))
    .map((line) => line.split('|').map((cell) => cell.trim().replaceAll('`', '')));
}

test('the tables of the README name every example, its language and its source', () => {
  const found = readmeRows().map(([, link = '', language]) => {
    const [, name = '', path = ''] = /^\[(.+)\]\((.+)\)$/.exec(link) ?? [];
    const example = examples.find(({ manifest }) => manifest.name === name);
    assert.ok(example, `${name} is no example`);
    assert.ok(path.startsWith(`${example.name}/`), path);
    assert.ok(existsSync(join(EXAMPLES, path)), `${path} is not there`);
    assert.ok(example.manifest.source.includes(path.slice(example.name.length + 1)), path);
    assert.equal(language, LANGUAGES[extname(path)], path);
    return example.name;
  });
  assert.deepEqual(found.sort(), examples.map(({ name }) => name).sort());
});

test('the README says which directives a pure example emits and what an impure one imports', async () => {
  const rows = new Map(
    readmeRows().map((cells) => [/\[(.+)\]/.exec(cells[1] ?? '')?.[1], cells] as const),
  );
  const listed = (text = '') => text.split(',').flatMap((item) => item.trim() || []);
  for (const example of pure) {
    const executor = await admit(example);
    const emitted = new Set<string>();
    for (const each of example.cases) {
      const { directives } = await runCase(example, executor, each.content, inThread);
      for (const { type } of directives) emitted.add(type);
    }
    assert.deepEqual([...emitted].sort(), listed(rows.get(example.name)?.[4]).sort(), example.name);
  }
  for (const { name, manifest } of impure) {
    const patterns = listed(rows.get(manifest.name)?.[3]);
    const covers = (pattern: string, item: string) =>
      pattern.endsWith('*') ? item.startsWith(pattern.slice(0, -1)) : item === pattern;
    const imports = IMPURE_IMPORTS[name] ?? [];
    assert.ok(patterns.every((pattern) => imports.some((item) => covers(pattern, item))));
    assert.ok(imports.every((item) => patterns.some((pattern) => covers(pattern, item))));
  }
});
