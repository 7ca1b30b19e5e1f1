import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { BinaryReader, type IOperatorInformation } from 'wasmparser';
import { type OperatorSink, walkOperators } from '../../../engine/module/code/operators.ts';
import { Cursor } from '../../../engine/module/cursor.ts';
import { recipeFor } from '../../../engine/module/recipes.ts';
import { reportOf } from '../../../engine/module/report.ts';
import { readLayout } from '../../../engine/module/walker.ts';
import { inspect } from './modules.ts';

const CORPUS = new URL('../../corpus/', import.meta.url);
const EXAMPLES = new URL('../../../examples/', import.meta.url);

interface CorpusModule {
  readonly path: string;
  readonly v8: boolean;
}

const modules: readonly CorpusModule[] = JSON.parse(
  readFileSync(new URL('modules.json', CORPUS), 'utf8'),
);

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`node_modules/${path}`, CORPUS)));
}

test('walks the same instructions as wasmparser', () => {
  for (const { path } of modules.filter(({ v8 }) => v8)) {
    const bytes = read(path);
    if (bytes.length > 2_000_000) continue;
    assert.deepEqual(callsByWalk(bytes), callsByWasmparser(bytes), path);
  }
});

test('reads modules that this V8 refuses, once they are known to be valid', () => {
  for (const { path } of modules.filter(({ v8 }) => !v8)) {
    const bytes = read(path);
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

test('finds the println of a Rust module through its table', () => {
  const report = inspect(new Uint8Array(readFileSync(PRINTLN)));
  const index = report.imports.findIndex(({ name }) => name === 'fd_write');
  const path = report.callGraph.pathTo(index);
  const names = path?.frames.map(({ name }) => name) ?? [];
  // Of the functions of two types that core::fmt::write calls, write_str is of the rarer one.
  assert.deepEqual(names.slice(-4), [
    'core::fmt::write',
    '<&mut W as core::fmt::Write>::write_str',
    'std::io::Write::write_all',
    names.at(-1),
  ]);
  const through = path?.frames.find(({ via }) => via === 'indirect');
  assert.equal(typeof through?.table?.elementIndex, 'number');
  assert.equal(path?.frames.find(({ lastOfAuthor }) => lastOfAuthor)?.name, 'plan');
  const [entry] = report.imports.slice(index);
  assert.ok(entry);
  assert.match(recipeFor(entry, path) ?? '', /println/);
});
