import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { verifyStoredChain } from '../../../engine/provenance/store.ts';
import type { ChainTip, Receipt } from '../../../engine/provenance/types.ts';
import { crypto, TRUST, tipOf } from './fixtures.ts';

process.setMaxListeners(1_000);

/** A folder that is removed when the tests of this file have ended. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-receipts-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function openChain(folder: string, lockWaitMs?: number) {
  const options = lockWaitMs === undefined ? {} : { lockWaitMs };
  return fileReceiptStore(crypto, folder, options).open('call');
}

/** Writes the files of the chain `call` as they are given. */
export function writeChain(folder: string, bytes: Uint8Array, tip?: ChainTip | string): void {
  writeFileSync(join(folder, 'call.jsonl'), bytes);
  const tipFile = join(folder, 'call.tip.json');
  if (tip === undefined) rmSync(tipFile, { force: true });
  else writeFileSync(tipFile, typeof tip === 'string' ? tip : `${JSON.stringify(tip)}\n`);
}

export function chainFile(folder: string): Uint8Array {
  return new Uint8Array(readFileSync(join(folder, 'call.jsonl')));
}

/** Asserts that the chain in `folder` is valid, and answers its receipts. */
export async function validReceipts(folder: string): Promise<Receipt[]> {
  const receipts: Receipt[] = [];
  const chain = openChain(folder);
  const verdict = await verifyStoredChain(crypto, chain, TRUST, (r) => receipts.push(r));
  assert.equal(verdict.verdict, 'valid', verdict.detail);
  return receipts;
}

/** Asserts that every acknowledged tip (`epoch hash`) is in the chain. */
export function assertHolds(receipts: readonly Receipt[], acknowledged: readonly string[]): void {
  const present = new Set(receipts.map(tipOf).map(({ epoch, hash }) => `${epoch} ${hash}`));
  for (const tip of acknowledged) assert.ok(present.has(tip), `acknowledged and lost: ${tip}`);
}

/** Bundles the appender, so that starting it takes little time. */
export async function bundleAppender(): Promise<string> {
  const outfile = join(temporaryFolder(), 'appender.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('store-appender.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'], // the other build of jsonc-parser cannot be bundled
    outfile,
  });
  return outfile;
}
