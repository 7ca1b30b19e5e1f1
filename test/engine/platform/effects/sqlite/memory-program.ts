// Stores 0, 1, … under NAME0, NAME1, …, and under one key that all share; writes each number when it is
// stored. Usage: program FOLDER NAME COUNT
import { writeSync } from 'node:fs';
import { memoryGrant } from '../../../../../engine/governance/grants/memory.ts';
import { createMemoryHandler } from '../../../../../engine/platform/node/effects/sqlite/memory.ts';
import { ask, resultOf } from './ask.ts';

const [, , base = '', name = '', count = '0'] = process.argv;
const handler = createMemoryHandler(memoryGrant.parse({ timeoutMs: 60_000 }), { base });
for (let n = 0; n < Number(count); n++) {
  for (const key of [`${name}${n}`, 'shared']) {
    const directive = { type: 'memory_op', operation: 'MemStore', key, value: n };
    resultOf(await ask(handler, directive));
  }
  writeSync(1, `${n}\n`);
}
await handler.close?.();
