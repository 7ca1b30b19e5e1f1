import { z } from 'zod';
import { secretReference } from '../secret.ts';
import { bytes, path, timeoutMs } from './common.ts';

/** Text that a program can be given: none with a NUL, at which it would end there. */
const text = z
  .string()
  .max(4_096)
  .regex(/^[^\0]*$/, { error: 'a NUL character cannot be given to a program' });

const command = z.strictObject({
  name: z.string().min(1).max(200).describe('What directives call it.'),
  path: path('The program, by absolute path.'),
  args: z
    .array(text)
    .max(100)
    .default([])
    .describe('Arguments that stand before those of the directive.'),
  cwd: path(
    'The folder it runs in, relative to the policy; an empty one, made for each run, if left out.',
  ).exactOptional(),
  env: z
    .record(
      z
        .string()
        .max(100)
        .regex(/^[^=\0]+$/, { error: 'not the name of a variable' }),
      z.union([text, secretReference]),
    )
    .default({})
    .describe('Its whole environment: nothing of the interpreter’s own goes to it.'),
});

/** What `exec_command` and `code_eval` may do. */
export const execGrant = z
  .strictObject({
    commands: z
      .array(command)
      .max(100)
      .refine((commands) => new Set(commands.map(({ name }) => name)).size === commands.length, {
        error: 'two commands have the same name',
      })
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
      .default(50_000_000_000)
      .describe(
        'Fuel that one evaluation may use: eight million for an empty one, some ten thousand for each step of a plain loop.',
      ),
    memoryPages: z
      .int()
      .min(256)
      .max(32_768)
      .default(1_024)
      .describe('Pages of 64 KiB that one evaluation has; the engine itself takes 84 of them.'),
    outputBytes: bytes(1_048_576, 'Bytes that a command or an evaluation may answer.'),
    timeoutMs: timeoutMs(10_000),
  })
  .meta({ description: 'Commands, and code evaluated in a sandbox.' });

export type ExecGrant = z.infer<typeof execGrant>;
export type CommandEntry = ExecGrant['commands'][number];
