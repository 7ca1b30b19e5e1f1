// Writes dist/build.json: the SHA-256 of every file of a build, signed where a key is given. A running
// build checks itself against it before it attests anything. Plain Node; imported once dependencies are
// installed.

import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import canonicalize from 'canonicalize';

const NAME = 'build.json';

/** Folders in dist that no bundle reads: they are made after the build, and not part of it. */
const BESIDE = ['bench', 'types'];

/**
 * Describes the build in a folder. The last step of a build: a file that changes afterwards is refused.
 * @param {string} folder
 * @param {string} version of Touchstone
 * @param {string} [keyFile] an Ed25519 private key in PEM that signs the build
 * @returns {{ hash: string, keyId?: string }} the build hash, and the id of the key
 */
export function writeBuildManifest(folder, version, keyFile) {
  const described = { format: 'build/1', version, files: hashesOf(folder) };
  const text = canonicalize(described);
  const signature = keyFile === undefined ? undefined : signText(text, keyFile);
  const document = { ...described, ...(signature && { signature }) };
  writeFileSync(join(folder, NAME), `${JSON.stringify(document, undefined, 2)}\n`);
  return { hash: sha256(text), ...(signature && { keyId: signature.keyId }) };
}

/** @param {string} folder */
function hashesOf(folder) {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => path !== NAME && !BESIDE.some((each) => path.startsWith(`${each}/`)))
    .sort();
  return Object.fromEntries(
    paths.map((path) => [path, sha256(readFileSync(join(folder, ...path.split('/'))))]),
  );
}

/**
 * @param {string} text the canonical form of the description
 * @param {string} keyFile
 */
function signText(text, keyFile) {
  const key = createPrivateKey(readFileSync(keyFile));
  if (key.asymmetricKeyType !== 'ed25519') throw new Error(`${keyFile} is not an Ed25519 key`);
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return {
    keyId: sha256(der),
    publicKey: der.toString('base64'),
    signature: sign(null, Buffer.from(`touchstone/build/1\n${text}`), key).toString('base64'),
  };
}

/** @param {string | Uint8Array} data */
function sha256(data) {
  return createHash('sha256').update(data).digest('hex');
}
