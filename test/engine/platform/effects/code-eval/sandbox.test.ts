import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHandler, evalHost, evaluate, failureFrom, fuelFrom, valueFrom } from './support.ts';

const handler = createHandler();

/** The global names of ECMAScript that QuickJS knows, and its own kind of error. */
const GLOBALS = `
  AggregateError Array ArrayBuffer BigInt BigInt64Array BigUint64Array Boolean DataView Date
  Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity
  Int16Array Int32Array Int8Array InternalError Iterator JSON Map Math NaN Number Object Promise
  Proxy RangeError ReferenceError Reflect RegExp Set SharedArrayBuffer String Symbol SyntaxError
  TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef WeakSet
  decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN
  parseFloat parseInt undefined unescape`;

test('nothing is in scope but the language', async () => {
  const found = await valueFrom(handler, 'Object.getOwnPropertyNames(globalThis).sort()');
  assert.deepEqual(found, GLOBALS.trim().split(/\s+/));
});

test('no module can be imported, and nothing of the host reached', async () => {
  for (const code of ['import("fs")', 'import("data:text/javascript,1")', 'import("./x.js")']) {
    assert.match((await failureFrom(handler, code)).message, /could not load module/);
  }
  for (const code of ['import x from "fs"', 'export default 1', 'require("fs")', 'import.meta']) {
    assert.equal((await failureFrom(handler, code)).code, 'code-threw', code);
  }
  const reaching = `[
    this.constructor.constructor('return typeof process')(),
    (function () { return typeof this.process; })(),
    typeof Function('return this')().require,
    typeof (async () => {}).constructor('return globalThis')().fetch,
    typeof WebAssembly,
  ]`;
  assert.deepEqual(await valueFrom(handler, reaching), Array(5).fill('undefined'));
});

test('code that replaces what the language provides changes its own result at most', async () => {
  const poisons = [
    'JSON.stringify = () => "{}"; JSON.parse = null;',
    'Object.prototype.value = 1; Object.prototype.get = () => 2; Object.prototype.failure = "unsettled";',
    'Array.prototype.join = Array.prototype.push = String.prototype.slice = () => { throw 1; };',
    'Reflect.apply = Function.prototype.call = Function.prototype.apply = () => "fooled";',
    'Promise.prototype.then = Promise.resolve = undefined; globalThis.Promise = null;',
    'Object.defineProperty(Object.prototype, "length", { get() { throw 1; }, set() { throw 2; } });',
    'Object.defineProperty = Object.keys = null; String.prototype.toString = () => "fooled";',
    'for (const name of Reflect.ownKeys(globalThis)) { try { delete globalThis[name]; } catch {} }',
    'Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(globalThis);',
  ];
  for (const poison of poisons) {
    assert.deepEqual(
      await valueFrom(handler, `${poison} ({ a: ["b", 1, null] })`),
      { a: ['b', 1, null] },
      poison,
    );
    assert.equal((await failureFrom(handler, `${poison} null.x`)).code, 'code-threw', poison);
    assert.equal((await failureFrom(handler, `${poison} () => 1`)).code, 'not-json', poison);
  }
});

test('code that gets between the engine and its own lists has no value, or the same one', async () => {
  // QuickJS keeps the way down to a value in an ordinary array while it writes JSON.
  const poison = (body: string) =>
    `Object.defineProperty(Array.prototype, 0, { set(v) { ${body} } });`;
  const thrown = await failureFrom(handler, `${poison('throw 1')} ({ a: 1 })`);
  assert.equal(thrown.code, 'not-json');
  assert.deepEqual(await valueFrom(handler, `${poison('')} ({ a: [1] })`), { a: [1] });
  const cycle = `${poison('')} const a = {}; a.a = a; a`;
  assert.equal((await failureFrom(handler, cycle)).code, 'not-json');
});

test('a value cannot be made to look like another answer', async () => {
  const forged = { fuel: 0, value: 1, failure: 'timeout', detail: '' };
  assert.deepEqual(await valueFrom(handler, 'given', { given: forged }), forged);
  assert.equal(await valueFrom(handler, `'1,"fuel":0}'`), '1,"fuel":0}');
  const raw = await valueFrom(handler, `({ toJSON: () => '0},"value":{"a":1' })`);
  assert.equal(raw, '0},"value":{"a":1');
  assert.ok((await fuelFrom(handler, `'","fuel":0'`)) > 1_000_000);
  const notMemory = await failureFrom(handler, 'throw new InternalError("out of memory")');
  assert.equal(notMemory.code, 'code-threw');
});

test('nothing of an evaluation is there for the next, however it ended', async () => {
  const leave = `globalThis.left = 1; Object.prototype.left = 2; Array.prototype.map = null; JSON.left = 3;
    Symbol.for("left").description; const hidden = 4; var shown = 5;`;
  const look = `[typeof left, ({}).left === undefined, typeof [].map, JSON.left === undefined, typeof hidden, typeof shown]`;
  const clean = ['undefined', true, 'function', true, 'undefined', 'undefined'];
  assert.deepEqual(await valueFrom(handler, look), clean);
  const fuel = await fuelFrom(handler, look);
  const ends = [
    '1',
    'throw 1',
    'new Promise(() => {})',
    '() => 1',
    '"x".repeat(1e9)',
    'for (;;);',
    '('.repeat(1e5),
  ];
  for (const end of ends) {
    await evaluate(handler, `${leave} ${end}`);
    assert.deepEqual(await valueFrom(handler, look), clean, end);
    assert.equal(await fuelFrom(handler, look), fuel, end);
  }
});

test('the script of the process needs one descriptor and a timer of Node, and no other module', () => {
  const imported = [...evalHost.matchAll(/^import .* from "([^"]+)";$/gm)].map(([, name]) => name);
  assert.deepEqual(imported.sort(), ['node:fs', 'node:timers']);
  const fromFs = [...evalHost.matchAll(/^import (.*) from "node:fs";$/gm)].map(
    ([, names]) => names,
  );
  assert.deepEqual(fromFs, ['{ readSync, writeSync }']);
  assert.doesNotMatch(evalHost, /\bimport\(|\bcreateRequire\b|node:(?!fs"|timers")/);
});
