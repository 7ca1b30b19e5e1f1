// The environment that runs executors in a workspace, as `.touchstone` there tells of it.

import { join } from 'node:path';
import type { PublicKey } from '../../crypto/crypto.ts';
import { parsePublicKeyPem } from '../../crypto/keys.ts';
import { displayText } from '../../encoding/display.ts';
import { makeTrustStore } from '../../gate/trust-store.ts';
import type { TrustStore } from '../../gate/types.ts';
import { nodeCrypto } from './crypto.ts';
import { createFile, readTextFileIfPresent } from './files.ts';

/** The name of the key's file in `.touchstone`; its public half lies beside it, in `.pub`. */
export const KEY_FILE = 'environment.pem';

/** What git must not take of `.touchstone`: what every machine has of its own, above all the key. */
const IGNORED = `${KEY_FILE}\nreceipts/\nnonces/\nattestations/\n*.sqlite*\n`;

/** Tells git to leave out what is this machine's own, unless the workspace has its say already. */
export async function ignoreOwnState(workspace: string): Promise<void> {
  const file = join(workspace, '.touchstone', '.gitignore');
  await createFile(file, IGNORED, 0o644).catch(() => undefined);
}

/**
 * The public key of a workspace's own environment; `undefined` where the command line has run nothing.
 * @throws {InputError} `invalid-key`, `invalid-utf8` or `unreadable`.
 */
export async function ownEnvironment(workspace: string): Promise<PublicKey | undefined> {
  const file = join(workspace, '.touchstone', `${KEY_FILE}.pub`);
  const text = await readTextFileIfPresent(file);
  return text === undefined
    ? undefined
    : parsePublicKeyPem(nodeCrypto, text, displayText(file, 500));
}

/** A trust store in which a key counts as an environment's too, unless it has an entry as one already. */
export function withEnvironment(store: TrustStore, key: PublicKey | undefined): TrustStore {
  if (key === undefined || store.find(key.keyId, 'environment') !== undefined) return store;
  return makeTrustStore([...store.keys, { key, role: 'environment' }]);
}
