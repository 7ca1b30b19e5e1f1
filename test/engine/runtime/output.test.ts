import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answering, run } from './executors.ts';

const INVALID: readonly (readonly [string, string | Uint8Array])[] = [
  ['nothing', ''],
  ['a list', '[]'],
  ['a number', '1'],
  ['an empty object', '{}'],
  ['directives alone', '{"directives":[]}'],
  ['an unknown field', '{"result":1,"extra":2}'],
  ['a __proto__ field', '{"result":1,"__proto__":{}}'],
  ['a result by way of __proto__', '{"__proto__":{"result":1}}'],
  ['result and error', '{"result":1,"error":{"message":"m"}}'],
  ['error and directives', '{"error":{"message":"m"},"directives":[]}'],
  ['an error that is a text', '{"error":"m"}'],
  ['an error that is null', '{"error":null}'],
  ['an error without message', '{"error":{}}'],
  ['an error whose message is no text', '{"error":{"message":1}}'],
  ['an error with another field', '{"error":{"message":"m","code":1}}'],
  ['directives that are no list', '{"result":1,"directives":{}}'],
  ['directives that are null', '{"result":1,"directives":null}'],
  ['a directive that is a text', '{"result":1,"directives":["llm_call"]}'],
  ['a directive that is a list', '{"result":1,"directives":[["type"]]}'],
  ['a directive without type', '{"result":1,"directives":[{"tag":"x"}]}'],
  ['a directive whose type is no text', '{"result":1,"directives":[{"type":1}]}'],
  ['a type by way of __proto__', '{"result":1,"directives":[{"__proto__":{"type":"x"}}]}'],
  ['a duplicate key', '{"result":1,"result":2}'],
  ['a duplicate key by escape', '{"result":1,"resul\\u0074":2}'],
  ['a duplicate __proto__', '{"result":{"__proto__":1,"__proto__":2}}'],
  ['a lone surrogate', '{"result":"\\udc00"}'],
  ['a lone surrogate in a key', '{"result":{"\\ud800":1}}'],
  ['a number beyond a double', '{"result":-1e999}'],
  ['NaN', '{"result":NaN}'],
  ['a comment', '{"result":1}//'],
  ['a trailing comma', '{"result":[1,]}'],
  ['two documents', '{"result":1}{"result":2}'],
  ['a trailing zero byte', '{"result":1}\0'],
  ['a byte order mark', '\uFEFF{"result":1}'],
  ['no UTF-8', new Uint8Array([...Buffer.from('{"result":"'), 0xc0, 0x80, 0x22, 0x7d])],
  [
    'UTF-8 of a surrogate',
    new Uint8Array([...Buffer.from('{"result":"'), 0xed, 0xa0, 0x80, 0x22, 0x7d]),
  ],
  ['nesting of 201', `{"result":${'['.repeat(200)}${']'.repeat(200)}}`],
  ['nesting of 100,000', `{"result":${'['.repeat(100_000)}`],
];

for (const [what, document] of INVALID) {
  test(`an output with ${what} is invalid-output`, async () => {
    const outcome = await run(answering(document));
    assert.equal(outcome.status, 'trap');
    assert.equal(outcome.problem?.code, 'invalid-output');
    assert.equal(outcome.result, null);
    assert.deepEqual(outcome.directives, []);
    // What the executor said is kept for the receipt, whatever it is.
    assert.deepEqual(
      outcome.output,
      typeof document === 'string' ? new TextEncoder().encode(document) : document,
    );
  });
}

const VALID: readonly (readonly [string, unknown])[] = [
  ['{"result":null}', null],
  [' {"result" : [1, "x", {"a": false}] } ', [1, 'x', { a: false }]],
  ['{"result":"\\ud83d\\ude00"}', '😀'],
  ['{"result":1,"directives":[]}', 1],
  ['{"result":{"error":1,"directives":2}}', { error: 1, directives: 2 }],
];

for (const [document, result] of VALID) {
  test(`${document} is an output document`, async () => {
    const outcome = await run(answering(document));
    assert.equal(outcome.status, 'ok');
    assert.deepEqual(outcome.result, result);
    assert.equal(outcome.problem, undefined);
  });
}

test('a __proto__ member of a result stays a member', async () => {
  const { result } = await run(answering('{"result":{"__proto__":{"polluted":true}}}'));
  assert.ok(typeof result === 'object' && result !== null);
  assert.ok(Object.hasOwn(result, '__proto__'));
  assert.equal(Object.getPrototypeOf(result), Object.prototype);
  assert.equal('polluted' in {}, false);
});

test('an error of the executor is a status of its own', async () => {
  const outcome = await run(answering('{"error":{"message":"no such order"}}'));
  assert.equal(outcome.status, 'error');
  assert.deepEqual(outcome.problem, { code: 'executor-error', message: 'no such order' });
  assert.equal(outcome.result, null);
  assert.deepEqual(outcome.completed, ['gate', 'instantiate', 'plan']);
});

test("an executor's message cannot fool a terminal", async () => {
  const outcome = await run(answering('{"error":{"message":"\\u001b[2Jfine\\n\\u202e"}}'));
  assert.equal(outcome.problem?.message, '\\u{1b}[2Jfine\\u{a}\\u{202e}');
});
