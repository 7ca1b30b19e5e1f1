// Trytet's `TetExecutionRequest` (github.com/bneb/trytet): the layout is Trytet's own.

import { z } from 'zod';
import { InputError } from '../encoding/input-error.ts';
import { describeIssues } from '../encoding/schema.ts';
import { MAX_U64, parseU64Json } from '../encoding/u64-json.ts';
import { type TrytetVoucher, trytetVoucherSchema } from '../voucher/trytet-voucher.ts';

/** A request larger than this is refused unread, in bytes: some 16 MB of module, written as numbers. */
export const MAX_TRYTET_REQUEST_BYTES = 67_108_864;

/** What Trytet allocates where a request does not say. */
const DEFAULT_FUEL = 50_000_000n;

const MAX_U32 = 4_294_967_295;

/** A request to run a module once, as Trytet's executor takes it. */
export interface TrytetRequest {
  /** The module's bytes. */
  readonly payload: Uint8Array | undefined;
  /** A name for the run in Trytet's mesh; without a payload, the name of one to be found there. */
  readonly alias: string | undefined;
  readonly parent_snapshot_id: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly injected_files: Readonly<Record<string, string>>;
  /** u64. */
  readonly allocated_fuel: bigint;
  /** u32, MiB. */
  readonly max_memory_mb: number;
  /** The exported function to call. */
  readonly target_function: string | undefined;
  /** u32: how many runs stand above this one. */
  readonly call_depth: number;
  readonly voucher: TrytetVoucher | undefined;
  readonly manifest: unknown;
  readonly egress_policy: unknown;
}

const u32 = z.int().min(0).max(MAX_U32);
const texts = z.custom<Readonly<Record<string, string>>>(isTexts, 'not an object of texts');

const requestSchema = z.strictObject({
  // Checked in one go: a schema for each of a million numbers would cost more than the run.
  payload: z.custom<readonly number[]>(isByteArray, 'not a list of bytes, 0 to 255').nullish(),
  alias: z.string().nullish(),
  parent_snapshot_id: z.string().nullish(),
  env: texts.default({}),
  injected_files: texts.default({}),
  allocated_fuel: z
    .union([z.int().min(0).transform(BigInt), z.bigint().max(MAX_U64)])
    .default(DEFAULT_FUEL),
  max_memory_mb: u32,
  target_function: z.string().nullish(),
  call_depth: u32.default(0),
  voucher: trytetVoucherSchema.nullish(),
  manifest: z.unknown().optional(),
  egress_policy: z.unknown().optional(),
});

/**
 * Parses a `TetExecutionRequest`: its fields and no others, numbers exactly. What it asks for is
 * judged when it is run.
 * @param what names the document in the message.
 * @throws {InputError} `invalid-request`, `too-large`, `invalid-json` or `invalid-utf8`.
 */
export function parseTrytetRequest(source: string | Uint8Array, what: string): TrytetRequest {
  if (source.length > MAX_TRYTET_REQUEST_BYTES) {
    throw new InputError(
      'too-large',
      `${what} is longer than ${MAX_TRYTET_REQUEST_BYTES} bytes, the most that is read of a Trytet request`,
    );
  }
  const parsed = requestSchema.safeParse(parseU64Json(source, what));
  if (!parsed.success) {
    throw new InputError(
      'invalid-request',
      `${what} is not a Trytet execution request: ${describeIssues(parsed.error)}`,
    );
  }
  const { payload, alias, parent_snapshot_id, target_function, voucher, ...rest } = parsed.data;
  return Object.freeze({
    ...rest,
    payload: payload ? Uint8Array.from(payload) : undefined,
    alias: alias ?? undefined,
    parent_snapshot_id: parent_snapshot_id ?? undefined,
    target_function: target_function ?? undefined,
    voucher: voucher ?? undefined,
    manifest: rest.manifest ?? undefined,
    egress_policy: rest.egress_policy ?? undefined,
  });
}

function isByteArray(value: unknown): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)
  );
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  );
}
