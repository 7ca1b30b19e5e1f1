import type { PublicKey, Signer } from '../../../engine/crypto/crypto.ts';
import { signerFromSeed } from '../../../engine/crypto/keys.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import { makeTrustStore } from '../../../engine/gate/trust-store.ts';
import type { TrustStore } from '../../../engine/gate/types.ts';
import { nodeCrypto } from '../../../engine/platform/node/crypto.ts';
import { buildContent, type RunFacts } from '../../../engine/provenance/build.ts';
import { PHASES, serializeReceipt } from '../../../engine/provenance/receipt.ts';
import { RECEIPT_FORMAT } from '../../../engine/provenance/receipt-format.ts';
import { writeReceipts } from '../../../engine/provenance/record.ts';
import type { Appended, ReceiptChain } from '../../../engine/provenance/store.ts';
import type {
  ChainTip,
  Receipt,
  ReceiptContent,
  SignedReceipt,
} from '../../../engine/provenance/types.ts';
import { WrittenReceipt } from '../../../engine/provenance/written.ts';

export const crypto = nodeCrypto;

/** A signer whose seed is 32 times `byte`. */
export function signer(byte: number): Signer {
  return signerFromSeed(crypto, new Uint8Array(32).fill(byte));
}

export const ENVIRONMENT = signer(1);

export function trusting(...keys: readonly PublicKey[]): TrustStore {
  return makeTrustStore(keys.map((key) => ({ key, role: 'environment' })));
}

export const TRUST = trusting(ENVIRONMENT.publicKey);

export function hashOf(text: string) {
  return crypto.sha256(encodeUtf8(text));
}

/** The facts of a run; `n` makes runs that differ. */
export function facts(n = 0, more: Partial<RunFacts> = {}): RunFacts {
  return {
    executor: 'call@1.0.0',
    admitted: {
      artifactHash: hashOf('artifact'),
      certificateHash: hashOf('certificate'),
      purityMethod: 'wasm_certified',
      tier: 1,
      whitelistHash: hashOf('whitelist'),
    },
    inputHash: hashOf(`input ${n}`),
    outcome: {
      output: encodeUtf8(`{"result":${n}}`),
      fuel: { limit: 50_000_000, used: 1_204 + n },
    },
    decisions: [
      {
        directive: { type: 'broadcast', event: n },
        hash: hashOf(`directive ${n}`),
        decision: 'recorded',
        stage: 'execute',
        reason: 'NoHandler(broadcast)',
      },
    ],
    status: 'ok',
    completed: PHASES,
    ...more,
  };
}

/** What a receipt of run `n` says. */
export function contentOf(
  tip: ChainTip | undefined,
  n = 0,
  more: Partial<RunFacts> = {},
  by: Signer = ENVIRONMENT,
): ReceiptContent {
  return buildContent(crypto, facts(n, more), tip, by.publicKey.keyId);
}

export async function signContent(
  content: ReceiptContent,
  by: Signer = ENVIRONMENT,
): Promise<SignedReceipt> {
  const [written] = await writeReceipts(crypto, 'each', [() => content], undefined, by);
  if (written?.receipt.format !== RECEIPT_FORMAT)
    throw new TypeError('one receipt was to be signed');
  return written.receipt;
}

export function makeReceipt(
  tip: ChainTip | undefined,
  n = 0,
  by: Signer = ENVIRONMENT,
  more: Partial<RunFacts> = {},
): Promise<SignedReceipt> {
  return signContent(contentOf(tip, n, more, by), by);
}

export function tipOf(receipt: Receipt): ChainTip {
  return { epoch: receipt.epoch, hash: crypto.sha256(serializeReceipt(receipt)) };
}

/** The receipts of a chain of `length` different runs. */
export async function makeChain(
  length: number,
  by: Signer = ENVIRONMENT,
): Promise<SignedReceipt[]> {
  const receipts: SignedReceipt[] = [];
  let tip: ChainTip | undefined;
  for (let n = 0; n < length; n++) {
    const receipt = await makeReceipt(tip, n, by);
    receipts.push(receipt);
    tip = tipOf(receipt);
  }
  return receipts;
}

/** The chain file of receipts. */
export function chainBytes(receipts: readonly Receipt[]): Uint8Array {
  const newline = Uint8Array.of(0x0a);
  return new Uint8Array(
    Buffer.concat(receipts.flatMap((receipt) => [serializeReceipt(receipt), newline])),
  );
}

/** Appends the one receipt that `make` answers. */
export async function appendOne(
  chain: ReceiptChain,
  make: (tip: ChainTip | undefined) => Receipt | Promise<Receipt>,
): Promise<Appended> {
  const [appended] = await chain.append(async (tip) => [
    WrittenReceipt.of(crypto, await make(tip)),
  ]);
  if (appended === undefined) throw new TypeError('one receipt was appended, and none answered');
  return appended;
}

/** Appends the receipt of run `n`. */
export function appendRun(chain: ReceiptChain, n: number): Promise<Appended> {
  return appendOne(chain, (tip) => makeReceipt(tip, n));
}

export async function readAll(chain: ReceiptChain): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of chain.read()) pieces.push(piece);
  return new Uint8Array(Buffer.concat(pieces));
}
