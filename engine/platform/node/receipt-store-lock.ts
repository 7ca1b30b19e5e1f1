import { readFile, stat, unlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { isJsonObject, type JsonValue } from '../../encoding/json.ts';
import { encodeUtf8 } from '../../encoding/utf8.ts';
import { isGone, type Owner, thisProcess } from './process-owner.ts';
import { errnoOf, MODES, withFile } from './receipt-store-files.ts';

/** An owner writes its name at once; a lock that is still unreadable after this was left by a crash. */
const UNREADABLE_MS = 1_000;

/** Breaking a lock takes a lock, which a crash may leave too; deeper than this is not tried. */
const MAX_BREAK_DEPTH = 3;

/**
 * Runs `use` while holding the lock file `path` (created with `O_EXCL`, removed after). The lock of a
 * process that ended without removing it is broken; one held by a living process, or on another
 * host, is waited for.
 * @param waitMs how long to wait for it, in milliseconds.
 * @throws {InputError} `unwritable` when it is still held then; what `use` and the system throw.
 */
export async function withLock<T>(path: string, waitMs: number, use: () => Promise<T>): Promise<T> {
  await acquire(path, performance.now() + waitMs, 0);
  try {
    return await use();
  } finally {
    // What `use` did stands, whether or not the lock can be removed.
    await unlink(path).catch(() => {});
  }
}

async function acquire(path: string, deadline: number, depth: number): Promise<void> {
  for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
    if (await create(path)) return;
    const owner = await readOwner(path);
    if (owner === 'gone') continue;
    if (await isStale(owner, path)) {
      await breakLock(path, deadline, depth);
      continue;
    }
    if (performance.now() >= deadline) throw stillHeld(path, owner);
    // Waiters that tried in step would keep colliding.
    await sleep(pause * (0.5 + Math.random()));
  }
}

/** Creates the lock file and writes its owner; false when there is one already. */
async function create(path: string): Promise<boolean> {
  const owner = await thisProcess();
  let created = false;
  try {
    await withFile(path, MODES.createNew, async (file) => {
      created = true;
      await file.write(encodeUtf8(JSON.stringify(owner)));
    });
    return true;
  } catch (error) {
    if (created) await unlink(path).catch(() => {});
    else if (errnoOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Removes a stale lock under a lock of its own. Without that, two waiters could both find it stale,
 * and the slower would remove the lock that the faster had made anew.
 */
async function breakLock(path: string, deadline: number, depth: number): Promise<void> {
  if (depth >= MAX_BREAK_DEPTH) throw stillHeld(path, undefined);
  const mutex = `${path}.break`;
  await acquire(mutex, deadline, depth + 1);
  try {
    const owner = await readOwner(path);
    if (owner !== 'gone' && (await isStale(owner, path))) await unlink(path);
  } finally {
    await unlink(mutex).catch(() => {});
  }
}

/** The owner written in a lock file; `undefined` when there is none to read in it. */
async function readOwner(path: string): Promise<Owner | undefined | 'gone'> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'gone';
    throw error;
  }
  try {
    const value: JsonValue = JSON.parse(text);
    if (!isJsonObject(value)) return undefined;
    const { host, pid, started } = value;
    if (typeof host !== 'string' || typeof pid !== 'number' || !Number.isSafeInteger(pid)) {
      return undefined;
    }
    return { host, pid, started: typeof started === 'string' ? started : null };
  } catch {
    return undefined;
  }
}

async function isStale(owner: Owner | undefined, path: string): Promise<boolean> {
  if (owner === undefined) {
    const stats = await stat(path).catch(() => undefined);
    return stats !== undefined && Date.now() - stats.mtimeMs > UNREADABLE_MS;
  }
  return isGone(owner);
}

function stillHeld(path: string, owner: Owner | undefined): InputError {
  const who =
    owner === undefined
      ? 'another process'
      : `process ${owner.pid} on ${displayText(owner.host, 60)}`;
  return new InputError(
    'unwritable',
    `${who} holds ${displayText(path, 300)}; run again when it is done, or delete that file if it no longer runs`,
  );
}
