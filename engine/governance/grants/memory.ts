import { z } from 'zod';
import { bytes, path, timeoutMs } from './common.ts';

/** What `memory_op` may do. */
export const memoryGrant = z
  .strictObject({
    file: path(
      'The SQLite file, relative to the policy; `memory.sqlite` beside it if left out.',
    ).exactOptional(),
    keys: z
      .array(z.string().max(1_000))
      .max(1_000)
      .exactOptional()
      .describe('Prefixes of the keys that may be used; all keys if left out.'),
    access: z
      .enum(['read', 'write'])
      .default('write')
      .describe('`read` for recalling alone, `write` for storing and forgetting too.'),
    valueBytes: bytes(1_048_576, 'Bytes that a value may have, as JSON.'),
    totalBytes: bytes(67_108_864, 'Bytes that the file may come to.'),
    timeoutMs: timeoutMs(5_000),
  })
  .meta({ description: 'The memory of agents: values under keys.' });

export type MemoryGrant = z.infer<typeof memoryGrant>;
