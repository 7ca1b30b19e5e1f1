import { z } from 'zod';
import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { isKeyId, isSha256 } from '../crypto/crypto.ts';
import { inclusionPath, rootOfPath } from '../crypto/merkle.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalJson, parseJson } from '../encoding/json.ts';
import { describeIssues } from '../encoding/schema.ts';
import { decodeUtf8, encodeUtf8 } from '../encoding/utf8.ts';
import type { TrustStore } from '../gate/types.ts';
import {
  BATCH_FORMAT,
  type BatchHead,
  batchHead,
  batchMessage,
  endsBatch,
  MAX_BATCH_RECEIPTS,
  misplaced,
  type OpenBatch,
  openAfter,
  receiptLeaf,
} from './batch.ts';
import { signatureProblem, trustedEnvironment } from './environment.ts';
import { splitLines } from './lines.ts';
import { parseReceipt, receiptSchema } from './receipt.ts';
import { BATCHED_FORMAT, MAX_RECEIPT_BYTES } from './receipt-format.ts';
import { receiptMessage, signatureBytes } from './sign.ts';
import type { ReceiptChain } from './store.ts';
import type { BatchedReceipt, Receipt, SignedReceipt } from './types.ts';

export const PROOF_FORMAT = 'receipt-proof/1';

/** One receipt with all that shows that an environment signed it: provable without its chain. */
export type ReceiptProof =
  | { readonly format: typeof PROOF_FORMAT; readonly receipt: SignedReceipt }
  | {
      readonly format: typeof PROOF_FORMAT;
      /** Without `root` and `signature`, also where it is the last of its batch. */
      readonly receipt: BatchedReceipt;
      readonly batch: BatchProof;
    };

export interface BatchProof {
  readonly head: BatchHead;
  /** Base64 of the environment's Ed25519 signature over the domain tag and the head. */
  readonly signature: string;
  /** The hashes beside the receipt's leaf, from the leaf up to the root (RFC 6962). */
  readonly path: readonly Sha256[];
}

/** Whether a receipt is what a trusted environment signed, and if not, why, for a person. */
export type ProofVerdict = {
  readonly epoch: number;
  readonly executor: string;
  readonly run: string;
  readonly detail: string;
} & ({ readonly verdict: 'valid' } | { readonly verdict: 'invalid-signature' });

/**
 * Verifies a proof. It says nothing of the chain: neither what came before the receipt nor what after.
 * @param trust holds the environments' keys, in the role `environment`; revoked ones do not count.
 */
export function verifyProof(crypto: Crypto, proof: ReceiptProof, trust: TrustStore): ProofVerdict {
  const { epoch, executor, run } = proof.receipt;
  const about = { epoch, executor, run };
  const problem =
    'batch' in proof
      ? batchProblem(crypto, proof.receipt, proof.batch, trust)
      : signatureProblem(
          crypto,
          trust,
          proof.receipt,
          receiptMessage(proof.receipt),
          'its signature',
        );
  return problem === undefined
    ? { verdict: 'valid', ...about, detail: `receipt ${epoch} was signed` }
    : { verdict: 'invalid-signature', ...about, detail: `receipt ${epoch}: ${problem}` };
}

function batchProblem(
  crypto: Crypto,
  receipt: BatchedReceipt,
  { head, signature, path }: BatchProof,
  trust: TrustStore,
): string | undefined {
  const { index } = receipt.batch;
  const isPlaced =
    receipt.epoch === head.epoch + index &&
    receipt.signer === head.signer &&
    receipt.executor === head.executor &&
    (index > 0 || receipt.prevHash === head.prevHash);
  if (!isPlaced) return 'it has no place in the batch that is signed';
  const key = trustedEnvironment(trust, head);
  if (typeof key === 'string') return key;
  if (!crypto.verify(key, batchMessage(head), signatureBytes(signature))) {
    return 'the signature of its batch does not verify';
  }
  const root = rootOfPath(crypto, receiptLeaf(crypto, receipt), { index, count: head.count }, path);
  return root === head.root ? undefined : 'its path does not lead to the root that is signed';
}

/**
 * Proves the receipt of an epoch by what stands in its chain.
 * @throws {InputError} `usage` when the chain has no such receipt; `invalid-receipt` when its lines up
 * to there are not those of a chain, or its batch has no end; `unreadable`.
 */
export async function proveReceipt(
  crypto: Crypto,
  chain: ReceiptChain,
  epoch: number,
): Promise<ReceiptProof> {
  const batch: Sha256[] = [];
  let open: OpenBatch | undefined;
  let found: Receipt | undefined;
  let proof: ReceiptProof | undefined;
  let place = 0;
  const lines = splitLines(MAX_RECEIPT_BYTES, (line) => {
    const receipt = parseReceipt(line, `receipt ${place}`);
    const problem = misplaced(receipt, open);
    if (receipt.epoch !== place || problem !== undefined) {
      throw damaged(problem ?? `receipt ${receipt.epoch} stands at place ${place}`);
    }
    if (open === undefined) batch.length = 0;
    if (receipt.format === BATCHED_FORMAT) batch.push(receiptLeaf(crypto, receipt));
    if (place++ === epoch) found = receipt;
    const first = open?.first;
    open = openAfter(receipt, open);
    if (found === undefined || open !== undefined) return true;
    proof = prove(crypto, found, batch, receipt, first);
    return false;
  });
  for await (const piece of chain.read()) {
    if (!lines.write(piece)) break;
  }
  if (proof !== undefined) return proof;
  if (found !== undefined) throw damaged(`the batch of receipt ${epoch} is cut off`);
  throw new InputError('usage', `there is no receipt ${epoch}: the chain has ${place}`);
}

function prove(
  crypto: Crypto,
  receipt: Receipt,
  leaves: readonly Sha256[],
  last: Receipt,
  first: BatchedReceipt | undefined,
): ReceiptProof {
  if (receipt.format !== BATCHED_FORMAT) return { format: PROOF_FORMAT, receipt };
  if (last.format !== BATCHED_FORMAT || !endsBatch(last)) throw damaged('its batch has no end');
  const { index } = receipt.batch;
  const { root, signature } = last.batch;
  return {
    format: PROOF_FORMAT,
    receipt: { ...receipt, batch: { index } },
    batch: {
      head: batchHead(first ?? last, leaves.length, root),
      signature,
      path: inclusionPath(crypto, leaves, index),
    },
  };
}

function damaged(problem: string): InputError {
  return new InputError('invalid-receipt', `the chain is damaged: ${problem}`);
}

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');

const batchProofSchema = z.strictObject({
  head: z.strictObject({
    format: z.literal(BATCH_FORMAT),
    executor: z.string(),
    epoch: z.int().min(0),
    count: z.int().min(1).max(MAX_BATCH_RECEIPTS),
    root: sha256,
    prevHash: sha256,
    signer: z.string().refine(isKeyId, 'not a key id'),
  }),
  signature: z.string().length(88),
  path: z.array(sha256).max(64),
});

const proofSchema = z.strictObject({
  format: z.literal(PROOF_FORMAT),
  receipt: receiptSchema,
  batch: batchProofSchema.exactOptional(),
});

/** The bytes of a proof file: RFC 8785, UTF-8, and a newline. */
export function serializeProof(proof: ReceiptProof): Uint8Array {
  return encodeUtf8(`${canonicalJson(proof)}\n`);
}

/**
 * Parses a proof file: exactly its fields, and exactly the bytes of {@link serializeProof}. Nothing is
 * verified here.
 * @param what names the file in the message.
 * @throws {InputError} `invalid-receipt`, `invalid-json` or `invalid-utf8`.
 */
export function parseProof(bytes: Uint8Array, what: string): ReceiptProof {
  const text = decodeUtf8(bytes, what);
  const parsed = proofSchema.safeParse(parseJson(text, what));
  if (!parsed.success) throw notAProof(what, describeIssues(parsed.error));
  const { format, receipt, batch } = parsed.data;
  if (`${canonicalJson(parsed.data)}\n` !== text) {
    throw notAProof(what, 'it is not canonical JSON (RFC 8785) and a newline');
  }
  if (receipt.format !== BATCHED_FORMAT) {
    if (batch === undefined) return { format, receipt };
    throw notAProof(what, 'a receipt with a signature of its own is of no batch');
  }
  if (batch === undefined) throw notAProof(what, 'the batch of the receipt is missing');
  if (endsBatch(receipt)) throw notAProof(what, 'the signature of a batch stands in "batch"');
  return { format, receipt, batch };
}

function notAProof(what: string, problem: string): InputError {
  return new InputError('invalid-receipt', `${what} is not a proof of a receipt: ${problem}`);
}
