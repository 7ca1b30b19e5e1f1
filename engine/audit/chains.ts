import type { Crypto, KeyId, Sha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import type { TrustStore } from '../gate/types.ts';
import { type ChainVerdict, createChainVerifier } from '../provenance/chain.ts';
import { splitLines } from '../provenance/lines.ts';
import { MAX_RECEIPT_BYTES, parseReceipt } from '../provenance/receipt.ts';
import type { ChainTip, Receipt } from '../provenance/types.ts';
import type { AuditedChain } from './sources.ts';

/** A chain that was read to its end, or to where it stops to hold. */
export interface ChainReading {
  readonly source: AuditedChain;
  /** Why the chain or its tip could not be read; a chain is verified without such a tip. */
  readonly unreadable?: InputError;
  readonly unreadableTip?: InputError;
  readonly verdict: ChainVerdict | undefined;
  readonly hasTip: boolean;
  /** Who signed what stands where an `invalid-signature` is, if it is a receipt at all. */
  readonly signer?: KeyId;
}

/**
 * Verifies a chain in one pass, one line or batch in memory.
 * @param onReceipt is given each receipt that holds, in order.
 */
export async function readChain(
  crypto: Crypto,
  source: AuditedChain,
  trust: TrustStore,
  onReceipt: (receipt: Receipt) => void,
): Promise<ChainReading> {
  // The tip is read first: a receipt appended meanwhile then makes the chain longer, never too short.
  const tip = await tipOf(source);
  const read = {
    source,
    hasTip: tip !== undefined,
    ...(tip instanceof InputError && { unreadableTip: tip }),
  };
  const expectedTip = tip instanceof InputError ? undefined : tip;
  const verifier = createChainVerifier(crypto, trust, { expectedTip, onReceipt });
  try {
    for await (const piece of source.read()) {
      if (!verifier.write(piece)) break;
    }
    const verdict = verifier.end();
    if (verdict.verdict !== 'invalid-signature') return { ...read, verdict };
    const signer = await signerAt(source, verdict.epoch);
    return { ...read, verdict, ...(signer !== undefined && { signer }) };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return { ...read, verdict: undefined, unreadable: error };
  }
}

async function tipOf(source: AuditedChain): Promise<ChainTip | InputError | undefined> {
  try {
    return await source.tip();
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

async function signerAt(source: AuditedChain, place: number): Promise<KeyId | undefined> {
  let signer: KeyId | undefined;
  await eachLine(source, (line, at) => {
    if (at === place) signer = tryParse(line)?.signer;
    return at < place;
  });
  return signer;
}

/** A receipt that was looked for by its hash. */
export interface FoundReceipt {
  readonly hash: Sha256;
  readonly receipt: Receipt;
}

/**
 * Looks for receipts in the part of a chain that holds.
 * @param wanted their hashes.
 */
export async function findReceipts(
  crypto: Crypto,
  { source, verdict }: ChainReading,
  wanted: ReadonlySet<Sha256>,
  onFound: (found: FoundReceipt) => void,
): Promise<void> {
  const holds = verdict?.holds ?? 0;
  if (wanted.size === 0 || holds === 0) return;
  await eachLine(source, (line, place) => {
    const hash = crypto.sha256(line);
    const receipt = wanted.has(hash) ? tryParse(line) : undefined;
    if (receipt !== undefined) onFound({ hash, receipt });
    return place + 1 < holds;
  });
}

/** @param onLine is given each line and its place, from 0; answers whether to go on. */
async function eachLine(
  source: AuditedChain,
  onLine: (line: Uint8Array, place: number) => boolean,
): Promise<void> {
  let place = 0;
  const lines = splitLines(MAX_RECEIPT_BYTES, (line) => onLine(line, place++));
  for await (const piece of source.read()) {
    if (!lines.write(piece)) break;
  }
}

function tryParse(line: Uint8Array): Receipt | undefined {
  try {
    return parseReceipt(line, 'a line');
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}
