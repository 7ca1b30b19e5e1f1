import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHandler, failureFrom, fuelFrom, valueFrom } from './support.ts';

const handler = createHandler();
const short = createHandler({ fuel: 1_000_000_000 });

/** A little of everything that could differ from one evaluation to the next. */
const VARIED = `
  const map = new Map(), random = [];
  for (let i = 0; i < 200; i++) { map.set({ i }, Math.random()); random.push(Math.random()); }
  const text = JSON.stringify([...map.values()]) + new Date() + new Date(2020, 6, 1).toISOString();
  [text.replace(/\\d+/g, (d) => d.length), random.sort(), Date.now(), [3, 1, 2].sort(() => Math.random() - 0.5),
    new Error().stack, Object.keys({ b: 1, a: 2, 1: 3 }), 0.1 + 0.2, Math.sin(1e9), new Float64Array([0 / 0]).buffer.byteLength,
    [...new Uint8Array(new Float64Array([-(0 / 0), Math.sqrt(-1)]).buffer)]]`;

test('the same code uses the same fuel and comes to the same value, forty times', async () => {
  const values = new Set<string>();
  const fuels = new Set<number>();
  for (let i = 0; i < 40; i++) {
    values.add(JSON.stringify(await valueFrom(handler, VARIED)));
    fuels.add(await fuelFrom(handler, VARIED));
    // What comes between leaves nothing behind.
    if (i % 10 === 0) await failureFrom(short, 'const kept = []; for (;;) kept.push({})');
  }
  assert.deepEqual([values.size, fuels.size], [1, 1]);
});

test('and so in another process, in which other code has run', async () => {
  const other = createHandler();
  await valueFrom(other, 'let t = 0; for (let i = 0; i < 1e5; i++) t += Math.random(); t');
  assert.deepEqual(await valueFrom(other, VARIED), await valueFrom(handler, VARIED));
  assert.equal(await fuelFrom(other, VARIED), await fuelFrom(handler, VARIED));
});

test('the clock stands still, in no time zone of this machine', async () => {
  const code =
    '[Date.now(), new Date().getTime(), new Date().toString(), new Date(2020, 6, 1).getTimezoneOffset()]';
  assert.deepEqual(await valueFrom(handler, code), [0, 0, 'Thu Jan 01 1970 00:00:00 GMT+0000', 0]);
});

test('fuel is counted to the unit: what suffices, and one less', async () => {
  const code = 'let t = 0; for (let i = 0; i < 1000; i++) t += i; t';
  const fuel = await fuelFrom(handler, code);
  const enough = createHandler({ fuel });
  assert.equal(await valueFrom(enough, code), 499_500);
  assert.equal(await fuelFrom(enough, code), fuel);
  const tooLittle = createHandler({ fuel: fuel - 1 });
  const failure = await failureFrom(tooLittle, code);
  assert.equal(failure.code, 'out-of-fuel');
  assert.match(failure.message, new RegExp(`\\b${fuel - 1} units`));
});

test('fuel that does not suffice for the engine itself is used up as well', async () => {
  for (const fuel of [1, 15_000, 1_000_000]) {
    assert.equal((await failureFrom(createHandler({ fuel }), '1')).code, 'out-of-fuel');
  }
});

test('what never ends, ends by fuel', async () => {
  const runaways = [
    'for (;;);',
    'try { for (;;); } catch { 1 } finally { for (;;); }',
    '(async () => { for (;;) await 0; })()',
    'let n = 0; for (const x of (function* () { for (;;) yield n++; })());',
    '/(a+)+$/.test("a".repeat(40) + "b")',
    'new RegExp("(?:" + "a?".repeat(40) + ")" + "a".repeat(40)).test("a".repeat(39))',
    'JSON.stringify({ toJSON() { for (;;); } })',
    '({ get a() { for (;;); } })',
    '({ toJSON() { for (;;); } })',
    'new Proxy({}, { ownKeys() { for (;;); } })',
    'throw { toString() { for (;;); } }',
    'throw new Proxy(new Error(), { get() { for (;;); } })',
    'let t = 0; for (const x of Array(1e6).fill(1)) t += x; for (;;) t++',
    'const big = 2n ** 100000n; for (;;) big * big',
    'JSON.parse("[" + "1,".repeat(2e6) + "1]")',
  ];
  for (const code of runaways)
    assert.equal((await failureFrom(short, code)).code, 'out-of-fuel', code);
});

test('memory is what the limit says, and more fails', async () => {
  const hoarders = [
    '"x".repeat(1e9)',
    'Array(1e8).fill(1)',
    'new ArrayBuffer(1e9)',
    'const kept = []; for (;;) kept.push(new Uint8Array(1e6))',
    'try { "x".repeat(1e8) } catch (error) { throw error }',
    '(async () => "x".repeat(1e8))()',
  ];
  for (const code of hoarders)
    assert.equal((await failureFrom(handler, code)).code, 'memory-limit', code);
});

test('inside the code, memory that is refused is an error like any other', async () => {
  const code = 'let m; try { new ArrayBuffer(1e8) } catch (error) { m = String(error) } m';
  assert.equal(await valueFrom(handler, code), 'InternalError: out of memory');
  const roomy = createHandler({ memoryPages: 4_096 });
  assert.equal(await valueFrom(roomy, 'new ArrayBuffer(1e8).byteLength'), 100_000_000);
  const least = createHandler({ memoryPages: 256 });
  assert.equal(await valueFrom(least, 'new ArrayBuffer(8e6).byteLength'), 8_000_000);
  assert.equal((await failureFrom(least, 'new ArrayBuffer(12e6)')).code, 'memory-limit');
});

test('code and bindings that do not fit into the memory are no way round it', async () => {
  const least = createHandler({ memoryPages: 256 });
  const large = 'x'.repeat(13_000_000);
  assert.equal((await failureFrom(least, `"${large}"`)).code, 'memory-limit');
  assert.equal((await failureFrom(least, '1', { large })).code, 'memory-limit');
  assert.equal(await valueFrom(least, '1'), 1);
});

test('calls that go too deep are an error that can be caught, and never more than that', async () => {
  const recursions = [
    'f()',
    '[1].map(f)',
    '({ get x() { return f(); } }).x',
    'new Proxy({}, { get: f }).x',
    'JSON.stringify({ toJSON: f })',
    'String({ toString: f })',
    '+{ [Symbol.toPrimitive]: f }',
    'for (const x of { [Symbol.iterator]: f });',
    '[2, 1].sort(f)',
    '"a".replace(/a/, f)',
    'eval("f()")',
    'Reflect.construct(f, [])',
    '[...(function* () { yield f(); })()]',
  ];
  for (const recursion of recursions) {
    const caught = `let deep = 0; function f() { deep++; ${recursion}; } try { f(); } catch (error) { String(error).endsWith('stack overflow') && deep > 100 }`;
    assert.equal(await valueFrom(handler, caught), true, recursion);
  }
});

test('what nests too deep for the engine to read or write ends the evaluation', async () => {
  assert.equal((await failureFrom(handler, '('.repeat(100_000))).code, 'call-depth');
  assert.equal((await failureFrom(handler, 'eval("[".repeat(1e5))')).code, 'call-depth');
  assert.equal((await failureFrom(handler, 'JSON.parse("[".repeat(1e5))')).code, 'call-depth');
  const built = 'let s = []; for (let i = 0; i < 1e5; i++) s = [s]; s';
  assert.equal((await failureFrom(handler, built)).code, 'call-depth');
});

test('a value may have as many bytes as the limit says, and none more', async () => {
  const small = createHandler({ outputBytes: 1_000 });
  assert.equal(await valueFrom(small, '"x".repeat(998)'), 'x'.repeat(998));
  for (const code of ['"x".repeat(999)', '"é".repeat(500)', '"x".repeat(3e6)']) {
    assert.equal((await failureFrom(small, code)).code, 'too-large', code);
  }
  assert.equal(await valueFrom(small, '"é".repeat(499)'), 'é'.repeat(499));
  assert.equal((await failureFrom(createHandler({ outputBytes: 0 }), '1')).code, 'too-large');
});
