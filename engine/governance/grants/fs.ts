import { z } from 'zod';
import { bytes, path, timeoutMs } from './common.ts';

const root = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9_-])?$/, {
      error: 'a root is named by lower-case letters, digits, ".", "_" and "-", at most 64',
    })
    .exactOptional()
    .describe(
      'What paths of directives begin with: `name/…`. Without a name, which only a single root can be, they are relative to it.',
    ),
  path: path('The folder, relative to the policy.'),
  access: z
    .enum(['read', 'write'])
    .default('read')
    .describe('`read` for reading alone, `write` for writing and deleting too.'),
});

/** What `file_op` may do. */
export const fsGrant = z
  .strictObject({
    roots: z
      .array(root)
      .min(1)
      .max(100)
      .refine((roots) => roots.length === 1 || roots.every(({ name }) => name !== undefined), {
        error: 'each of several roots needs a name',
      })
      .refine((roots) => new Set(roots.map(({ name }) => name)).size === roots.length, {
        error: 'two roots have the same name',
      })
      .describe('The folders in which files may be touched.'),
    fileBytes: bytes(10_485_760, 'Bytes that a file may have, either way.'),
    timeoutMs: timeoutMs(10_000),
  })
  .meta({ description: 'Files inside granted folders.' });

export type FsGrant = z.infer<typeof fsGrant>;
export type FsRoot = FsGrant['roots'][number];
