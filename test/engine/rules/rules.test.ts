import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { RULES } from '../../../engine/rules/rules.ts';
import { codesOf, examineAlone, examineProject, MANIFEST, PURE } from './support.ts';

const CODES = RULES.map(({ code }) => code).sort();
const names = (folder: string, ending: string) =>
  readdirSync(new URL(`../../../${folder}`, import.meta.url))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));
const read = (path: string) => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');

test('there is one rule for each code of the design', () => {
  assert.equal(new Set(CODES).size, 20);
  for (const code of CODES) assert.match(code, /^[a-z]+(-[a-z]+)+$/);
});

test('each rule has its file, its page and its test, and there are no others', () => {
  const files = names('engine/rules', '.ts').filter((name) =>
    read(`engine/rules/${name}.ts`).includes('satisfies Rule;'),
  );
  assert.deepEqual(files.sort(), CODES);
  assert.deepEqual(
    names('docs/rules', '.md')
      .filter((name) => name !== 'README')
      .sort(),
    CODES,
  );
  const others = ['rules', 'examine', 'sarif'];
  assert.deepEqual(
    names('test/engine/rules', '.test.ts')
      .filter((name) => !others.includes(name))
      .sort(),
    CODES,
  );
});

test('each page says the rule’s code, its severity and what it means, and the list links to it', () => {
  const list = read('docs/rules/README.md');
  for (const { code, severity } of RULES) {
    const page = read(`docs/rules/${code}.md`);
    assert.ok(page.startsWith(`# ${code}\n`), code);
    assert.ok(page.includes(`Severity: **${severity}**`), code);
    for (const heading of ['## Why it matters', '## Example', '## How to fix it', '## Severity']) {
      assert.ok(page.includes(heading), `${code}: ${heading}`);
    }
    assert.ok(list.includes(`| [\`${code}\`](${code}.md) | ${severity} |`), code);
  }
});

test('severities are configurable, each rule by itself', async () => {
  const impure = PURE.replace('"mashin"', '"env"');
  const examine = (severity: 'off' | 'info') =>
    examineAlone(impure, { severities: { 'impure-import': severity } });
  assert.deepEqual(codesOf(await examine('off')), []);
  assert.equal((await examine('off')).artifact.allImportsPure, false);
  assert.equal((await examine('info')).artifact.diagnostics[0]?.severity, 'info');
});

test('a pure executor without a certificate has no error', async () => {
  const certificate = { path: 'tried.wasm.purity.json', contents: 'missing' } as const;
  const { artifact } = await examineProject(PURE, MANIFEST, { certificate });
  assert.deepEqual(
    artifact.diagnostics.filter(({ severity }) => severity === 'error'),
    [],
  );
});

test('errors come before warnings, and those before infos', async () => {
  const { artifact } = await examineProject('(module (func $s) (start $s) (memory 1))');
  assert.deepEqual(
    artifact.diagnostics.map(({ severity }) => severity),
    ['error', 'error', 'warning', 'info'],
  );
});
