import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { BinaryReader, type IOperatorInformation } from 'wasmparser';
import { Cursor } from '../../../engine/module/cursor.ts';
import { compareWithV8, countAgreeing, recipeFor } from '../../../engine/module/index.ts';
import { type OperatorSink, walkOperators } from '../../../engine/module/operators.ts';
import { reportOf } from '../../../engine/module/report.ts';
import type { Feature, ModuleReport } from '../../../engine/module/types.ts';
import { readLayout } from '../../../engine/module/walker.ts';
import { inspect } from './modules.ts';

const CORPUS = new URL('../../corpus/', import.meta.url);
const EXAMPLES = new URL('../../../examples/', import.meta.url);

interface CorpusModule {
  readonly path: string;
  readonly features: readonly string[];
  readonly v8: boolean;
}

const modules: readonly CorpusModule[] = JSON.parse(
  readFileSync(new URL('modules.json', CORPUS), 'utf8'),
);

function read(path: string): Uint8Array | undefined {
  const file = fileURLToPath(new URL(`node_modules/${path}`, CORPUS));
  return existsSync(file) ? new Uint8Array(readFileSync(file)) : undefined;
}

/** The corpus's own names of features, where this engine's differ or it has none. */
const RENAMED: ReadonlyMap<string, Feature | undefined> = new Map([
  ['legacy-exceptions', 'exceptions-legacy'],
  ['typed-references', 'function-references'],
  ['nontrapping-float-to-int', 'saturating-float-to-int'],
  ['atomics', 'threads'],
  ['table64', 'memory64'],
]);

for (const { path, features, v8 } of modules) {
  const bytes = read(path);
  test(`reads ${path}`, { skip: bytes === undefined }, () => {
    if (bytes === undefined) return;
    const report = v8 ? inspect(bytes) : undefined;
    if (report === undefined) {
      assert.throws(() => inspect(bytes), { code: 'invalid-module' });
      return;
    }
    assert.ok(countAgreeing(report) >= 2);
    const compiled = new WebAssembly.Module(new Uint8Array(bytes));
    assert.equal(compareWithV8(report.imports, compiled).outcome, 'agrees');
    assert.deepEqual(
      report.exports.map(({ name, kind }) => ({ name, kind })),
      WebAssembly.Module.exports(compiled),
    );
    assert.ok(!report.features.includes('unknown-instructions'));
    for (const feature of features) {
      const known = RENAMED.get(feature) ?? feature;
      if (OURS.has(known)) assert.ok(holds(report, known), `${known} of ${report.features}`);
    }
    for (let i = 0; i < report.imports.length; i++) checkPath(report, i);
  });
}

/** The names that both this engine and the corpus use. */
const OURS: ReadonlySet<string> = new Set([
  'bulk-memory',
  'exceptions-legacy',
  'function-references',
  'gc',
  'multi-value',
  'reference-types',
  'saturating-float-to-int',
  'sign-extension',
  'simd',
  'threads',
]);

function holds(report: ModuleReport, feature: string): boolean {
  return report.features.some((known) => known === feature);
}

/** What every path must be, whatever the module. */
function checkPath(report: ModuleReport, importIndex: number): void {
  const path = report.callGraph.pathTo(importIndex);
  if (path === undefined) return;
  assert.equal(path.frames[0]?.via, 'root');
  assert.equal(path.frames.filter(({ lastOfAuthor }) => lastOfAuthor).length, 1);
  const seen = new Set(path.frames.map(({ functionIndex }) => functionIndex));
  assert.equal(seen.size, path.frames.length);
}

test('walks the same instructions as wasmparser', () => {
  for (const { path, v8 } of modules.filter(({ v8 }) => v8)) {
    const bytes = read(path);
    if (bytes === undefined || bytes.length > 2_000_000 || !v8) continue;
    assert.deepEqual(callsByWalk(bytes), callsByWasmparser(bytes), path);
  }
});

test('reads modules that this V8 refuses, once they are known to be valid', () => {
  for (const { path } of modules.filter(({ v8 }) => !v8)) {
    const bytes = read(path);
    if (bytes === undefined) continue;
    const report = reportOf(bytes, readLayout(bytes));
    assert.ok(!report.features.includes('unknown-instructions'), path);
    assert.equal(report.readers[1]?.outcome, 'agrees', path);
  }
});

/** Offsets of all `call`s and `ref.func`s with what they name. */
function callsByWalk(bytes: Uint8Array): string[] {
  const calls: string[] = [];
  const nothing = () => {};
  const sink: OperatorSink = {
    seen: new Uint8Array(256),
    prefixed: nothing,
    call: (functionIndex, offset) => calls.push(`${offset} ${functionIndex}`),
    refFunc: (functionIndex, offset) => calls.push(`${offset} ${functionIndex}`),
    callIndirect: (_table, typeIndex, offset) => calls.push(`${offset} type ${typeIndex}`),
    callRef: nothing,
    global: nothing,
    tag: nothing,
    table: nothing,
    tableInit: nothing,
    tableCopy: nothing,
    readSegment: nothing,
    memory: nothing,
    typedBlock: nothing,
  };
  const code = readLayout(bytes).sections.find(({ id }) => id === 10);
  assert.ok(code);
  const cursor = new Cursor(bytes, code.offset, code.offset + code.size);
  for (let left = cursor.u32(); left > 0; left--) {
    const size = cursor.u32();
    const body = new Cursor(bytes, cursor.position, cursor.position + size);
    cursor.skip(size);
    for (let groups = body.u32(); groups > 0; groups--) {
      body.skipNumber();
      body.skip(1);
    }
    assert.ok(walkOperators(body, sink));
  }
  return calls;
}

function callsByWasmparser(bytes: Uint8Array): string[] {
  const calls: string[] = [];
  const reader = new BinaryReader();
  reader.setData(new Uint8Array(bytes).buffer, 0, bytes.length);
  let offset = 0;
  while (reader.read()) {
    const state: number = reader.state;
    if (state === 2 || state === -1) break;
    if (state === 30) {
      const { code, funcIndex, typeIndex } = reader.result as IOperatorInformation;
      if (funcIndex !== undefined) calls.push(`${offset} ${funcIndex}`);
      else if ((code as number) === 0x11) calls.push(`${offset} type ${typeIndex}`);
    }
    offset = reader.position;
  }
  return calls;
}

const PRINTLN = new URL('impure/println/build/println.wasm', EXAMPLES);

test('finds the println of a Rust module through its table', { skip: !existsSync(PRINTLN) }, () => {
  const report = inspect(new Uint8Array(readFileSync(PRINTLN)));
  const index = report.imports.findIndex(({ name }) => name === 'fd_write');
  const path = report.callGraph.pathTo(index);
  const names = path?.frames.map(({ name }) => name) ?? [];
  assert.ok(names.includes('core::fmt::write'), names.join(' → '));
  assert.ok(names.includes('std::io::Write::write_all'), names.join(' → '));
  const through = path?.frames.find(({ via }) => via === 'indirect');
  assert.equal(typeof through?.table?.elementIndex, 'number');
  assert.equal(path?.frames.find(({ lastOfAuthor }) => lastOfAuthor)?.name, 'plan');
  const [entry] = report.imports.slice(index);
  assert.ok(entry);
  assert.match(recipeFor(entry, path) ?? '', /println/);
});
