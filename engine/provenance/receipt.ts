import { z } from 'zod';
import { isKeyId, isSha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalJson, type JsonValue, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import { PURITY_METHODS } from '../gate/types.ts';
import {
  BATCHED_FORMAT,
  DECISION_KINDS,
  FUEL_SCHEDULE_NAME,
  HOOK_VERDICTS,
  MAX_RECEIPT_BYTES,
  PHASES,
  RECEIPT_FORMAT,
  RECEIPT_STATUSES,
} from './receipt-format.ts';
import { isRunId } from './run-id.ts';
import type { Receipt } from './types.ts';
import { receiptText } from './write.ts';

export { MAX_RECEIPT_BYTES, NO_PREVIOUS, PHASES, RECEIPT_FORMAT } from './receipt-format.ts';

/**
 * The canonical bytes of a receipt: RFC 8785, UTF-8, without a newline. They are what is hashed.
 * @throws {InputError} `invalid-receipt` for a value that {@link parseReceipt} would refuse.
 */
export function serializeReceipt(receipt: Receipt): Uint8Array {
  return encodeUtf8(receiptText(receipt));
}

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');
const natural = z.int().min(0);
const signature = z.string().length(88);

/** The schema of a directive's entry in a receipt. */
export const receiptDirectiveSchema = z.strictObject({
  type: z.string(),
  hash: sha256,
  decision: z.enum(DECISION_KINDS),
  reason: z.string().exactOptional(),
  resultHash: sha256.exactOptional(),
  hooks: z
    .array(z.strictObject({ artifactHash: sha256.nullable(), verdict: z.enum(HOOK_VERDICTS) }))
    .min(1)
    .exactOptional(),
  link: z
    .strictObject({ receipt: sha256.exactOptional(), attestation: sha256.exactOptional() })
    .exactOptional(),
});

const unplaced = {
  executor: z.string(),
  artifactHash: sha256,
  certificateHash: sha256.nullable(),
  purityMethod: z.enum(Object.values(PURITY_METHODS)),
  tier: z.literal([1, 2, 3]),
  whitelistHash: sha256,
  inputHash: sha256,
  outputHash: sha256.nullable(),
  directives: z.array(receiptDirectiveSchema),
  fuel: z.strictObject({
    limit: natural,
    schedule: z.string().regex(FUEL_SCHEDULE_NAME).exactOptional(),
    used: natural.nullable(),
  }),
  status: z.enum(RECEIPT_STATUSES),
  completed: z.array(z.enum(['gate', 'instantiate', 'plan', 'govern', 'record'])),
  state: z.strictObject({ before: sha256.nullable(), after: sha256.nullable() }).exactOptional(),
} as const;

const content = {
  run: z.string().refine(isRunId, 'not a UUIDv8'),
  epoch: natural,
  prevHash: sha256,
  ...unplaced,
  signer: z.string().refine(isKeyId, 'not a key id'),
} as const;

/** The schema of what a receipt says without its place in a chain. */
export const unplacedSchema = z.strictObject(unplaced);

/** The schema of a receipt (DESIGN 8): exactly its fields. */
export const receiptSchema = z
  .discriminatedUnion('format', [
    z.strictObject({ format: z.literal(RECEIPT_FORMAT), ...content, signature }),
    z.strictObject({
      format: z.literal(BATCHED_FORMAT),
      ...content,
      batch: z
        .strictObject({ index: natural, root: sha256, signature })
        .or(z.strictObject({ index: natural })),
    }),
  ])
  .refine(({ tier, purityMethod }) => PURITY_METHODS[tier] === purityMethod, {
    error: '"purityMethod" is not the method of the tier',
  })
  .refine(({ tier, certificateHash }) => (tier === 1) === (certificateHash !== null), {
    error: 'a certificate belongs to tier 1, and to no other',
  })
  .refine(({ completed }) => completed.every((phase, i) => phase === PHASES[i]), {
    error: '"completed" is not the first phases of a run',
  });

/**
 * Parses a receipt: exactly the fields of DESIGN 8, and exactly their canonical bytes, so that there
 * is one byte string for one receipt. Its signature is not verified here.
 * @param what names the receipt in the message.
 * @throws {InputError} `invalid-receipt`, `too-large`, `invalid-json` or `invalid-utf8`.
 */
export function parseReceipt(bytes: Uint8Array, what: string): Receipt {
  if (bytes.length > MAX_RECEIPT_BYTES) throw tooLarge(what, bytes.length);
  const text = decodeUtf8(bytes, what);
  let value: JsonValue;
  try {
    value = JSON.parse(text);
  } catch {
    value = parseJson(text, what); // says where the text is broken
  }
  // The shape comes first: it bounds the depth for the recursive canonical form.
  const parsed = receiptSchema.safeParse(value);
  if (!parsed.success) throw invalid(what, describeIssues(parsed.error));
  if (canonicalJson(parsed.data) !== text) {
    parseJson(text, what); // says which key is written twice
    throw invalid(what, 'it is not in canonical form (RFC 8785)');
  }
  return parsed.data;
}

/** The error for a receipt beyond {@link MAX_RECEIPT_BYTES}. */
export function tooLarge(what: string, length: number): InputError {
  return new InputError(
    'too-large',
    `${what} has ${length} bytes; a receipt has at most ${MAX_RECEIPT_BYTES}`,
  );
}

function invalid(what: string, problem: string): InputError {
  return new InputError('invalid-receipt', `${what} is not a receipt: ${problem}`);
}
