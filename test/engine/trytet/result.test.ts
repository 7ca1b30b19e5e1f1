import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TrytetRun, trytetResult } from '../../../engine/trytet/result.ts';

const ACCOUNT = { tet_id: 'id', memory_used_kb: 64, execution_duration_us: 5 };

function run(changes: Partial<TrytetRun> = {}): TrytetRun {
  return {
    status: 'ok',
    result: { b: 1, a: 'ü' },
    directives: [],
    logs: [],
    fuel: { limit: 100, used: 7 },
    ...changes,
  };
}

const ended = (status: TrytetRun['status'], code?: string, offset?: number) =>
  trytetResult(
    run({
      status,
      result: null,
      ...(code !== undefined && {
        problem: { code, message: 'why', ...(offset !== undefined && { offset }) },
      }),
    }),
    ACCOUNT,
  );

test('a run that ended well is a Success whose only line of output is its document', () => {
  const directives = [{ type: 'emit_event', event_type: 'x' }];
  assert.deepEqual(trytetResult(run({ directives }), ACCOUNT), {
    tet_id: 'id',
    status: 'Success',
    telemetry: {
      stdout_lines: [
        '{"directives":[{"event_type":"x","type":"emit_event"}],"result":{"a":"ü","b":1}}',
      ],
      stderr_lines: [],
      memory_used_kb: 64,
    },
    execution_duration_us: 5,
    fuel_consumed: 7,
    mutated_files: {},
  });
});

test('logs are lines of stderr, split where they break', () => {
  const logs = [
    { level: 'info', message: 'one\ntwo\r\nthree' },
    { level: 'error', message: '' },
  ] as const;
  assert.deepEqual(trytetResult(run({ logs }), ACCOUNT).telemetry.stderr_lines, [
    'info: one',
    'info: two',
    'info: three',
    'error: ',
  ]);
});

test("an executor's own error is a Success that says so, as a program would on its output", () => {
  const { status, telemetry } = ended('error', 'executor-error');
  assert.equal(status, 'Success');
  assert.deepEqual(telemetry.stdout_lines, ['{"error":{"message":"why"}}']);
});

test('fuel that the runtime does not tell counts whole', () => {
  const fuel = { limit: 100, used: null };
  assert.equal(trytetResult(run({ fuel }), ACCOUNT).fuel_consumed, 100);
});

test('what a limit ended has the status of that limit', () => {
  assert.equal(ended('out-of-fuel', 'out-of-fuel').status, 'OutOfFuel');
  assert.equal(ended('memory-limit', 'memory-limit').status, 'MemoryExceeded');
});

for (const [status, code, error_type] of [
  ['trap', 'unreachable', 'unreachable'],
  ['trap', 'memory-out-of-bounds', 'memory_out_of_bounds'],
  ['trap', 'table-out-of-bounds', 'memory_out_of_bounds'],
  ['trap', 'array-out-of-bounds', 'memory_out_of_bounds'],
  ['trap', 'host-bad-pointer', 'memory_out_of_bounds'],
  ['trap', 'integer-divide-by-zero', 'integer_divide_by_zero'],
  ['trap', 'indirect-call-type-mismatch', 'indirect_call_type_mismatch'],
  ['trap', 'null-function', 'null_reference'],
  ['trap', 'null-reference', 'null_reference'],
  ['trap', 'unlisted-import', 'security_violation'],
  ['trap', 'missing-entry', 'engine_spawn'],
  ['trap', 'missing-memory', 'engine_spawn'],
  ['trap', 'host-crashed', 'engine_spawn'],
  ['trap', 'link-error', 'engine_spawn'],
  ['trap', 'integer-overflow', 'unknown_trap'],
  ['trap', 'no-output', 'unknown_trap'],
  ['trap', 'invalid-output', 'unknown_trap'],
  ['trap', 'constructor', 'unknown_trap'],
  ['call-depth', 'stack-overflow', 'stack_overflow'],
  ['output-limit', 'output-limit', 'security_violation'],
  ['log-limit', 'log-limit', 'security_violation'],
  ['directive-limit', 'directive-limit', 'security_violation'],
  ['denied', undefined, 'security_violation'],
  ['timeout', 'timeout', 'unknown_trap'],
  ['cancelled', 'cancelled', 'unknown_trap'],
] as const) {
  test(`${status} ${code ?? ''} is a crash of the kind ${error_type}`, () => {
    const { status: told, telemetry } = ended(status, code, 345);
    assert.ok(typeof told === 'object');
    assert.equal(told.Crash.error_type, error_type);
    assert.equal(told.Crash.instruction_offset, code === undefined ? null : 345);
    assert.ok(told.Crash.message.length > 2);
    assert.equal(telemetry.stdout_lines.length, status === 'denied' ? 1 : 0);
  });
}
