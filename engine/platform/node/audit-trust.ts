import { join } from 'node:path';
import { parsePublicKeyPem } from '../../crypto/keys.ts';
import { displayText } from '../../encoding/display.ts';
import { decodeUtf8 } from '../../encoding/utf8.ts';
import { EMPTY_TRUST_STORE, parseTrustStore } from '../../gate/trust-store.ts';
import type { TrustStore } from '../../gate/types.ts';
import { readRegularFile } from './audit-reading.ts';
import { nodeCrypto } from './crypto.ts';
import { isMissingFile, MAX_DOCUMENT_BYTES } from './files.ts';
import { KEY_FILE, withEnvironment } from './own-environment.ts';

/** Whom an audited folder itself says to trust: its own word, and no more. */
export interface OwnTrust {
  readonly store: TrustStore;
  /** The files that say so; null where there are none. */
  readonly source: string | null;
}

const STORES = ['trust.json', '.touchstone/trust.json'];
const ENVIRONMENT_KEYS = [`${KEY_FILE}.pub`, `.touchstone/${KEY_FILE}.pub`];

/**
 * The trust store of an audited folder, in it or in its `.touchstone`, and the key of its environment.
 * @throws {InputError} `unreadable`, `too-large`, `invalid-trust-store` or `invalid-key`.
 */
export async function ownTrustOf(folder: string): Promise<OwnTrust> {
  let store: TrustStore | undefined;
  const sources: string[] = [];
  for (const name of STORES) {
    const bytes = await readIfPresent(folder, name);
    if (bytes === undefined || store !== undefined) continue;
    store = parseTrustStore(nodeCrypto, bytes, displayText(join(folder, name), 500));
    sources.push(name);
  }
  for (const name of ENVIRONMENT_KEYS) {
    const bytes = await readIfPresent(folder, name);
    if (bytes === undefined) continue;
    const what = displayText(join(folder, name), 500);
    const key = parsePublicKeyPem(nodeCrypto, decodeUtf8(bytes, what), what);
    store = withEnvironment(store ?? EMPTY_TRUST_STORE, key);
    sources.push(name);
  }
  return { store: store ?? EMPTY_TRUST_STORE, source: sources.join(' and ') || null };
}

async function readIfPresent(folder: string, name: string): Promise<Uint8Array | undefined> {
  const path = join(folder, name);
  try {
    return await readRegularFile(path, MAX_DOCUMENT_BYTES, path);
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
}
