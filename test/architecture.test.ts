// The layout of DESIGN 2, held by the import graph: data flows one way, the engine is neutral to its
// platform, and the host functions reach no I/O.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  closureOf,
  cyclesOf,
  filesBelow,
  globalsUsedBy,
  type Import,
  importsOf,
  ROOT,
} from './support/import-graph.ts';

/** The pipeline, in the order of DESIGN's table. */
const PIPELINE = [
  'module',
  'whitelist',
  'proof',
  'certificate',
  'gate',
  'voucher',
  'metering',
  'runtime',
  'governance',
  'provenance',
  'trytet',
  'attestation',
  'log',
];
/** What everything may stand on. */
const BELOW = ['encoding', 'crypto'];

/** The folders that each folder may import from, itself aside. */
const ALLOWED: ReadonlyMap<string, readonly string[]> = new Map([
  ['encoding', []],
  ['crypto', ['encoding']],
  ...PIPELINE.map((folder, i) => [folder, [...BELOW, ...PIPELINE.slice(0, i)]] as const),
  ['project', [...BELOW, ...PIPELINE]],
  ['governed', [...BELOW, ...PIPELINE]],
  ['audit', [...BELOW, ...PIPELINE]],
  ['rules', [...BELOW, ...PIPELINE, 'project', 'source']],
  ['source', [...BELOW, ...PIPELINE, 'project']],
  ['platform', [...BELOW, ...PIPELINE, 'governed', 'audit', 'project', 'source', 'rules']],
]);

/** What stands above the folders: the public face of the library. */
const TOP = ['engine/index.ts'];

const all = filesBelow('engine');
const files = all.filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'));
const neutral = files.filter((file) => !file.startsWith('engine/platform/'));
const imports = await importsOf(files);
const inside = imports.filter(({ to }) => to.startsWith('engine/'));

function folderOf(file: string): string | undefined {
  return /^engine\/([^/]+)\//.exec(file)?.[1];
}

function told({ from, to, isTypeOnly }: Import): string {
  return `${from} → ${to}${isTypeOnly ? ' (types)' : ''}`;
}

test('the engine holds TypeScript modules, and nothing else', () => {
  assert.deepEqual(
    all.filter((file) => !file.endsWith('.ts')),
    [],
  );
});

test('every import is in the graph, and every relative one leads to a file of the engine', () => {
  assert.ok(files.length > 100 && inside.length > 300);
  const known = new Set(all);
  assert.deepEqual(
    imports.filter(({ to }) => to.startsWith('engine/') && !known.has(to)).map(told),
    [],
  );
  assert.deepEqual(imports.filter(({ to }) => to.startsWith('.')).map(told), []);
  // Counted in the text as well: an import that the graph leaves out would be judged by nobody.
  for (const file of files) {
    const source = readFileSync(join(ROOT, file), 'utf8');
    const written = new Set(
      [...source.matchAll(/^(?:(?:import|export)\b.*|\}) from '([^']+)';$/gm)].map(([, to]) => to),
    );
    for (const [, to = ''] of source.matchAll(/\bimport\('([^']+)'\)/g)) written.add(to);
    const found = new Set(imports.filter(({ from }) => from === file).map(({ to }) => to));
    assert.equal(found.size, written.size, file);
  }
});

test('a folder imports only from the folders before it', (t) => {
  assert.deepEqual(
    files.filter((file) => folderOf(file) === undefined),
    TOP,
  );
  assert.deepEqual(
    [...new Set(files.flatMap((file) => folderOf(file) ?? []))].filter((f) => !ALLOWED.has(f)),
    [],
  );
  const wrong = inside.filter(({ from, to }) => {
    const folder = folderOf(from);
    if (folder === undefined) return false;
    const other = folderOf(to);
    return other === undefined || (other !== folder && !ALLOWED.get(folder)?.includes(other));
  });
  t.diagnostic(`${inside.length} imports of ${files.length} files`);
  assert.deepEqual(wrong.map(told), []);
});

test('what stands above the folders imports no platform', () => {
  const wrong = inside.filter(({ from, to }) => TOP.includes(from) && folderOf(to) === 'platform');
  assert.deepEqual(wrong.map(told), []);
});

/** Built-in modules under both of their names, and everything of an editor. */
function isOfMachine(specifier: string): boolean {
  const [name = ''] = specifier.split('/');
  return specifier.startsWith('node:') || builtinModules.includes(name);
}

test('only the platform imports what is built into Node', () => {
  const built = imports.filter(({ to }) => isOfMachine(to));
  assert.ok(built.some(({ from }) => from.startsWith('engine/platform/node/')));
  assert.deepEqual(
    built.filter(({ from }) => !from.startsWith('engine/platform/node/')).map(told),
    [],
  );
});

test('the engine imports nothing of VS Code or of its protocol', () => {
  assert.deepEqual(imports.filter(({ to }) => /^vscode(-|$|\/)/.test(to)).map(told), []);
});

test('the engine imports declared packages only, and two of them late', () => {
  const packages = imports
    .map(({ to }) => /^(?!engine\/|node:)((?:@[^/]+\/)?[^/]+)/.exec(to)?.[1])
    .filter((name) => name !== undefined);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const dependencies = Object.keys(manifest.dependencies);
  assert.deepEqual(
    [...new Set(packages)].filter((name) => !dependencies.includes(name)),
    [],
  );
  // The assembler and the parsers are large, and only sources in text need them.
  const late = imports.filter(({ kind }) => kind !== 'import-statement');
  assert.deepEqual(late.map(told), [
    'engine/module/wat.ts → wabt',
    'engine/platform/node/grammars.ts → web-tree-sitter',
  ]);
});

/** Ways to a machine that need no import. */
const MACHINE = [
  'process',
  'Buffer',
  'require',
  'module',
  'global',
  'globalThis',
  'window',
  'self',
  'document',
  'navigator',
  'localStorage',
  'indexedDB',
  'caches',
  '__dirname',
  '__filename',
  'fetch',
  'XMLHttpRequest',
  'WebSocket',
  'EventSource',
  'Worker',
  'SharedWorker',
  'BroadcastChannel',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'performance',
  'crypto',
  'eval',
  'Function',
  'Date.now',
  'Math.random',
];

test('outside the platform nothing uses a global of the machine', async () => {
  for (const file of neutral) {
    assert.deepEqual(await globalsUsedBy(file, MACHINE), [], file);
    assert.doesNotMatch(readFileSync(join(ROOT, file), 'utf8'), /new Date\(\)|import\.meta/, file);
  }
  // The same look at a file that does use some finds them.
  assert.deepEqual(await globalsUsedBy('test/support/import-graph.ts', ['RegExp', 'process']), []);
  assert.deepEqual(await globalsUsedBy('scripts/examples.mjs', ['process', 'Buffer', 'fetch']), [
    'process',
    'Buffer',
  ]);
});

test('the console is only silenced, around the parser that writes to it', async () => {
  const users: string[] = [];
  for (const file of neutral) {
    if ((await globalsUsedBy(file, ['console'])).length > 0) users.push(file);
  }
  assert.deepEqual(users, ['engine/module/second-opinion.ts']);
});

/** All that host functions may be made of: data in, data out. */
const HOST = {
  files: [
    'engine/encoding/display.ts',
    'engine/encoding/input-error.ts',
    'engine/encoding/json.ts',
    'engine/encoding/utf8.ts',
    'engine/metering/costs.ts',
    'engine/runtime/directive.ts',
    'engine/runtime/host-functions.ts',
    'engine/runtime/host.ts',
    'engine/runtime/session.ts',
    'engine/runtime/stop.ts',
  ],
  packages: ['canonicalize', 'jsonc-parser'],
  outside: [],
};

test('the host functions reach no I/O at all', async () => {
  const hosts = files.filter((file) => /^engine\/runtime\/host[^/]*\.ts$/.test(file));
  assert.deepEqual(hosts, ['engine/runtime/host-functions.ts', 'engine/runtime/host.ts']);
  const reached = new Set<string>();
  for (const host of hosts) {
    const { files: found, packages, outside } = await closureOf(host);
    for (const file of found) reached.add(file);
    assert.deepEqual(outside, HOST.outside, host);
    assert.deepEqual(packages, HOST.packages, host);
  }
  assert.deepEqual([...reached].sort(), HOST.files);
});

test('no files of the engine import each other in a circle', (t) => {
  const values = inside.filter(({ isTypeOnly }) => !isTypeOnly);
  assert.deepEqual(cyclesOf(values), []);
  for (const cycle of cyclesOf(inside)) t.diagnostic(`types only: ${cycle.join(', ')}`);
  assert.deepEqual(
    cyclesOf([...values, { from: 'engine/encoding/json.ts', to: 'engine/index.ts' }]).length,
    1,
  );
});

test('the server stands on the engine, and only the command that starts it knows it', async () => {
  const outer = ['server', 'cli'].flatMap((folder) =>
    filesBelow(folder).filter((file) => file.endsWith('.ts')),
  );
  const graph = await importsOf(outer);
  const between = graph.filter(
    ({ from, to }) =>
      (from.startsWith('server/') && to.startsWith('cli/')) ||
      (from.startsWith('cli/') && to.startsWith('server/')),
  );
  assert.deepEqual(between.map(told), ['cli/commands/lsp.ts → server/stdio.ts']);
  assert.deepEqual(imports.filter(({ to }) => /^(?:server|cli)\//.test(to)).map(told), []);
  const values = graph.filter(({ to, isTypeOnly }) => to.startsWith('server/') && !isTypeOnly);
  assert.ok(values.length > 100);
  assert.deepEqual(cyclesOf(values), []);
});
