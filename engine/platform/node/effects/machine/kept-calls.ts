import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serializeAttestation } from '../../../../attestation/record.ts';
import type { AttestationRecord } from '../../../../attestation/types.ts';
import type { Sha256 } from '../../../../crypto/crypto.ts';
import { serializeReceipt } from '../../../../provenance/receipt.ts';
import type { Receipt } from '../../../../provenance/types.ts';
import { unwritable, writeFileAtomic } from '../../files.ts';

/**
 * Keeps what another organisation attested of a call, so that the call can be followed from files alone:
 * `<hash>.attestation.json` and `<hash>.receipt.json`, where `hash` is that of the record, which the
 * caller's own receipt names.
 * @throws {InputError} `unwritable`.
 */
export async function keepCall(
  folder: string,
  hash: Sha256,
  record: AttestationRecord,
  receipt: Receipt,
): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause) => {
    throw unwritable(folder, cause);
  });
  await writeFileAtomic(join(folder, `${hash}.receipt.json`), serializeReceipt(receipt));
  await writeFileAtomic(join(folder, `${hash}.attestation.json`), serializeAttestation(record));
}
