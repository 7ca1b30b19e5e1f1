import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  BY_SIZE,
  costOf,
  ENTRY_CALL,
  FUEL_SCHEDULE,
  HOST_CALL,
  PREPAID,
} from '../../../engine/metering/costs.ts';

/** SHA-256 of every cost, by the schedule that it belongs to: receipts rely on them. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'fuel/1': '1dbf52eef3a50f97ac148a2edbd87a3e686473c76e2f2952437f1c15ffde94a1',
};

test('a schedule keeps its costs for ever: another cost is another schedule', () => {
  const costs = [0, 0xfb, 0xfc, 0xfd, 0xfe].flatMap((prefix) =>
    Array.from({ length: prefix === 0 ? 256 : 0x114 }, (_, code) => costOf((prefix << 16) | code)),
  );
  const text = JSON.stringify({ costs, BY_SIZE, ENTRY_CALL, HOST_CALL, PREPAID });
  const hash = createHash('sha256').update(text).digest('hex');
  assert.equal(hash, PUBLISHED[FUEL_SCHEDULE]);
});

test('whatever can repeat itself costs something', () => {
  const free = Array.from({ length: 256 }, (_, code) => code).filter((code) => costOf(code) === 0);
  // unreachable, nop, block, loop, else, try, catch, end, delegate, catch_all, drop, try_table
  assert.deepEqual(free, [0, 1, 2, 3, 5, 6, 7, 11, 0x18, 0x19, 0x1a, 0x1f]);
  for (const call of [0x10, 0x11, 0x12, 0x13, 0x14, 0x15]) assert.ok(costOf(call) > PREPAID);
});
