// What clients may send: read once, here, into exact types. A client is trusted to be the editor's, not
// to be free of mistakes.

import { resolve } from 'node:path';
import { z } from 'zod';
import type { PublicKey } from '../../engine/crypto/crypto.ts';
import { publicKeyFromRaw } from '../../engine/crypto/keys.ts';
import { tryDecodeBase64 } from '../../engine/encoding/base64.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { type JsonValue, MAX_JSON_DEPTH } from '../../engine/encoding/json.ts';
import { describeIssues } from '../../engine/encoding/schema.ts';
import { parseCapability } from '../../engine/governance/trust.ts';
import { nodeCrypto } from '../../engine/platform/node/crypto.ts';
import { isChainName } from '../../engine/provenance/store.ts';
import { inputBytes } from '../../engine/runtime/input.ts';
import type { Capability } from '../../engine/whitelist/directives.ts';
import type { CertifyParams, ExecutorParams, ReceiptsParams, RunParams } from '../protocol.ts';
import { pathOf } from '../workspace/uris.ts';
import { RequestError } from './failures.ts';

/** What a schema of the fields of `T` looks like, whatever it makes of them. */
type SchemaOf<T> = z.ZodType<{ [K in keyof T]: unknown }>;

/** The absolute path of a `file:` URI. */
const path = z
  .string()
  .max(8192)
  .transform((uri, context): string => {
    const found = pathOf(uri);
    if (found !== undefined && !found.includes('\0')) return resolve(found);
    context.addIssue({ code: 'custom', message: 'expected a file: URI' });
    return z.NEVER;
  });

/** A public key: 32 bytes in base64. */
const publicKey = z
  .string()
  .max(64)
  .transform((text, context): PublicKey => {
    try {
      return publicKeyFromRaw(nodeCrypto, tryDecodeBase64(text) ?? new Uint8Array());
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      context.addIssue({ code: 'custom', message: 'expected an Ed25519 public key in base64' });
      return z.NEVER;
    }
  });

const inputDocument = z.unknown().transform((value, context): JsonValue => {
  try {
    if (!isJson(value, 0)) throw new InputError('invalid-json', 'it is nested too deep');
    inputBytes(value);
    return value;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
});

const capability = z
  .string()
  .max(100)
  .transform((name, context): Capability => {
    const found = parseCapability(name);
    if (found !== undefined) return found;
    context.addIssue({ code: 'custom', message: 'there is no such capability' });
    return z.NEVER;
  });

export const executorParams = z.object({ uri: path }) satisfies SchemaOf<ExecutorParams>;

export const certifyParams = z.object({
  uri: path,
  certifier: publicKey,
  publisher: publicKey.optional(),
}) satisfies SchemaOf<CertifyParams>;

export const runParams = z.object({
  uri: path,
  input: inputDocument,
  environment: publicKey,
  tier: z.literal([1, 2, 3]).optional(),
  fuel: z.int().min(1).optional(),
  grants: z.array(capability).max(100).default([]),
  workDoneToken: z.union([z.string().max(1000), z.int()]).optional(),
}) satisfies SchemaOf<RunParams>;

/** The most receipts of one page. */
const MAX_COUNT = 1_000;

export const receiptsParams = z.object({
  folder: path,
  environment: publicKey.optional(),
  chain: z.string().refine(isChainName, 'no chain can have that name').optional(),
  from: z.int().min(0).default(0),
  count: z.int().min(0).max(MAX_COUNT).default(MAX_COUNT),
}) satisfies SchemaOf<ReceiptsParams>;

/** An executor that is to be run, and how. */
export type RunOrder = z.infer<typeof runParams>;
export type CertifyOrder = z.infer<typeof certifyParams>;
export type ReceiptsQuery = z.infer<typeof receiptsParams>;

/**
 * Reads parameters.
 * @throws {RequestError} `invalid-params`, naming the field at fault.
 */
export function readParams<Schema extends z.ZodType>(
  schema: Schema,
  params: unknown,
): z.output<Schema> {
  const parsed = schema.safeParse(params);
  if (parsed.success) return parsed.data;
  throw new RequestError('invalid-params', `wrong parameters: ${describeIssues(parsed.error)}`);
}

/** Whether a value is JSON of no more depth than is handled anywhere. */
function isJson(value: unknown, depth: number): value is JsonValue {
  if (typeof value !== 'object') return isScalar(value);
  if (value === null) return true;
  if (depth >= MAX_JSON_DEPTH) return false;
  return Object.values(value).every((each) => isJson(each, depth + 1));
}

function isScalar(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  return typeof value === 'string' || typeof value === 'boolean';
}
