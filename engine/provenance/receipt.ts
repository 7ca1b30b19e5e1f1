import { concatBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { type Crypto, isKeyId, isSha256, type Sha256, type Signer } from '../crypto/crypto.ts';
import { encodeBase64, tryDecodeBase64 } from '../encoding/base64.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes, canonicalJson, type JsonValue, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import { PURITY_METHODS } from '../gate/types.ts';
import type { DecisionKind } from '../governance/types.ts';
import { type Phase, RUN_STATUSES } from '../runtime/types.ts';
import { isRunId } from './run-id.ts';
import type { Receipt } from './types.ts';

export const RECEIPT_FORMAT = 'receipt/1';

/** A receipt larger than this, in bytes, is neither written nor read. */
export const MAX_RECEIPT_BYTES = 16_777_216;

/** `prevHash` of epoch 0: nothing comes before it. */
export const NO_PREVIOUS = '0'.repeat(64) as Sha256;

/** The phases of a run that passed the gate, in order: `completed` is a prefix of them. */
export const PHASES: readonly Phase[] = Object.freeze([
  'gate',
  'instantiate',
  'plan',
  'govern',
  'record',
] as const);

/** A receipt before it is signed. */
export type UnsignedReceipt = Omit<Receipt, 'signature'>;

const RECEIPT_TAG = encodeUtf8('touchstone/receipt/1\n');

/** What the environment signs: `touchstone/receipt/1\n` ‖ RFC 8785 of the receipt without `signature`. */
export function receiptMessage(receipt: UnsignedReceipt | Receipt): Uint8Array {
  const { signature: _, ...unsigned }: Partial<Receipt> = receipt;
  return concatBytes(RECEIPT_TAG, canonicalBytes(unsigned));
}

/**
 * Signs a receipt as the environment. The signature is verified before it is answered, since a
 * receipt with a wrong one would spoil its chain for good.
 * @throws {InputError} `invalid-key` when the signer's signature does not verify under its own key
 * or the receipt names another signer; whatever the signer throws.
 */
export async function signReceipt(
  crypto: Crypto,
  unsigned: UnsignedReceipt,
  signer: Signer,
): Promise<Receipt> {
  const message = receiptMessage(unsigned);
  const signature = await signer.sign(message);
  if (
    unsigned.signer !== signer.publicKey.keyId ||
    !crypto.verify(signer.publicKey, message, signature)
  ) {
    throw new InputError(
      'invalid-key',
      'the environment key signed a receipt wrongly: its signature does not verify',
    );
  }
  return { ...unsigned, signature: encodeBase64(signature) };
}

/** The canonical bytes of a receipt: RFC 8785, UTF-8, without a newline. They are what is hashed. */
export function serializeReceipt(receipt: Receipt): Uint8Array {
  return canonicalBytes(receipt);
}

/** The 64 bytes of a receipt's signature; empty, which never verifies, where it is not base64. */
export function receiptSignature({ signature }: Receipt): Uint8Array {
  return tryDecodeBase64(signature) ?? new Uint8Array(0);
}

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');
const natural = z.int().min(0);

const statuses = [...RUN_STATUSES, 'denied'] as const;

const decisions = [
  'performed',
  'recorded',
  'denied',
  'skipped',
] as const satisfies readonly DecisionKind[];

/** The schema of a receipt (DESIGN 8): exactly its fields. */
export const receiptSchema = z
  .strictObject({
    format: z.literal(RECEIPT_FORMAT),
    run: z.string().refine(isRunId, 'not a UUIDv8'),
    epoch: natural,
    prevHash: sha256,
    executor: z.string(),
    artifactHash: sha256,
    certificateHash: sha256.nullable(),
    purityMethod: z.enum(Object.values(PURITY_METHODS)),
    tier: z.literal([1, 2, 3]),
    whitelistHash: sha256,
    inputHash: sha256,
    outputHash: sha256.nullable(),
    directives: z.array(
      z.strictObject({
        type: z.string(),
        hash: sha256,
        decision: z.enum(decisions),
        reason: z.string().exactOptional(),
        resultHash: sha256.exactOptional(),
      }),
    ),
    fuel: z.strictObject({ limit: natural, used: natural.nullable() }),
    status: z.enum(statuses),
    completed: z.array(z.enum(['gate', 'instantiate', 'plan', 'govern', 'record'])),
    signer: z.string().refine(isKeyId, 'not a key id'),
    signature: z.string().length(88),
  })
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
