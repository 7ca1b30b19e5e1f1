import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { signAttestationStatement } from '../../../engine/attestation/statement.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import { proveReceipt, serializeProof } from '../../../engine/provenance/proof.ts';
import { flipBit } from '../../support/bytes.ts';
import { attestCrafted } from './crafted.ts';
import { crypto, evidence, write } from './evidence.ts';
import { auditOf, codesOf, told } from './support.ts';

/** How far into a file. */
const share = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

/** The files of a folder, from it, in order. */
function filesOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();
}

test('a changed bit in any file of any kind is found', async (t) => {
  const here = await evidence(t);
  const { folder, travel } = here;
  const { record } = await attestCrafted(here, here.hotel, 'hotel', {});
  write(
    join(folder, 'stated.attestation.intoto.json'),
    await signAttestationStatement(record, here.hotel.signer),
  );
  const chain = fileReceiptStore(crypto, travel.receipts).open('travel');
  write(join(folder, 'proof.json'), serializeProof(await proveReceipt(crypto, chain, 1)));
  assert.deepEqual(codesOf(await auditOf(here)), []);
  const files = filesOf(folder);
  assert.ok(files.length >= 20, `${files.length} files`);
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), share, async (file, at) => {
      const path = join(folder, file);
      const bytes = new Uint8Array(readFileSync(path));
      const changed = flipBit(bytes, Math.floor(at * bytes.length * 8));
      write(path, changed);
      try {
        const report = await auditOf(here);
        // A document under any name is one as long as it says so: then nothing is shown by it any more.
        const isGone = file === 'proof.json' && report.files.proofs === 0;
        assert.equal(report.holds, isGone, `${file} at ${at}: ${told(report)}`);
        for (const code of codesOf(report)) kinds.add(code);
      } finally {
        write(path, bytes);
      }
    }),
    { numRuns: files.length * 8 },
  );
  t.diagnostic(`${files.length} files, ${kinds.size} kinds of findings: ${[...kinds].join(', ')}`);
});

test('nothing in the folder changes', async (t) => {
  const here = await evidence(t);
  const state = () =>
    filesOf(here.folder).map((file) => {
      const path = join(here.folder, file);
      const { mtimeMs, mode, size } = statSync(path);
      return [file, mtimeMs, mode, size, crypto.sha256(readFileSync(path))];
    });
  const before = state();
  await auditOf(here, { all: true });
  assert.deepEqual(state(), before);
});
