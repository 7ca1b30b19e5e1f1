import fc from 'fast-check';
import type { KeyId, Sha256 } from '../../../engine/crypto/crypto.ts';
import {
  DECISION_KINDS,
  PHASES,
  RECEIPT_STATUSES,
} from '../../../engine/provenance/receipt-format.ts';
import type { BatchedReceipt, SignedReceipt } from '../../../engine/provenance/types.ts';

const PLAIN = { noNullPrototype: true } as const;

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const hash = hex(64).map((text) => text as Sha256);
/** Any text that has a UTF-8 form, awkward characters included. */
const text = fc.string({ unit: 'binary', maxLength: 20 });
const whole = fc.nat(Number.MAX_SAFE_INTEGER);
const signature = hex(88);
const runId = hex(32).map(
  (digits) =>
    `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20)}`,
);

const tier = fc.constantFrom(
  { tier: 1, purityMethod: 'wasm_certified' } as const,
  { tier: 2, purityMethod: 'static_analysis' } as const,
  { tier: 3, purityMethod: 'unchecked' } as const,
);

const directive = fc.record(
  {
    type: text,
    hash,
    decision: fc.constantFrom(...DECISION_KINDS),
    reason: text,
    resultHash: hash,
  },
  { requiredKeys: ['type', 'hash', 'decision'], noNullPrototype: true },
);

const content = fc
  .record({
    run: runId,
    epoch: whole,
    prevHash: hash,
    executor: text,
    artifactHash: hash,
    certificateHash: hash,
    tier,
    whitelistHash: hash,
    inputHash: hash,
    outputHash: fc.option(hash),
    directives: fc.array(directive, { maxLength: 4 }),
    fuel: fc.record(
      {
        limit: whole,
        schedule: fc.integer({ min: 1, max: 9999 }).map((version) => `fuel/${version}`),
        used: fc.option(whole),
      },
      { ...PLAIN, requiredKeys: ['limit', 'used'] },
    ),
    status: fc.constantFrom(...RECEIPT_STATUSES),
    completed: fc.nat(PHASES.length).map((count) => PHASES.slice(0, count)),
    signer: hash.map((each) => each as KeyId),
  })
  .map(({ tier: { tier, purityMethod }, certificateHash, ...rest }) => ({
    ...rest,
    tier,
    purityMethod,
    certificateHash: tier === 1 ? certificateHash : null,
  }));

/** Receipts as a reader takes them; their signatures are none. */
export const signedReceipt: fc.Arbitrary<SignedReceipt> = fc
  .tuple(content, signature)
  .map(([rest, own]) => ({ format: 'receipt/1', ...rest, signature: own }));

export const batchedReceipt: fc.Arbitrary<BatchedReceipt> = fc
  .tuple(
    content,
    fc.oneof(
      fc.record({ index: whole }, PLAIN),
      fc.record({ index: whole, root: hash, signature }, PLAIN),
    ),
  )
  .map(([rest, batch]) => ({ format: 'receipt/2', ...rest, batch }));

export const anyReceipt = fc.oneof(signedReceipt, batchedReceipt);

/** What stands in a field that should hold something else. */
export const wrongValue = fc.oneof(
  fc.constantFrom(-1, 0.5, 2 ** 53, Number.NaN, '', 'x', '\ud800', null, true, 4),
  hex(63),
  hex(64).map((each) => each.toUpperCase().replace(/^[0-9]/, 'A')),
);
