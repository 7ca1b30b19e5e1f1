// Receipts, attestations and proofs that no honest run leaves, signed by an organisation's own key.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  attest,
  attestationHash,
  serializeAttestation,
} from '../../../engine/attestation/record.ts';
import type { AttestationFacts, AttestationRecord } from '../../../engine/attestation/types.ts';
import { parseCertificate } from '../../../engine/certificate/parse.ts';
import type { Sha256 } from '../../../engine/crypto/crypto.ts';
import { encodeUtf8 } from '../../../engine/encoding/utf8.ts';
import type { Decision } from '../../../engine/governance/types.ts';
import { fileReceiptStore } from '../../../engine/platform/node/receipt-store.ts';
import type { RunFacts } from '../../../engine/provenance/build.ts';
import { parseReceipt } from '../../../engine/provenance/receipt.ts';
import type { Appended } from '../../../engine/provenance/store.ts';
import type { Receipt } from '../../../engine/provenance/types.ts';
import { descriptor } from '../attestation/fixtures.ts';
import { appendOne, hashOf, makeReceipt } from '../provenance/fixtures.ts';
import { crypto, type Evidence, moduleNamed, type Organisation, write } from './evidence.ts';

export { hashOf };

/** The lines of a chain, without newlines. */
export function linesOf({ receipts }: Organisation, chain: string): readonly string[] {
  return readFileSync(join(receipts, `${chain}.jsonl`), 'utf8')
    .trimEnd()
    .split('\n');
}

export function receiptsOf(where: Organisation, chain: string): readonly Receipt[] {
  return linesOf(where, chain).map((line) => parseReceipt(encodeUtf8(line), 'it'));
}

/** The hash of a receipt in a chain; of the last one unless an epoch is given. */
export function hashIn(where: Organisation, chain: string, epoch = -1): Sha256 {
  return crypto.sha256(encodeUtf8(linesOf(where, chain).at(epoch) ?? ''));
}

/** Appends a receipt that says whatever it is told to, of an executor that has run before. */
export function appendCrafted(
  where: Organisation,
  chain: string,
  more: Partial<RunFacts>,
): Promise<Appended> {
  const [first] = receiptsOf(where, chain);
  if (first === undefined) throw new TypeError('there is no receipt to go by');
  const facts = { executor: first.executor, admitted: first, ...more };
  const stored = fileReceiptStore(crypto, where.receipts).open(chain);
  return appendOne(stored, (tip) => makeReceipt(tip, 0, where.signer, facts));
}

/** What became of a directive, as a receipt is to tell it. */
export function decided(entry: Omit<Decision, 'directive' | 'hash' | 'stage'>): Decision {
  const directive = { type: 'call_machine', machine: 'x', inputs: {} };
  return { directive, hash: hashOf('directive'), stage: 'execute', ...entry };
}

/** An attestation by an organisation about its own executor; in the folder `calls` of the caller. */
export async function attestCrafted(
  { folder, travel }: Evidence,
  by: Organisation,
  name: string,
  more: Partial<AttestationFacts>,
): Promise<{ readonly record: AttestationRecord; readonly file: string; readonly hash: Sha256 }> {
  const certificate = readFileSync(join(folder, by.name, 'build', `${name}.wasm.purity.json`));
  const record = await attest(
    crypto,
    {
      certificate: parseCertificate(certificate, name).certificate,
      executor: `${name}@1.0.0`,
      environment: descriptor(),
      receipts: [hashIn(by, name)],
      ...more,
    },
    by.signer,
  );
  const file = `${travel.name}/calls/crafted.attestation.json`;
  write(join(folder, file), serializeAttestation(record));
  return { record, file, hash: attestationHash(crypto, record) };
}

export const artifactOf = (name: string): Sha256 => crypto.sha256(moduleNamed(name));
