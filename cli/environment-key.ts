import { join } from 'node:path';
import type { PublicKey, Signer } from '../engine/crypto/crypto.ts';
import {
  parsePrivateKeyPem,
  parsePublicKeyPem,
  privateKeyPem,
  publicKeyPem,
  signerFromSeed,
} from '../engine/crypto/keys.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import { makeTrustStore } from '../engine/gate/trust-store.ts';
import type { TrustStore } from '../engine/gate/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { createFile, readTextFileIfPresent } from '../engine/platform/node/files.ts';
import { message } from './terminal.ts';
import { workspaceFile } from './workspace.ts';

const KEY_FILE = 'environment.pem';

/** What git must not take of `.touchstone`: the key, and receipts, which every machine has of its own. */
const IGNORED = `${KEY_FILE}\nreceipts/\n`;

/** The key that signs this workspace's receipts; made, and said to be made, on the first run. */
export async function environmentSigner(): Promise<Signer> {
  const file = workspaceFile(KEY_FILE);
  const text = await readTextFileIfPresent(file);
  if (text !== undefined) return parsePrivateKeyPem(nodeCrypto, text, displayText(file, 500));
  const seed = nodeCrypto.randomBytes(32);
  const signer = signerFromSeed(nodeCrypto, seed);
  await createFile(workspaceFile('.gitignore'), IGNORED, 0o644).catch(() => undefined);
  await createFile(file, privateKeyPem(seed), 0o600);
  await createFile(`${file}.pub`, publicKeyPem(signer.publicKey), 0o644);
  message(
    `Made this workspace's environment key ${shortHash(signer.publicKey.keyId)}…, which signs its receipts: ${join('.touchstone', KEY_FILE)}`,
  );
  return signer;
}

/** A trust store in which this workspace's own environment key counts too, if there is one. */
export async function withOwnEnvironment(
  store: TrustStore,
): Promise<{ readonly trust: TrustStore; readonly own: PublicKey | undefined }> {
  const file = `${workspaceFile(KEY_FILE)}.pub`;
  const text = await readTextFileIfPresent(file);
  if (text === undefined) return { trust: store, own: undefined };
  const own = parsePublicKeyPem(nodeCrypto, text, displayText(file, 500));
  if (store.find(own.keyId, 'environment') !== undefined) return { trust: store, own };
  const trust = makeTrustStore([...store.keys, { key: own, role: 'environment' }]);
  return { trust, own };
}
