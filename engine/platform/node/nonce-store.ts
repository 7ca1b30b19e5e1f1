import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Crypto } from '../../crypto/crypto.ts';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { canonicalBytes } from '../../encoding/json.ts';
import { encodeUtf8, tryDecodeUtf8 } from '../../encoding/utf8.ts';
import type { IssuedNonce, NonceStore } from '../../voucher/nonce-store.ts';
import { readFileBounded, unreadableError, unwritable, writeFileAtomic } from './files.ts';
import {
  ensureFolder,
  errnoOf,
  MODES,
  syncFolder,
  withFile,
  writeDurably,
} from './receipt-store-files.ts';
import { withLock } from './receipt-store-lock.ts';

/** Where the spent nonces of a workspace lie, relative to its root. */
export const NONCES_FOLDER = '.touchstone/nonces';

/** Holds the moment before which every nonce counts as spent. */
const FLOOR_NAME = 'floor';

/** Entries are named by a hash, so that no issuer chooses a path. */
const ENTRY_NAME = /^[0-9a-f]{64}$/;

/** Seconds in decimal and a newline: what a crash cut short is no number. */
const SECONDS = /^(\d{1,16})\n$/;

const LOCK_WAIT_MS = 10_000;

export interface FileNonceStoreOptions {
  /** `prune` does nothing until it is asked for a moment this much later; 3,600 unless given. */
  readonly pruneEverySeconds?: number;
}

/**
 * Keeps each spent nonce in a file of its own in `folder`, which the first one creates. The file system
 * makes a file of one name once, so of several processes that spend one nonce a single one does, with
 * no lock to be left behind; a crash at any moment leaves the nonce spent or untouched, and both the
 * file and its entry in the folder are durable before it is answered `fresh`.
 */
export function fileNonceStore(
  crypto: Crypto,
  folder: string,
  { pruneEverySeconds = 3_600 }: FileNonceStoreOptions = {},
): NonceStore {
  const entryOf = ({ issuer, nonce }: IssuedNonce) =>
    join(folder, crypto.sha256(canonicalBytes([issuer, nonce])));
  return Object.freeze({
    spend: async (nonce: IssuedNonce, expiry: number) => {
      const entry = entryOf(nonce);
      if (!(await createEntry(folder, entry, expiry))) return 'spent';
      // Read last: whoever forgot an entry of this name had raised the floor before.
      return expiry >= (await readFloor(folder)) ? 'fresh' : 'spent';
    },
    isSpent: async (nonce: IssuedNonce, expiry: number) =>
      (await isThere(entryOf(nonce))) || !(expiry >= (await readFloor(folder))),
    prune: (before: number) => prune(folder, before, pruneEverySeconds),
  } satisfies NonceStore);
}

/** Creates an entry durably; false where there is one. */
async function createEntry(folder: string, entry: string, expiry: number): Promise<boolean> {
  let created = false;
  try {
    await ensureFolder(folder);
    await withFile(entry, MODES.createNew, async (file) => {
      created = true;
      await writeDurably(file, encodeUtf8(`${expiry}\n`));
    });
    await syncFolder(folder);
    return true;
  } catch (error) {
    if (!created && errnoOf(error) === 'EEXIST') {
      await isThere(entry); // throws where it is not the entry but the folder that something is in place of
      return false;
    }
    // Nobody was told that it is spent, and the disk may have room for it the next time.
    if (created) await unlink(entry).catch(() => {});
    throw unwritable(entry, error);
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw unreadableError(path, error);
  }
}

async function readFloor(folder: string): Promise<number> {
  const path = join(folder, FLOOR_NAME);
  if (!(await isThere(path))) return 0;
  const floor = await readSeconds(path);
  if (floor !== undefined) return floor;
  throw new InputError(
    'unreadable',
    `${displayText(path, 500)}: it does not hold the moment up to which spent vouchers were forgotten; restore it from a copy`,
  );
}

async function readSeconds(path: string): Promise<number | undefined> {
  const text = tryDecodeUtf8(await readFileBounded(path, 32, 'a number of seconds'));
  const digits = SECONDS.exec(text ?? '')?.[1];
  return digits === undefined ? undefined : Number(digits);
}

async function prune(folder: string, before: number, every: number): Promise<number> {
  if (!Number.isSafeInteger(before)) {
    throw new RangeError(`"before" expected whole seconds since the Unix epoch, got ${before}`);
  }
  if (!(await isThere(folder)) || !(before - (await readFloor(folder)) >= every)) return 0;
  return withLock(join(folder, 'prune.lock'), LOCK_WAIT_MS, async () => {
    const floor = Math.max(await readFloor(folder), before);
    // First the floor, then the entries: what is forgotten is refused already.
    await writeFileAtomic(join(folder, FLOOR_NAME), `${floor}\n`);
    const entries = (await readdir(folder)).filter((name) => ENTRY_NAME.test(name));
    let forgotten = 0;
    for (const name of entries) {
      const path = join(folder, name);
      // An entry without a readable expiry, which only a crash leaves, stays: it bars its nonce.
      const expiry = await readSeconds(path).catch(() => undefined);
      if (expiry === undefined || expiry >= floor) continue;
      await unlink(path).catch((error) => {
        throw unwritable(path, error);
      });
      forgotten++;
    }
    return forgotten;
  });
}
