import { z } from 'zod';
import { secretReference } from '../secret.ts';
import { bytes, path, timeoutMs } from './common.ts';

/** What `exec_command` and `code_eval` may do. */
export const execGrant = z
  .strictObject({
    commands: z
      .array(
        z.strictObject({
          name: z.string().min(1).max(200).describe('What directives call it.'),
          path: path('The program, by absolute path.'),
          args: z
            .array(z.string().max(4_096))
            .max(100)
            .default([])
            .describe('Arguments that stand before those of the directive.'),
          cwd: path('The folder it runs in, relative to the policy.').exactOptional(),
          env: z
            .record(z.string().max(100), z.union([z.string().max(4_096), secretReference]))
            .default({})
            .describe('Its whole environment.'),
        }),
      )
      .max(100)
      .default([])
      .describe('The commands that may be run, at trust level `system` alone.'),
    languages: z
      .array(z.enum(['javascript']))
      .default(['javascript'])
      .describe('The languages that `code_eval` may be in.'),
    fuel: z
      .int()
      .min(1)
      .max(Number.MAX_SAFE_INTEGER)
      .default(500_000_000)
      .describe('Fuel that one evaluation may use.'),
    memoryPages: z
      .int()
      .min(1)
      .max(65_536)
      .default(1_024)
      .describe('Pages of 64 KiB that one evaluation may use.'),
    outputBytes: bytes(1_048_576, 'Bytes that a command or an evaluation may answer.'),
    timeoutMs: timeoutMs(10_000),
  })
  .meta({ description: 'Commands, and code evaluated in a sandbox.' });

export type ExecGrant = z.infer<typeof execGrant>;
