import { z } from 'zod';
import { bytes, path, timeoutMs } from './common.ts';

/** What `file_op` may do. */
export const fsGrant = z
  .strictObject({
    roots: z
      .array(
        z.strictObject({
          name: z
            .string()
            .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/)
            .exactOptional()
            .describe(
              'What paths of directives begin with, where there are several roots: `name/…`.',
            ),
          path: path('The folder, relative to the policy.'),
          access: z
            .enum(['read', 'write'])
            .default('read')
            .describe('`read` for reading alone, `write` for writing and deleting too.'),
        }),
      )
      .min(1)
      .max(100)
      .describe('The folders in which files may be touched.'),
    fileBytes: bytes(10_485_760, 'Bytes that a file may have, either way.'),
    timeoutMs: timeoutMs(10_000),
  })
  .meta({ description: 'Files inside granted folders.' });

export type FsGrant = z.infer<typeof fsGrant>;
