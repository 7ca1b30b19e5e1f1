// The scripts of the WebAssembly specification test suite in the JSON that wast2json writes: one
// file a .wast, with the modules beside it as .wasm (binary ones) and .wat (text that must not parse).

import { z } from 'zod';

/** A value, or what a result has to be: `nan:canonical`, `nan:arithmetic` or the bits in decimal. */
const valueSchema = z.object({
  type: z.string(),
  value: z.union([z.string(), z.array(z.string())]).optional(),
  lane_type: z.enum(['i8', 'i16', 'i32', 'i64', 'f32', 'f64']).optional(),
});

const actionSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('invoke'),
    module: z.string().optional(),
    field: z.string(),
    args: z.array(valueSchema),
  }),
  z.object({ type: z.literal('get'), module: z.string().optional(), field: z.string() }),
]);

const line = { line: z.number() };
const file = { filename: z.string(), text: z.string() };
const form = { module_type: z.enum(['binary', 'text']) };
const expected = { expected: z.array(valueSchema).default([]) };

const commandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('module'),
    ...line,
    name: z.string().optional(),
    filename: z.string(),
  }),
  z.object({ type: z.literal('register'), ...line, name: z.string().optional(), as: z.string() }),
  z.object({ type: z.literal('action'), ...line, action: actionSchema, ...expected }),
  z.object({
    type: z.literal('assert_return'),
    ...line,
    action: actionSchema,
    ...expected,
    either: z.array(valueSchema).optional(),
  }),
  z.object({
    type: z.literal('assert_trap'),
    ...line,
    action: actionSchema,
    text: z.string(),
    ...expected,
  }),
  z.object({
    type: z.literal('assert_exhaustion'),
    ...line,
    action: actionSchema,
    text: z.string(),
    ...expected,
  }),
  z.object({
    type: z.literal('assert_exception'),
    ...line,
    action: actionSchema,
    ...expected,
  }),
  z.object({ type: z.literal('assert_invalid'), ...line, ...file, ...form }),
  z.object({ type: z.literal('assert_malformed'), ...line, ...file, ...form }),
  z.object({ type: z.literal('assert_unlinkable'), ...line, ...file }),
  z.object({ type: z.literal('assert_uninstantiable'), ...line, ...file }),
]);

export const scriptSchema = z.object({
  source_filename: z.string(),
  commands: z.array(commandSchema),
});

export type ScriptValue = z.infer<typeof valueSchema>;
export type Action = z.infer<typeof actionSchema>;
export type Command = z.infer<typeof commandSchema>;
export type Script = z.infer<typeof scriptSchema>;
