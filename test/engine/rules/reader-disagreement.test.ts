import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectModule } from '../../../engine/module/report.ts';
import type { ReaderOpinion } from '../../../engine/module/types.ts';
import { assembleWat } from '../../../engine/module/wat.ts';
import { judgeImports } from '../../../engine/rules/judge.ts';
import { readerDisagreement } from '../../../engine/rules/reader-disagreement.ts';
import { crypto, MASHIN, PURE } from './support.ts';

async function findings(readers?: readonly ReaderOpinion[]) {
  const read = inspectModule(crypto, await assembleWat(PURE, 'tried.wat'));
  const report = readers === undefined ? read : { ...read, readers };
  const imports = judgeImports(report, MASHIN);
  const artifact = { state: 'read', report, imports } as const;
  return [...readerDisagreement.check({ whitelist: MASHIN, artifact })];
}

test('readers that differ are told, each with what it says', async () => {
  const [found, ...others] = await findings([
    { reader: 'walker', outcome: 'agrees' },
    {
      reader: 'wasmparser',
      outcome: 'disagrees',
      detail: 'import 0: walker says a.b, wasmparser says a.c',
    },
  ]);
  assert.equal(
    found?.message,
    'readers disagree on import 0: walker says a.b, wasmparser says a.c',
  );
  assert.deepEqual(others, []);
});

test('one reader alone is not enough', async () => {
  const [found] = await findings([
    { reader: 'walker', outcome: 'agrees' },
    { reader: 'wasmparser', outcome: 'cannot-read', detail: 'unknown section' },
  ]);
  assert.match(
    found?.message ?? '',
    /^fewer than two independent readers.*wasmparser: unknown section$/,
  );
});

test('readers that agree are no finding, and V8 does not count for certifying', async () => {
  assert.deepEqual(await findings(), []);
  const withV8 = await findings([
    { reader: 'walker', outcome: 'agrees' },
    { reader: 'v8', outcome: 'agrees' },
  ]);
  assert.equal(withV8.length, 1);
});
