import { z } from 'zod';
import { bytes, path, timeoutMs } from './common.ts';

/** What `db_op` may do. */
export const dbGrant = z
  .strictObject({
    file: path('The SQLite file, relative to the policy.'),
    access: z
      .enum(['read', 'write'])
      .default('read')
      .describe('`read` for a database that no statement can change, `write` for all of it.'),
    rows: z.int().min(1).max(1_000_000).default(1_000).describe('Rows that one answer may have.'),
    resultBytes: bytes(4_194_304, 'Bytes that one answer may have, as JSON.'),
    totalBytes: bytes(1_073_741_824, 'Bytes that writing may bring the file to.'),
    timeoutMs: timeoutMs(5_000),
  })
  .meta({ description: 'Statements to a database.' });

export type DbGrant = z.infer<typeof dbGrant>;
