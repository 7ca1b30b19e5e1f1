import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectModule } from '../../../engine/module/report.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { judgeImports } from '../../../engine/rules/judge.ts';
import { nondeterministicInstruction } from '../../../engine/rules/nondeterministic-instruction.ts';
import { crypto, examineAlone, findingsOf, MASHIN, PURE } from './support.ts';

test('relaxed SIMD is told once, with its first place and how many more there are', async () => {
  const report = inspectModule(crypto, await assembleWat(PURE, 'tried.wat'));
  const nondeterministic = [0x20, 0x30, 0x40].map((offset) => ({
    instruction: 'f32x4.relaxed_madd',
    functionIndex: 1,
    offset,
    reason: 'relaxed-simd' as const,
  }));
  const artifact = {
    state: 'read',
    report: { ...report, nondeterministic },
    imports: judgeImports(report, MASHIN),
  } as const;
  const [found, ...others] = [
    ...nondeterministicInstruction.check({ whitelist: MASHIN, artifact }),
  ];
  assert.equal(
    found?.message,
    'f32x4.relaxed_madd in plan at 0x0020 may give another result on another machine (relaxed SIMD), and 2 more',
  );
  assert.deepEqual(
    found.related?.map(({ location }) => location.offset),
    [0x30, 0x40],
  );
  assert.deepEqual(others, []);
});

test('shared memory is told', async () => {
  const examination = await examineAlone(PURE.replace('1 4)', '1 4 shared)'));
  assert.equal(findingsOf(examination, 'nondeterministic-instruction').length, 1);
});

test('a module without either is no finding', async () => {
  assert.deepEqual(findingsOf(await examineAlone(PURE), 'nondeterministic-instruction'), []);
});
