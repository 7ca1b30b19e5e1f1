import { unlink } from 'node:fs/promises';
import { displayText } from '../engine/encoding/display.ts';
import { InputError } from '../engine/encoding/input-error.ts';
import type { StateRequest } from '../engine/governed/state.ts';
import { nodeCrypto } from '../engine/platform/node/crypto.ts';
import {
  isMissingFile,
  readFileBounded,
  renameDurably,
  unwritable,
  writeFileAtomic,
} from '../engine/platform/node/files.ts';
import { storeError } from '../engine/platform/node/receipt-store-files.ts';
import { withLock } from '../engine/platform/node/receipt-store-lock.ts';
import {
  MAX_SNAPSHOT_BYTES,
  parseSnapshot,
  type Snapshot,
  type SnapshotEnvironment,
  type VerifiedState,
  verifySnapshot,
} from '../engine/provenance/snapshot.ts';
import type { ReceiptChain } from '../engine/provenance/store.ts';
import type { ChainTip } from '../engine/provenance/types.ts';

/** How long to wait for another run with the same state, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/**
 * Makes one stateful run with the state in a file: begins with it if it is there, else afresh, and
 * leaves there what the next run begins with. Nobody else runs with the file meanwhile.
 *
 * A crash at any moment loses nothing that was acknowledged: the snapshot is written to `<path>.next`,
 * durably, before the receipt that it names, and takes the file's place after it. Which of the two
 * counts is then told by the end of the chain.
 * @param about what the snapshot must be of, but for the end of the chain.
 * @throws {InputError} `invalid-snapshot` for a state that is not one to begin with; `unreadable`,
 *   `unwritable`; and whatever `use` throws.
 */
export async function withStateFile<T>(
  path: string,
  chain: ReceiptChain,
  about: Omit<SnapshotEnvironment, 'tip'>,
  use: (state: StateRequest) => Promise<T>,
): Promise<T> {
  const next = `${path}.next`;
  const lock = `${path}.lock`;
  const run = async () => {
    const tip = await endOf(chain);
    const before = await restore(path, next, { ...about, tip });
    const state = { isPrepared: false };
    const prepare = async (snapshot: Uint8Array) => {
      await writeFileAtomic(next, snapshot, 0o600);
      state.isPrepared = true;
    };
    const result = await use({ before, tip, prepare });
    // The receipt is written: where this fails, the next run does it.
    if (state.isPrepared) await renameDurably(next, path).catch(() => {});
    return result;
  };
  try {
    return await withLock(lock, LOCK_WAIT_MS, run);
  } catch (error) {
    throw storeError(error, 'unwritable', lock, '--state');
  }
}

/** The end of the chain as its next receipt would find it: the recorded tip may be one behind. */
async function endOf(chain: ReceiptChain): Promise<ChainTip | undefined> {
  let end: ChainTip | undefined;
  await chain.append((tip) => {
    end = tip;
    return [];
  });
  return end;
}

async function restore(
  path: string,
  next: string,
  environment: SnapshotEnvironment,
): Promise<VerifiedState | undefined> {
  const { tip } = environment;
  const prepared = await readIfPresent(next);
  if (prepared !== undefined && isEqual(prepared.header.chain, tip)) {
    // The receipt was written, and then the run was cut off.
    const verified = verifySnapshot(nodeCrypto, prepared, shown(next), environment);
    await renameDurably(next, path);
    return verified;
  }
  const current = await readIfPresent(path);
  const verified = current && verifySnapshot(nodeCrypto, current, shown(path), environment);
  if (prepared !== undefined) await discard(next, prepared, tip);
  return verified;
}

/** Removes a snapshot whose receipt was never written: it counts for nothing. */
async function discard(
  next: string,
  { header: { chain } }: Snapshot,
  tip: ChainTip | undefined,
): Promise<void> {
  const expected = tip === undefined ? 0 : tip.epoch + 1;
  if (chain.epoch !== expected) {
    throw new InputError(
      'invalid-snapshot',
      `${shown(next)} was left by a run that was cut off, and belongs after receipt ${chain.epoch}, where this chain has ${expected} receipts; use the receipts that it belongs to, or remove it`,
    );
  }
  try {
    await unlink(next);
  } catch (cause) {
    throw unwritable(next, cause);
  }
}

async function readIfPresent(path: string): Promise<Snapshot | undefined> {
  try {
    return parseSnapshot(
      await readFileBounded(path, MAX_SNAPSHOT_BYTES, 'a snapshot'),
      shown(path),
    );
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
}

function isEqual(a: ChainTip, b: ChainTip | undefined): boolean {
  return a.epoch === b?.epoch && a.hash === b.hash;
}

function shown(path: string): string {
  return displayText(path, 500);
}
