import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { InputError } from '../encoding/input-error.ts';
import type { Findings } from './findings.ts';
import type { AuditedFile } from './sources.ts';

/** Modules of so many bytes together are hashed. */
const MAX_BYTES = 2_147_483_648;

/** The modules of a folder by what they are. None of them is run, or compiled. */
export interface Modules {
  /** The file of the module with this hash. */
  fileOf(hash: Sha256): string | undefined;
  /** The hash of the module in a file. */
  hashOf(file: string): Sha256 | undefined;
  /** Reads the module with this hash again: there are too many to keep. */
  read(hash: Sha256): Promise<Uint8Array | undefined>;
}

export async function hashModules(
  crypto: Crypto,
  files: readonly AuditedFile[],
  findings: Findings,
): Promise<Modules> {
  const byHash = new Map<Sha256, AuditedFile>();
  const hashes = new Map<string, Sha256>();
  let bytesLeft = MAX_BYTES;
  for (const file of files) {
    bytesLeft -= file.size;
    if (bytesLeft < 0) {
      const message = `modules from here on are not looked at: there are more than ${MAX_BYTES} bytes of them`;
      findings.add('not-searched', { file: file.file }, message);
      break;
    }
    const bytes = await tryRead(file, findings);
    if (bytes === undefined) continue;
    const hash = crypto.sha256(bytes);
    hashes.set(file.file, hash);
    if (!byHash.has(hash)) byHash.set(hash, file);
  }
  return {
    fileOf: (hash) => byHash.get(hash)?.file,
    hashOf: (file) => hashes.get(file),
    read: async (hash) => {
      const file = byHash.get(hash);
      return file && tryRead(file, findings);
    },
  };
}

async function tryRead(file: AuditedFile, findings: Findings): Promise<Uint8Array | undefined> {
  try {
    return await file.read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    findings.add('unreadable-file', { file: file.file }, error.message);
    return undefined;
  }
}
