// Receipts a second, from the facts of a run to the line of the chain: signed one by one against the
// native signature alone, signed in batches against the one SHA-256 of its bytes that a receipt cannot
// do without. Then the same with durable writes.

import { createPrivateKey, hash, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyPem, signerFromSeed } from '../engine/crypto/keys.ts';
import { encodeUtf8 } from '../engine/encoding/utf8.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { fileReceiptStore } from '../engine/platform/node/receipt-store.ts';
import { buildContent, type RunFacts } from '../engine/provenance/build.ts';
import { PHASES } from '../engine/provenance/receipt.ts';
import { type MakeContent, type Signing, writeReceipts } from '../engine/provenance/record.ts';
import { toLines } from '../engine/provenance/store.ts';
import { printReport } from './report.ts';
import { inBlocks, medianRatio, ONCE, quantile } from './turns.ts';

/** Receipts that are recorded together. */
const GROUP = 1_024;
const ROUNDS = 30;

const hashOf = (text: string) => nodeCrypto.sha256(encodeUtf8(text));
const seed = nodeCrypto.randomBytes(32);
const signer = signerFromSeed(nodeCrypto, seed);
const privateKey = createPrivateKey(privateKeyPem(seed));

const admitted: RunFacts['admitted'] = {
  artifactHash: hashOf('artifact'),
  certificateHash: hashOf('certificate'),
  purityMethod: 'wasm_certified',
  tier: 1,
  whitelistHash: hashOf('whitelist'),
};
const makes: readonly MakeContent[] = Array.from({ length: GROUP }, (_, n) => {
  const facts: RunFacts = {
    executor: 'call@1.0.0',
    admitted,
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
  };
  return (tip) => buildContent(nodeCrypto, facts, tip, signer.publicKey.keyId);
});
const [first] = await writeReceipts(nodeCrypto, 'each', makes.slice(0, 1), undefined, signer);
const line = first?.bytes ?? new Uint8Array(1_000);

const floors = {
  each: () => {
    for (let i = 0; i < GROUP; i++) sign(null, line, privateKey);
  },
  batch: () => {
    for (let i = 0; i < GROUP; i++) hash('sha256', line, 'hex');
  },
} satisfies Record<Signing, () => void>;

const folder = mkdtempSync(join(tmpdir(), 'touchstone-bench-'));
const rows: (string | number)[][] = [];
try {
  for (const signing of ['each', 'batch'] as const) {
    const chain = fileReceiptStore(nodeCrypto, folder).open(signing);
    const subjects = {
      written: async () => {
        toLines(await writeReceipts(nodeCrypto, signing, makes, undefined, signer));
      },
      durable: async () => {
        await chain.append((tip) => writeReceipts(nodeCrypto, signing, makes, tip, signer));
      },
    };
    for (const [name, subject] of Object.entries(subjects)) {
      const runs = [async () => floors[signing](), subject];
      await inBlocks(runs, 3, ONCE);
      const [floor = [], times = []] = await inBlocks(runs, ROUNDS, ONCE);
      rows.push([
        `${signing === 'each' ? 'one by one' : 'in batches'}, ${name}`,
        aSecond(quantile(floor, 0.5)),
        aSecond(quantile(times, 0.5)),
        aSecond(quantile(times, 0.1)),
        medianRatio(times, floor).toFixed(2),
      ]);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** How many receipts a second are made where a group of them takes so many microseconds. */
function aSecond(microseconds: number): string {
  return Math.round((GROUP * 1e6) / microseconds).toLocaleString('en-US');
}

printReport({
  name: 'receipts',
  columns: ['signed', 'floor /s', 'receipts /s', 'undisturbed /s', 'ratio'],
  rows,
  note: `${line.length} bytes a receipt, ${GROUP} at once. Floor: the native Ed25519 signature alone, or the native
SHA-256 alone of one receipt; ratio: median of the time of a receipt / the floor's, turn by turn;
undisturbed: of the fastest tenth. Bounds: 10,000 receipts a second one by one, 100,000 in batches.`,
});
