import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  answerBound,
  decodeEnded,
  decodeJob,
  decodeProgram,
  encodeEnded,
  encodeJob,
  encodeProgram,
} from '../../../engine/platform/node/process-codec.ts';
import type { Ended } from '../../../engine/runtime/ended.ts';
import { DEFAULT_LIMITS, type LogLevel } from '../../../engine/runtime/types.ts';
import { receiveEnded } from '../../../engine/runtime/wire.ts';
import { admit, answering, programOf } from '../runtime/executors.ts';

const PLAIN = { noNullPrototype: true };
/** Texts are what a decoder of UTF-8 makes: they hold no lone surrogates. */
const text = fc.string({ unit: 'binary' });

const ended: fc.Arbitrary<Ended> = fc.record(
  {
    fuelUsed: fc.option(fc.nat(DEFAULT_LIMITS.fuel)),
    output: fc.option(fc.uint8Array(), { nil: undefined }),
    constructed: fc.array(fc.record({ tag: text, text }, PLAIN)),
    logs: fc.array(
      fc.record({ level: fc.constantFrom<LogLevel>('info', 'warn'), message: text }, PLAIN),
    ),
    completed: fc.constant(['gate', 'instantiate', 'plan'] as const),
    state: fc.uint8Array({ minLength: 1 }),
  },
  {
    ...PLAIN,
    requiredKeys: ['fuelUsed', 'output', 'constructed', 'logs', 'completed'],
  },
);

/** The same with lists for bytes, which compare by what they hold. */
function plain({ output, state, ...rest }: Ended) {
  return { ...rest, output: output && [...output], ...(state && { state: [...state] }) };
}

test('an end of a run is read as it was written, and fits its bound', () => {
  fc.assert(
    fc.property(ended, (value) => {
      const bytes = encodeEnded(value);
      assert.ok(bytes.length <= answerBound(DEFAULT_LIMITS));
      const read = receiveEnded(decodeEnded(bytes), DEFAULT_LIMITS);
      assert.deepEqual(read && plain(read), plain(value));
    }),
  );
});

test('the largest answers that limits allow fit their bound', () => {
  const limits = { ...DEFAULT_LIMITS, outputBytes: 1_000, logBytes: 1_000, directives: 3 };
  const quotes = '\u0001'.repeat(333);
  const largest: Ended = {
    fuelUsed: 1,
    output: new Uint8Array(1_000),
    constructed: [1, 2, 3].map(() => ({ tag: 'http_request_with_a_long_tag', text: quotes })),
    logs: Array.from({ length: 1_000 }, () => ({ level: 'error', message: '' })),
    completed: ['gate', 'instantiate', 'plan'],
  };
  assert.notEqual(receiveEnded(largest, limits), undefined);
  assert.ok(encodeEnded(largest).length <= answerBound(limits));
});

test('bytes that nobody wrote are no end of a run', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.equal(receiveEnded(decodeEnded(bytes), DEFAULT_LIMITS), undefined);
    }),
  );
});

test('an answer with one byte changed is refused or of the same shape', () => {
  fc.assert(
    fc.property(ended, fc.nat(), fc.nat(255), (value, at, byte) => {
      const bytes = encodeEnded(value);
      bytes[at % bytes.length] = byte;
      const read = receiveEnded(decodeEnded(bytes), DEFAULT_LIMITS);
      if (read === undefined) return;
      const { state: _, ...shape } = value;
      const { state, ...found } = read;
      assert.deepEqual(Object.keys(found).sort(), Object.keys(shape).sort());
      assert.ok((state?.length ?? 0) <= bytes.length);
    }),
  );
});

test('a program and a job arrive as they were sent', async () => {
  const program = programOf(await admit(answering('{"result":1}')));
  const { facts, bytes } = decodeProgram(encodeProgram(program));
  assert.deepEqual([...bytes], [...program.copyBytes()]);
  for (const [name, value] of Object.entries(facts)) {
    assert.deepEqual(value, Reflect.get(program, name), name);
  }
  const job = {
    input: new Uint8Array([1, 2, 3]),
    limits: DEFAULT_LIMITS,
    entry: 'plan',
  };
  const received = decodeJob(encodeJob(job));
  assert.deepEqual({ ...received, input: [...received.input] }, { ...job, input: [1, 2, 3] });
  for (const before of [undefined, new Uint8Array([4, 5])]) {
    const stateful = decodeJob(encodeJob({ ...job, state: { before } }));
    assert.deepEqual([...stateful.input], [1, 2, 3]);
    assert.deepEqual(stateful.state?.before && [...stateful.state.before], before && [4, 5]);
    assert.ok(stateful.state !== undefined);
  }
});
