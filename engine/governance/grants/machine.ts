import { z } from 'zod';
import { isKeyId } from '../../crypto/crypto.ts';
import { secretReference } from '../secret.ts';
import { addresses, bytes, headers, path, timeoutMs } from './common.ts';

const machine = z.union([
  z.strictObject({
    name: z.string().min(1).max(200).describe('The name or URN that directives call it by.'),
    path: path('The executor, relative to the policy: its project, `executor.json` or module.'),
  }),
  z.strictObject({
    name: z.string().min(1).max(200).describe('The name or URN that directives call it by.'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .describe('Where another organisation serves it; `https:`, unless on this machine.'),
    machine: z.string().min(1).max(200).exactOptional().describe('What it is called there.'),
    environment: z
      .string()
      .refine(isKeyId, { error: 'not a key id' })
      .exactOptional()
      .describe(
        'The key id of the environment that must answer; any that is trusted, if left out.',
      ),
    token: secretReference
      .exactOptional()
      .describe('The secret that the organisation knows the caller by: its bearer token.'),
    compatibility: path(
      'What is demanded of the organisation: its `compatibility.json`, relative to the policy.',
    ),
    addresses,
  }),
]);

const serverHeaders = headers
  .default({})
  .describe('Headers that go with every request; a key by the name of its secret.');

const server = z.union([
  z.strictObject({
    name: z.string().min(1).max(200).describe('The name that directives call it by.'),
    command: path(
      'The program of a server over stdio, by absolute path. It runs in the root folder.',
    ).regex(/^(?:\/|[A-Za-z]:[\\/]|\\\\)/, { error: 'a program is named by its absolute path' }),
    args: z.array(z.string().max(4_096)).max(100).default([]).describe('Its arguments.'),
    env: z
      .record(
        z.string().regex(/^[^=\0]{1,100}$/, { error: 'not the name of a variable' }),
        z.union([
          z
            .string()
            .max(4_096)
            .regex(/^[^\0]*$/),
          secretReference,
        ]),
      )
      .default({})
      .describe('Its whole environment: nothing of the interpreter’s own goes to it.'),
    tools: z.array(z.string().max(200)).max(1_000).describe('The tools that may be called.'),
  }),
  z.strictObject({
    name: z.string().min(1).max(200).describe('The name that directives call it by.'),
    url: z
      .url({ protocol: /^https?$/ })
      .max(2_000)
      .describe('The endpoint of a server over streamable HTTP; `https:`, unless on this machine.'),
    addresses,
    headers: serverHeaders,
    tools: z.array(z.string().max(200)).max(1_000).describe('The tools that may be called.'),
  }),
]);

/** What `call_machine` and `mcp_call` may do. */
export const machineGrant = z
  .strictObject({
    machines: z
      .array(machine)
      .max(1_000)
      .default([])
      .describe('The executors that may be called, here and at other organisations.'),
    depth: z.int().min(1).max(5).default(5).describe('How deep calls may nest; 5 at most.'),
    servers: z
      .array(server)
      .max(100)
      .refine((servers) => new Set(servers.map(({ name }) => name)).size === servers.length, {
        error: 'two servers have the same name',
      })
      .default([])
      .describe('The servers of the Model Context Protocol that may be called: a reviewed list.'),
    resultBytes: bytes(4_194_304, 'Bytes that an answer may have, as JSON.'),
    timeoutMs: timeoutMs(60_000),
  })
  .meta({ description: 'Other executors, and tools of MCP servers.' });

export type MachineGrant = z.infer<typeof machineGrant>;
export type MachineEntry = MachineGrant['machines'][number];
export type ServerEntry = MachineGrant['servers'][number];
