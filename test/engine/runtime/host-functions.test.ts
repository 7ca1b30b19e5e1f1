import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calling, data, outputText, planning, run } from './executors.ts';

const ok = data('{"result":null}');

test('an executor reads the canonical input document', async () => {
  const body = `(call $get_input (i32.const 8))
    (call $set_output (i32.const 8) (call $get_input_len))`;
  const outcome = await run(planning(body), { input: { context: { b: 1, a: 'é' } } });
  // Not an output document, so the bytes that came back are looked at.
  assert.equal(outputText(outcome), '{"context":{"a":"é","b":1},"step_config":{}}');
  assert.equal(outcome.problem?.code, 'invalid-output');
});

test('the last output counts, and it is a copy', async () => {
  const first = data('{"result":1}', 0);
  const second = data('{"result":2}', 64);
  const body = `(call $set_output (i32.const 0) (i32.const ${first.length}))
    (call $set_output (i32.const 64) (i32.const ${second.length}))
    (memory.fill (i32.const 0) (i32.const 32) (i32.const 128))`;
  const outcome = await run(planning(body, { fields: first.field + second.field }));
  assert.equal(outcome.status, 'ok');
  assert.equal(outcome.result, 2);
  assert.equal(outputText(outcome), '{"result":2}');
  assert.deepEqual(outcome.completed, ['gate', 'instantiate', 'plan']);
  assert.equal(outcome.fuel.limit, 50_000_000);
  // Two calls that reach the host, and little else.
  const { used } = outcome.fuel;
  assert.ok(used !== null && used > 1_000 && used < 1_200, `used ${used}`);
});

test('log messages are kept with their levels, and what is not UTF-8 is replaced', async () => {
  const text = data(new Uint8Array([0x61, 0xff, 0x62]), 100);
  const calls = [0, 1, 2, 3, 4].map(
    (level) => `(call $log (i32.const ${level}) (i32.const 100) (i32.const 3))`,
  );
  const body = `${calls.join('')} (call $set_output (i32.const 0) (i32.const ${ok.length}))`;
  const { logs, status } = await run(planning(body, { fields: ok.field + text.field }));
  assert.equal(status, 'ok');
  assert.deepEqual(
    logs,
    ['trace', 'debug', 'info', 'warn', 'error'].map((level) => ({ level, message: 'a\uFFFDb' })),
  );
});

for (const level of [5, -1, 0x7fffffff]) {
  test(`log level ${level} traps`, async () => {
    const outcome = await run(
      planning(`(call $log (i32.const ${level}) (i32.const 0) (i32.const 0))`),
    );
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'invalid-log-level');
  });
}

/** A plan that outputs `{"result":<length>,…}` by way of the context functions. */
function contextLookup(key: string | Uint8Array): string {
  const prefix = data('{"result":', 0);
  const name = data(key, 512);
  const body = `(local $n i32)
    (local.set $n (call $context_read (i32.const 512) (i32.const ${name.length}) (i32.const 10)))
    (if (i32.ne (local.get $n) (call $context_len (i32.const 512) (i32.const ${name.length})))
      (then unreachable))
    (if (i32.eq (local.get $n) (i32.const -1)) (then return))
    (i32.store8 (i32.add (i32.const 10) (local.get $n)) (i32.const 125))
    (call $set_output (i32.const 0) (i32.add (i32.const 11) (local.get $n)))`;
  return planning(body, { fields: prefix.field + name.field });
}

test('context values are read as canonical JSON text', async () => {
  const input = { context: { order: { z: [1, 2.5], a: 'ü' }, __proto__: null } };
  const outcome = await run(contextLookup('order'), { input });
  assert.deepEqual(outcome.result, { z: [1, 2.5], a: 'ü' });
  assert.equal(outputText(outcome), '{"result":{"a":"ü","z":[1,2.5]}}');
});

test('a context key may be called __proto__', async () => {
  const input = JSON.parse('{"context":{"__proto__":{"x":1}}}');
  const outcome = await run(contextLookup('__proto__'), { input });
  assert.deepEqual(outcome.result, { x: 1 });
});

for (const key of ['missing', 'constructor', '__proto__', 'toString', '', '\u{1F511}']) {
  test(`context key ${JSON.stringify(key)} has no value where the context lacks it`, async () => {
    const outcome = await run(contextLookup(key), { input: { context: { order: 1 } } });
    assert.equal(outcome.problem?.code, 'no-output');
  });
}

test('a context key that is not UTF-8 or longer than the input has no value', async () => {
  for (const key of [new Uint8Array([0xff, 0xfe]), 'k'.repeat(300)]) {
    const outcome = await run(contextLookup(key), { input: { context: { order: 1 } } });
    assert.equal(outcome.problem?.code, 'no-output');
  }
});

test('constructed directives come in call order, before those of the output', async () => {
  const parts = [data('{"model":"m"}', 100), data('{"url":"u"}', 200)] as const;
  const output = data('{"directives":[{"type":"x","n":1}],"result":true}', 300);
  const body = `(call $http_request (i32.const 200) (i32.const ${parts[1].length}))
    (call $llm_call (i32.const 100) (i32.const ${parts[0].length}))
    (call $http_request (i32.const 200) (i32.const ${parts[1].length}))
    (call $set_output (i32.const 300) (i32.const ${output.length}))`;
  const fields = parts.map((p) => p.field).join('') + output.field;
  const outcome = await run(planning(body, { fields }));
  assert.equal(outcome.result, true);
  assert.deepEqual(outcome.directives, [
    { type: 'http_request', url: 'u' },
    { type: 'llm_call', model: 'm' },
    { type: 'http_request', url: 'u' },
    { type: 'x', n: 1 },
  ]);
});

test('a constructor takes a type that equals its tag', async () => {
  const outcome = await run(calling('llm_call', '{"type":"llm_call","model":"m"}'));
  assert.deepEqual(outcome.directives, [{ type: 'llm_call', model: 'm' }]);
});

test('a __proto__ member of a directive stays a member', async () => {
  const outcome = await run(calling('llm_call', '{"__proto__":{"type":"exec_command"}}'));
  const [directive] = outcome.directives;
  assert.ok(directive !== undefined && Object.hasOwn(directive, '__proto__'));
  assert.equal(directive.type, 'llm_call');
  assert.equal(Object.getPrototypeOf(directive), Object.prototype);
});

const INVALID: readonly (readonly [string, string | Uint8Array])[] = [
  ['empty', ''],
  ['a list', '[]'],
  ['a text', '"x"'],
  ['null', 'null'],
  ['another type', '{"type":"exec_command"}'],
  ['a type that is no text', '{"type":1}'],
  ['a duplicate key', '{"a":1,"a":2}'],
  ['a duplicate type', '{"type":"llm_call","type":"llm_call"}'],
  ['a lone surrogate', '{"a":"\\ud800"}'],
  ['a number beyond a double', '{"a":1e999}'],
  ['no UTF-8', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
  ['a byte order mark', '\uFEFF{}'],
  ['nesting too deep', `{"a":${'['.repeat(300)}${']'.repeat(300)}}`],
];

for (const [what, text] of INVALID) {
  test(`a constructor that is given ${what} traps`, async () => {
    const outcome = await run(calling('llm_call', text));
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'invalid-directive');
    assert.equal(outcome.problem?.function, 'plan');
    assert.deepEqual(outcome.directives, []);
  });
}

test('host functions refuse while the start function runs', async () => {
  const module = planning('', {
    fields: '(func $early (drop (call $get_input_len))) (start $early)',
  });
  const outcome = await run(module);
  assert.equal(outcome.problem?.code, 'host-call-in-start');
  assert.equal(outcome.problem?.function, 'early');
  assert.deepEqual(outcome.completed, ['gate']);
});

test('a guest that catches the exception of a host function does not go on', async () => {
  const body = `(loop $again
    try
      (call $log (i32.const 9) (i32.const 0) (i32.const 0))
    catch_all end)
    (call $set_output (i32.const 0) (i32.const ${ok.length}))`;
  const outcome = await run(planning(body, { fields: ok.field }));
  assert.equal(outcome.status, 'trap');
  assert.equal(outcome.problem?.code, 'invalid-log-level');
  assert.equal(outcome.output, undefined);
});

test('a trap after a caught exception of the host does not hide it', async () => {
  const body = 'try (call $set_output (i32.const -1) (i32.const 8)) catch_all end unreachable';
  const outcome = await run(planning(body));
  assert.equal(outcome.problem?.code, 'host-bad-pointer');
});
