import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PublicKey, Signer } from '../engine/crypto/crypto.ts';
import {
  parsePrivateKeyPem,
  privateKeyPem,
  publicKeyPem,
  signerFromSeed,
} from '../engine/crypto/keys.ts';
import { displayText, shortHash } from '../engine/encoding/display.ts';
import type { TrustStore } from '../engine/gate/types.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import { createFile, readTextFileIfPresent } from '../engine/platform/node/files.ts';
import {
  ignoreOwnState,
  KEY_FILE,
  ownEnvironment as ownEnvironmentOf,
  withEnvironment,
} from '../engine/platform/node/own-environment.ts';
import { message } from './terminal.ts';
import { workspaceFile, workspaceRoot } from './workspace.ts';

/** How long another run may take to write the key that it has begun to make. */
const PATIENCE_MS = 2_000;

/** The key that signs this workspace's receipts; made, and said to be made, on the first run. */
export async function environmentSigner(): Promise<Signer> {
  const file = workspaceFile(KEY_FILE);
  const known = await readSigner(file);
  if (known !== undefined) {
    await writePublicKey(file, known);
    return known;
  }
  try {
    return await makeSigner(file);
  } catch (error) {
    // Two first runs at once both find no key; the slower one takes the key of the faster.
    const theirs = await readSigner(file);
    if (theirs === undefined) throw error;
    return theirs;
  }
}

/** The key in a file, waiting for whoever has made the file and not written to it yet. */
async function readSigner(file: string): Promise<Signer | undefined> {
  const end = performance.now() + PATIENCE_MS;
  let text = await readTextFileIfPresent(file);
  while (text === '' && performance.now() < end) {
    await sleep(20);
    text = await readTextFileIfPresent(file);
  }
  return text === undefined
    ? undefined
    : parsePrivateKeyPem(nodeCrypto, text, displayText(file, 500));
}

async function makeSigner(file: string): Promise<Signer> {
  const seed = nodeCrypto.randomBytes(32);
  const signer = signerFromSeed(nodeCrypto, seed);
  await ignoreOwnState(workspaceRoot());
  await createFile(file, privateKeyPem(seed), 0o600);
  await writePublicKey(file, signer);
  message(
    `Made this workspace's environment key ${shortHash(signer.publicKey.keyId)}…, which signs its receipts:\n  ${join('.touchstone', KEY_FILE)}`,
  );
  return signer;
}

/** Verifying needs the public key by itself; a run that broke off may have left the private one alone. */
async function writePublicKey(file: string, { publicKey }: Signer): Promise<void> {
  const path = `${file}.pub`;
  if (existsSync(path)) return;
  await createFile(path, publicKeyPem(publicKey), 0o644).catch((error) => {
    if (!existsSync(path)) throw error; // else another run wrote it at the same time
  });
}

/** The public key of this workspace's environment; `undefined` where nothing has run yet. */
export function ownEnvironment(): Promise<PublicKey | undefined> {
  return ownEnvironmentOf(workspaceRoot());
}

/** A trust store in which this workspace's own environment key counts too, if there is one. */
export async function withOwnEnvironment(store: TrustStore): Promise<TrustStore> {
  return withEnvironment(store, await ownEnvironment());
}
