import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isJsonObject } from '../../../../../engine/encoding/json.ts';
import {
  createHandler,
  directiveOf,
  evaluate,
  failureFrom,
  perform,
  valueFrom,
} from './support.ts';

const handler = createHandler();

test('the value is that of the last expression, with the fuel it took', async () => {
  const outcome = await evaluate(handler, 'const a = 20; a + 1; a * 2');
  assert.ok(outcome.kind === 'performed' && isJsonObject(outcome.result));
  assert.deepEqual(Object.keys(outcome.result), ['value', 'fuel']);
  assert.equal(outcome.result.value, 40);
  assert.ok(Number.isSafeInteger(outcome.result.fuel) && Number(outcome.result.fuel) > 0);
  assert.equal(outcome.cost, undefined);
});

test('a value is what JSON makes of it', async () => {
  const cases: readonly (readonly [code: string, value: unknown])[] = [
    ['undefined', null],
    ['', null],
    ['if (true) { 7 }', 7],
    ['({ a: undefined, b: [undefined], c: -0 })', { b: [null], c: 0 }],
    ['new Date(0)', '1970-01-01T00:00:00.000Z'],
    ['({ toJSON: () => [1] })', [1]],
    ['"\\u0000\\u2028\\u{1f600}"', '\u0000\u2028\u{1f600}'],
    ['eval("1 + 1") + new Function("return 40")()', 42],
    ['class A { #x = 3; get x() { return this.#x; } } new A().x', 3],
    ['[..."abc"].map((c, i) => c.codePointAt(0) + i)', [97, 99, 101]],
  ];
  for (const [code, value] of cases) assert.deepEqual(await valueFrom(handler, code), value, code);
});

test('what JSON cannot say is a failure, wherever it lies in the value', async () => {
  const codes = [
    '() => 1',
    '({ deep: [function f() {}] })',
    'Symbol()',
    '10n',
    '[Object(10n)]',
    'NaN',
    '[1 / 0]',
    'const a = {}; a.a = a; a',
    '"\\ud800"',
    '({ ["\\udc00"]: 1 })',
    'let s = []; for (let i = 0; i < 200; i++) s = [s]; s',
    '({ toJSON() { throw new Error("no"); } })',
    '({ get a() { throw null; } })',
    'new Proxy({}, { ownKeys() { throw 1; } })',
  ];
  for (const code of codes) assert.equal((await failureFrom(handler, code)).code, 'not-json', code);
});

test('a promise is settled by running all that is queued', async () => {
  const chain = `
    let n = 0;
    (async () => { for (let i = 0; i < 1000; i++) await Promise.resolve(n++); return n; })()`;
  assert.equal(await valueFrom(handler, chain), 1_000);
  assert.deepEqual(await valueFrom(handler, 'Promise.all([1, Promise.resolve(2)])'), [1, 2]);
  assert.deepEqual(
    await valueFrom(handler, 'const o = {}; Promise.resolve().then(() => (o.a = 1)); o'),
    {
      a: 1,
    },
  );
  assert.equal(await valueFrom(handler, 'Promise.reject(new Error("nobody looks")); 5'), 5);
});

test('a promise that nothing settles, and one that is rejected, are failures', async () => {
  assert.equal((await failureFrom(handler, 'new Promise(() => {})')).code, 'unsettled');
  const rejected = await failureFrom(handler, '(async () => { throw new RangeError("far"); })()');
  assert.equal(rejected.code, 'code-threw');
  assert.equal(rejected.message, 'the code threw RangeError: far');
});

test('what the code threw is told in its own words, bounded and safe to show', async () => {
  const cases: readonly (readonly [code: string, message: string])[] = [
    ['throw new TypeError("no")', 'TypeError: no'],
    ['throw "text"', 'text'],
    ['throw undefined', 'undefined'],
    ['nope', "ReferenceError: 'nope' is not defined"],
    ['let let', "SyntaxError: 'let' is not a valid lexical identifier"],
    ['throw new Error("a\\nb\\u202ec\\u001b[31m")', 'Error: a\\u{a}b\\u{202e}c\\u{1b}[31m'],
    ['throw Symbol()', 'something that cannot be told'],
    ['throw { toString() { throw 1; } }', 'something that cannot be told'],
    ['throw Object.assign(new Error(), { name: Symbol() })', 'something that cannot be told'],
  ];
  for (const [code, message] of cases) {
    const failure = await failureFrom(handler, code);
    assert.equal(failure.code, 'code-threw', code);
    assert.equal(failure.message, `the code threw ${message}`);
  }
  const long = await failureFrom(handler, 'throw new Error("x".repeat(1e6))');
  assert.ok(long.message.length < 400, `${long.message.length} units`);
  for (const start of ['', 'x', '\\ud800', '\\ud800x']) {
    const astral = `throw "${start}".repeat(51) + "\\u{1f600}".repeat(200)`;
    assert.equal((await failureFrom(handler, astral)).code, 'code-threw', start);
  }
  const endless =
    'throw Object.assign(new Error(), { toString() {} , get message() { for (;;); } })';
  assert.equal((await failureFrom(handler, endless)).code, 'out-of-fuel');
});

test('bindings are constants under their names, whatever the names are', async () => {
  assert.equal(await valueFrom(handler, 'price * (1 + rate)', { price: 200, rate: 0.5 }), 300);
  assert.equal(
    await valueFrom(handler, 'price = 1; delete globalThis.price; price', { price: 2 }),
    2,
  );
  const outcome = await failureFrom(handler, '"use strict"; price = 1', { price: 2 });
  assert.equal(outcome.code, 'code-threw');
  // Names that mean something to the language, or nothing at all.
  const names = JSON.parse('{ "__proto__": 1, "constructor": 2, "JSON": 3, "a b": 4, "": 5 }');
  const read = '[__proto__, constructor, globalThis.JSON, globalThis["a b"], globalThis[""]]';
  assert.deepEqual(await valueFrom(handler, read, names), [1, 2, 3, 4, 5]);
  for (const name of ['undefined', 'NaN', 'Infinity']) {
    assert.equal((await failureFrom(handler, '1', { [name]: 1 })).code, 'invalid-bindings');
  }
});

test('every JSON value goes in and comes out as it is', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 }), async (drawn) => {
      const value = JSON.parse(JSON.stringify(drawn));
      assert.deepEqual(await valueFrom(handler, 'value', { value }), value);
    }),
    { numRuns: 60 },
  );
});

test('only the languages that are granted are evaluated', async () => {
  const asked = { ...directiveOf('1'), language: 'py\u202ethon' };
  const refusal = handler.judge?.(asked);
  assert.equal(refusal?.code, 'language-not-granted');
  assert.equal(
    refusal.message,
    'code in "py\\u{202e}thon" may not be evaluated: of languages, javascript is granted',
  );
  assert.deepEqual(await perform(handler, asked), refusal);
  assert.equal(handler.judge?.(directiveOf('1')), undefined);
  const none = createHandler({ languages: [] });
  assert.equal(none.judge?.(directiveOf('1'))?.code, 'language-not-granted');
  assert.equal((await perform(none, directiveOf('1'))).kind, 'refused');
});

test('a directive of another shape is answered, not thrown at', async () => {
  for (const wrong of [{ code: 1 }, { bindings: [] }, { bindings: null }]) {
    const outcome = await perform(handler, { ...directiveOf('1'), ...wrong });
    assert.equal(outcome.kind === 'failed' && outcome.code, 'invalid-directive');
  }
});

test('it performs code_eval for compute.exec, any number of times', () => {
  assert.deepEqual(handler.tags, ['code_eval']);
  assert.equal(handler.capability, 'compute.exec');
  assert.equal(handler.isRepeatable?.(directiveOf('1')), true);
});
