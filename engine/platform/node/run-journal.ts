// Remembers runs whose effects have begun, a file each: `<receipts>/<chain>.open/<id>.jsonl`. Its first
// line says whose it is, the second what the receipt would; each further line, what was about to happen
// or had happened. A file that is done with is kept for the next run: to make one takes longer.

import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { readdir, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Crypto } from '../../crypto/crypto.ts';
import { decodeUtf8, encodeUtf8 } from '../../encoding/utf8.ts';
import {
  interruptedContent,
  type LeftRun,
  leftContent,
  type OpenRun,
  type RunJournal,
} from '../../provenance/journal.ts';
import {
  JOURNAL_FORMAT,
  type JournalHead,
  type JournalNote,
  parseJournalEntry,
} from '../../provenance/journal-entry.ts';
import { checkChainName } from '../../provenance/store.ts';
import type { UnplacedContent } from '../../provenance/types.ts';
import { isMissingFile, readFileBounded } from './files.ts';
import { isGone, thisProcess } from './process-owner.ts';
import { ensureFolder, errnoOf, MODES, storeError } from './receipt-store-files.ts';
import { withLock } from './receipt-store-lock.ts';

/** What the name of a chain's folder of open runs ends with. */
const OPEN_SUFFIX = '.open';

/** What the name of an entry ends with; of one that its own process has given up, with `.left.jsonl`. */
const ENTRY_SUFFIX = '.jsonl';
const LEFT_SUFFIX = '.left.jsonl';

/** An entry larger than this, in bytes, is not read. */
const MAX_ENTRY_BYTES = 268_435_456;

/** How long to wait for another process that recovers the same chain, in milliseconds. */
const LOCK_WAIT_MS = 10_000;

/** Keeps the journal of the chains of receipts in a folder beside them. */
export function fileRunJournal(crypto: Crypto, receipts: string): RunJournal {
  const folderOf = (name: string) => {
    checkChainName(name);
    return join(receipts, `${name}${OPEN_SUFFIX}`);
  };
  const spares = new Map<string, EntryFile>();
  return {
    open: async (name, run) => {
      const folder = folderOf(name);
      const spare = spares.get(folder);
      spares.delete(folder);
      return openRun(
        spare ?? (await createEntry(crypto, folder)),
        interruptedContent(crypto, run),
        {
          keep: (file) => {
            if (spares.has(folder)) file.remove();
            else spares.set(folder, file);
          },
        },
      );
    },
    recover: (name, record) => recover(folderOf(name), record),
    close: async () => {
      for (const file of spares.values()) file.remove();
      spares.clear();
    },
  };
}

async function openRun(
  file: EntryFile,
  content: UnplacedContent,
  { keep }: { readonly keep: (file: EntryFile) => void },
): Promise<OpenRun> {
  try {
    file.write({ content });
    file.sync();
  } catch (error) {
    file.remove();
    throw storeError(error, 'unwritable', file.path);
  }
  // The kernel has a line once it is written, so that it outlives the process; a power cut is told by
  // the machine's next start, and takes every directive for one that may have begun.
  return {
    begin: (index) => file.write({ begin: index }),
    decide: (index, entry) => file.write({ decide: index, entry }),
    commit: (tip) => {
      file.write({ commit: tip });
      // Before the receipt: else an entry that comes back after a power cut would be recorded again.
      file.sync();
    },
    close: async () => {
      try {
        file.clear();
      } catch {
        file.remove();
        return;
      }
      keep(file);
    },
    leave: async () => file.leave(),
  };
}

/** The file of an entry, open. Calls wait for the disk: each turn of the process takes longer. */
interface EntryFile {
  readonly path: string;
  /** @throws the system's error, and one for a line that was not taken whole. */
  write(note: JournalNote): void;
  sync(): void;
  /** Takes out all but whose it is. */
  clear(): void;
  /** Lets others record the run. */
  leave(): void;
  remove(): void;
}

/** @throws {InputError} `unwritable`. */
async function createEntry(crypto: Crypto, folder: string): Promise<EntryFile> {
  const id = Buffer.from(crypto.randomBytes(16)).toString('hex');
  const path = join(folder, `${id}${ENTRY_SUFFIX}`);
  try {
    const head = await headOf();
    const file = await createIn(folder, path);
    let end = 0;
    const write = (line: JournalHead | JournalNote) => {
      const bytes = encodeUtf8(`${JSON.stringify(line)}\n`);
      if (writeSync(file, bytes, 0, bytes.length, end) !== bytes.length) {
        throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
      }
      end += bytes.length;
    };
    write(head);
    const start = end;
    syncFolderNow(folder);
    return {
      path,
      write,
      sync: () => fdatasyncSync(file),
      clear: () => {
        ftruncateSync(file, start);
        end = start;
      },
      leave: () => {
        closeSync(file);
        renameSync(path, join(folder, `${id}${LEFT_SUFFIX}`));
      },
      remove: () => {
        closeSync(file);
        try {
          unlinkSync(path);
        } catch {
          // Whoever recovers finds nothing in it that is not known.
        }
      },
    };
  } catch (error) {
    throw storeError(error, 'unwritable', path);
  }
}

let writer: Promise<JournalHead> | undefined;

/** This process and this start of the machine, asked for once. */
function headOf(): Promise<JournalHead> {
  writer ??= Promise.all([thisProcess(), bootId()]).then(([owner, boot]) => ({
    ...{ format: JOURNAL_FORMAT, owner, boot },
  }));
  return writer;
}

/** Creates a file in a folder, which is made where it is missing. */
async function createIn(folder: string, path: string): Promise<number> {
  try {
    return openSync(path, MODES.createNew, 0o644);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await ensureFolder(folder);
    return openSync(path, MODES.createNew, 0o644);
  }
}

function syncFolderNow(folder: string): void {
  if (process.platform === 'win32') return; // folders cannot be opened there
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

async function recover(folder: string, record: (left: LeftRun) => Promise<void>): Promise<void> {
  const left = await leftEntries(folder);
  if (left.length === 0) return;
  try {
    await withLock(join(folder, 'recover.lock'), LOCK_WAIT_MS, async () => {
      // Again: another process may have recovered them meanwhile.
      for (const { path, run } of await leftEntries(folder)) {
        if (run !== undefined) await record(run);
        await unlink(path);
      }
    });
  } catch (error) {
    throw storeError(error, 'unwritable', folder);
  }
}

/** An entry that is nobody's any more; without a run where nothing can have begun. */
interface LeftEntry {
  readonly path: string;
  readonly run: LeftRun | undefined;
}

async function leftEntries(folder: string): Promise<readonly LeftEntry[]> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw storeError(error, 'unreadable', folder);
  }
  const entries = names.filter((name) => name.endsWith(ENTRY_SUFFIX)).sort();
  const found = await Promise.all(entries.map((name) => leftEntry(join(folder, name))));
  return found.filter((entry) => entry !== undefined);
}

/** @returns `undefined` for the entry of a run that is under way. */
async function leftEntry(path: string): Promise<LeftEntry | undefined> {
  const text = await readEntry(path);
  if (text === undefined) return undefined;
  const entry = parseJournalEntry(text, path);
  if (entry === undefined) return (await isFresh(path)) ? undefined : { path, run: undefined };
  const { owner, boot, run } = entry;
  if (!path.endsWith(LEFT_SUFFIX) && !(await isGone(owner))) return undefined;
  if (run === undefined) return { path, run };
  const { content, notes, commit } = run;
  const mayLack = boot === null || boot !== (await bootId());
  return { path, run: { content: leftContent(content, { ...notes, mayLack }), commit } };
}

/** The text of an entry; `undefined` where it has gone meanwhile. */
async function readEntry(path: string): Promise<string | undefined> {
  try {
    return decodeUtf8(await readFileBounded(path, MAX_ENTRY_BYTES, 'the entry of a run'), path);
  } catch (error) {
    if (isMissingFile(error)) return undefined;
    throw error;
  }
}

/** How long a process may take to write the head of an entry, in milliseconds. */
const FRESH_MS = 60_000;

async function isFresh(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats !== undefined && Date.now() - stats.mtimeMs < FRESH_MS;
}

let boot: Promise<string | null> | undefined;

/** Names this start of the machine; null where the system does not. */
function bootId(): Promise<string | null> {
  boot ??= readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
  return boot;
}
