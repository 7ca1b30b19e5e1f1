// The hash of the build that is running (`build.json`), and whether the files of the build are those that
// it describes.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { isKeyId, isSha256, type KeyId, type Sha256 } from '../../crypto/crypto.ts';
import { publicKeyFromRaw, rawFromSpki } from '../../crypto/keys.ts';
import { tryDecodeBase64 } from '../../encoding/base64.ts';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { canonicalBytes, canonicalJson, parseJson } from '../../encoding/json.ts';
import { describeIssues } from '../../encoding/schema.ts';
import { encodeUtf8 } from '../../encoding/utf8.ts';
import { nodeCrypto } from './crypto.ts';
import { isMissingFile, readDocument, readFileBounded } from './files.ts';

/** What a build says of itself, in its folder. */
export const BUILD_FILE = 'build.json';

/** No file of a build is larger, in bytes. */
const MAX_FILE_BYTES = 67_108_864;

const BUILD_TAG = 'touchstone/build/1\n';

const sha256 = z.string().refine(isSha256, 'not a SHA-256 in hex');

/** Names of files and folders with a slash between them; none of them begins with a dot. */
const FILE_PATH = /^[\w@-][\w@.-]*(?:\/[\w@-][\w@.-]*)*$/;

const buildSchema = z.strictObject({
  format: z.literal('build/1'),
  version: z.string().min(1).max(200),
  files: z
    .record(z.string().regex(FILE_PATH).max(300), sha256)
    .refine((files) => Object.keys(files).length > 0, 'it lists no file'),
  signature: z
    .strictObject({
      keyId: z.string().refine(isKeyId, 'not a key id'),
      /** Base64 of the SPKI DER form. */
      publicKey: z.string().max(200),
      signature: z.string().length(88),
    })
    .exactOptional(),
});

type BuildDocument = z.infer<typeof buildSchema>;

/** The build that is running. */
export interface RunningBuild {
  /** The version of Touchstone. */
  readonly version: string;
  /** SHA-256 of the RFC 8785 form of `build.json` without `signature`. */
  readonly hash: Sha256;
  /**
   * The key id of whoever signed the build; null where nobody did. That the signature verifies is
   * checked here; whether the builder is to be trusted is for whoever reads the attestation.
   */
  readonly signer: KeyId | null;
}

/**
 * Verifies a build: that every file that its `build.json` lists is there and unchanged, and its signature
 * if it has one. It is the build's own word: files that were changed while the process ran, and what the
 * machine itself does, show elsewhere or not at all.
 * @param folder where the running bundle lies.
 * @throws {InputError} `usage` where there is no `build.json`, as when running from sources;
 *   `invalid-attestation`, naming the file that differs; `unreadable`, `too-large`, `invalid-json`.
 */
export async function checkBuild(folder: string | URL): Promise<RunningBuild> {
  const root = typeof folder === 'string' ? folder : fileURLToPath(folder);
  const { signature, ...described } = await readBuildFile(root);
  for (const [path, hash] of Object.entries(described.files)) await checkFile(root, path, hash);
  if (signature !== undefined) checkSignature(described, signature);
  return {
    version: described.version,
    hash: nodeCrypto.sha256(canonicalBytes(described)),
    signer: signature?.keyId ?? null,
  };
}

async function readBuildFile(root: string): Promise<BuildDocument> {
  const path = join(root, BUILD_FILE);
  const parsed = buildSchema.safeParse(
    parseJson(await readBuildBytes(path), displayText(path, 500)),
  );
  if (!parsed.success) throw differs(BUILD_FILE, describeIssues(parsed.error));
  return parsed.data;
}

async function readBuildBytes(path: string): Promise<Uint8Array> {
  try {
    return await readDocument(path);
  } catch (cause) {
    if (!isMissingFile(cause)) throw cause;
    throw new InputError(
      'usage',
      `there is no ${displayText(path, 500)}: only a build attests, since sources that run have no build hash; build it (npm run build) and use dist/cli.js`,
      { cause },
    );
  }
}

async function checkFile(root: string, path: string, hash: Sha256): Promise<void> {
  let bytes: Uint8Array;
  try {
    bytes = await readFileBounded(join(root, ...path.split('/')), MAX_FILE_BYTES, 'a build');
  } catch (error) {
    if (error instanceof InputError) throw differs(path, error.message);
    throw error;
  }
  if (nodeCrypto.sha256(bytes) !== hash) {
    throw differs(path, `it is another file than ${BUILD_FILE} describes`);
  }
}

function checkSignature(
  described: Omit<BuildDocument, 'signature'>,
  { keyId, publicKey, signature }: NonNullable<BuildDocument['signature']>,
): void {
  const der = tryDecodeBase64(publicKey);
  const raw = der && rawFromSpki(der);
  if (raw === undefined) throw differs(BUILD_FILE, 'its public key is not an Ed25519 key');
  const key = publicKeyFromRaw(nodeCrypto, raw, `the key in ${BUILD_FILE}`);
  if (key.keyId !== keyId) throw differs(BUILD_FILE, 'its key id is not that of its public key');
  const message = encodeUtf8(BUILD_TAG + canonicalJson(described));
  const bytes = tryDecodeBase64(signature) ?? new Uint8Array(0);
  if (!nodeCrypto.verify(key, message, bytes)) {
    throw differs(BUILD_FILE, 'its signature does not verify');
  }
}

function differs(path: string, problem: string): InputError {
  return new InputError(
    'invalid-attestation',
    `this build is not as it was made: ${displayText(path, 500)}: ${problem}; nothing is attested with it, install it again`,
  );
}
