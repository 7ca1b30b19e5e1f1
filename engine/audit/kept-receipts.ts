import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import type { TrustStore } from '../gate/types.ts';
import { signatureProblem } from '../provenance/environment.ts';
import { parseProof, type ReceiptProof, verifyProof } from '../provenance/proof.ts';
import { parseReceipt, RECEIPT_FORMAT, serializeReceipt } from '../provenance/receipt.ts';
import { receiptMessage } from '../provenance/sign.ts';
import type { Receipt } from '../provenance/types.ts';
import type { Findings } from './findings.ts';
import type { AuditedFile } from './sources.ts';

/** A receipt that lies outside of its chain, by its name. */
export interface KeptReceipt extends Pick<Receipt, 'epoch' | 'executor' | 'signer'> {
  readonly file: string;
  /** SHA-256 of its line in its chain. */
  readonly hash: Sha256;
}

/** What was read of such a file. */
export interface KeptReading {
  readonly about: KeptReceipt;
  readonly receipt: Receipt;
  /** Whether its own signature shows who signed it, without an attestation that names it. */
  readonly isProven: boolean;
}

const NEWLINE = 0x0a;

/** The receipt in a `*.receipt.json`: canonical bytes, with a newline or without. */
export async function readKeptReceipt(
  crypto: Crypto,
  { file, read }: AuditedFile,
  trust: TrustStore,
  findings: Findings,
): Promise<KeptReading | undefined> {
  try {
    const bytes = await read();
    const line = bytes.at(-1) === NEWLINE ? bytes.subarray(0, -1) : bytes;
    const receipt = parseReceipt(line, displayText(file, 300));
    const isSigned =
      receipt.format === RECEIPT_FORMAT &&
      signatureProblem(crypto, trust, receipt, receiptMessage(receipt)) === undefined;
    return { about: aboutOf(crypto, file, receipt, line), receipt, isProven: isSigned };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    findings.add('unreadable-file', { file }, error.message);
    return undefined;
  }
}

/** The receipt that a proof is of, where the proof holds. */
export async function readProvenReceipt(
  crypto: Crypto,
  { file, read }: AuditedFile,
  trust: TrustStore,
  findings: Findings,
): Promise<KeptReading | undefined> {
  try {
    const proof = parseProof(await read(), displayText(file, 300));
    const { verdict, detail, epoch } = verifyProof(crypto, proof, trust);
    if (verdict !== 'valid') {
      findings.add('proof-invalid', { file, epoch }, `the proof does not hold: ${detail}`);
      return undefined;
    }
    const receipt = lineOf(proof);
    const line = serializeReceipt(receipt);
    return { about: aboutOf(crypto, file, receipt, line), receipt, isProven: true };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    findings.add('unreadable-file', { file }, error.message);
    return undefined;
  }
}

/** The receipt as it stands in its chain: the last one of a batch carries the signature there. */
function lineOf(proof: ReceiptProof): Receipt {
  if (!('batch' in proof)) return proof.receipt;
  const { receipt, batch } = proof;
  const { index } = receipt.batch;
  if (index + 1 !== batch.head.count) return receipt;
  return { ...receipt, batch: { index, root: batch.head.root, signature: batch.signature } };
}

function aboutOf(crypto: Crypto, file: string, receipt: Receipt, line: Uint8Array): KeptReceipt {
  const { epoch, executor, signer } = receipt;
  return { file, hash: crypto.sha256(line), epoch, signer, executor: displayText(executor, 200) };
}

/** What a message calls a kept receipt. */
export function nameKept({ epoch, executor, hash }: KeptReceipt): string {
  return `receipt ${epoch} of ${executor} (${shortHash(hash)}…)`;
}
