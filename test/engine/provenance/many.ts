import type { Crypto, Signer } from '../../../engine/crypto/crypto.ts';
import { buildContent } from '../../../engine/provenance/build.ts';
import { type Signing, writeReceipts } from '../../../engine/provenance/record.ts';
import type { ReceiptChain } from '../../../engine/provenance/store.ts';
import { crypto, ENVIRONMENT, facts } from './fixtures.ts';

function appendAll(
  chain: ReceiptChain,
  runs: readonly number[],
  signing: Signing,
  by: Signer,
  using: Crypto,
) {
  const makes = runs.map(
    (n) => (tip: Parameters<typeof buildContent>[2]) =>
      buildContent(using, facts(n), tip, by.publicKey.keyId),
  );
  return chain.append((tip) => writeReceipts(using, signing, makes, tip, by));
}

/** Appends the receipts of runs in one batch. */
export function appendBatch(
  chain: ReceiptChain,
  runs: readonly number[],
  by: Signer = ENVIRONMENT,
  using: Crypto = crypto,
) {
  return appendAll(chain, runs, 'batch', by, using);
}

/** Appends the receipts of runs together, each signed by itself. */
export function appendEach(
  chain: ReceiptChain,
  runs: readonly number[],
  by: Signer = ENVIRONMENT,
  using: Crypto = crypto,
) {
  return appendAll(chain, runs, 'each', by, using);
}
