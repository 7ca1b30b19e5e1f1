import assert from 'node:assert/strict';
import { test } from 'node:test';
import { outputText, planning, run } from './executors.ts';

const BAD = [
  ['a negative pointer', -1, 8],
  ['a negative length', 0, -1],
  ['both negative', -8, -8],
  ['a sum that wraps around 32 bits', 0x7fffffff, 0x7fffffff],
  ['a sum that wraps to a small number', -4, 8],
  ['the byte after the memory', 65_529, 8],
  ['a huge length', 0, 0x7fffffff],
  ['a pointer past the end with no length', 65_537, 0],
] as const;

const CALLS: Readonly<Record<string, (pointer: number, length: number) => string>> = {
  set_output: (p, n) => `(call $set_output (i32.const ${p}) (i32.const ${n}))`,
  log: (p, n) => `(call $log (i32.const 2) (i32.const ${p}) (i32.const ${n}))`,
  context_len: (p, n) => `(drop (call $context_len (i32.const ${p}) (i32.const ${n})))`,
  context_read: (p, n) =>
    `(drop (call $context_read (i32.const ${p}) (i32.const ${n}) (i32.const 0)))`,
  llm_call: (p, n) => `(call $llm_call (i32.const ${p}) (i32.const ${n}))`,
};

for (const [name, call] of Object.entries(CALLS)) {
  for (const [what, pointer, length] of BAD) {
    test(`${name} traps at ${what}`, async () => {
      const outcome = await run(planning(call(pointer, length)));
      assert.equal(outcome.status, 'trap');
      assert.equal(outcome.problem?.code, 'host-bad-pointer');
      assert.equal(
        outcome.problem?.message,
        `mashin.${name} was given pointer ${pointer >>> 0} and length ${length >>> 0}; the memory has 65536 bytes`,
      );
      assert.equal(outcome.output, undefined);
    });
  }
}

test('get_input traps where the input does not fit, and writes nothing', async () => {
  for (const pointer of [-1, 65_536, 65_510]) {
    const outcome = await run(planning(`(call $get_input (i32.const ${pointer}))`));
    assert.equal(outcome.problem?.code, 'host-bad-pointer');
  }
});

test('context_read traps where the value does not fit', async () => {
  const body = '(drop (call $context_read (i32.const 0) (i32.const 1) (i32.const 65534)))';
  const outcome = await run(planning(body, { fields: '(data (i32.const 0) "k")' }), {
    input: { context: { k: 'four' } },
  });
  assert.equal(outcome.problem?.code, 'host-bad-pointer');
});

test('the very last bytes of the memory can be used', async () => {
  const fields = '(data (i32.const 65524) "{\\"result\\":1}")';
  const outcome = await run(
    planning('(call $set_output (i32.const 65524) (i32.const 12))', { fields }),
  );
  assert.equal(outcome.result, 1);
});

test('memory that grew between two calls is seen by the second', async () => {
  const body = `(call $get_input (i32.const 0))
    (drop (memory.grow (i32.const 3)))
    (call $get_input (i32.const 200000))
    (call $set_output (i32.const 200000) (call $get_input_len))`;
  const outcome = await run(planning(body));
  assert.equal(outputText(outcome), '{"context":{},"step_config":{}}');
});

test('memory that did not grow is not seen as grown', async () => {
  const body = `(drop (memory.grow (i32.const 100000)))
    (call $set_output (i32.const 200000) (i32.const 8))`;
  const outcome = await run(planning(body));
  assert.equal(outcome.problem?.code, 'host-bad-pointer');
});
