import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type {
  AuditedChain,
  AuditedFile,
  AuditedFolder,
  AuditedOpenRun,
  AuditedProblem,
} from '../../audit/sources.ts';
import { InputError } from '../../encoding/input-error.ts';
import { MAX_RECEIPT_BYTES } from '../../provenance/receipt.ts';
import { type DocumentKind, documentKind } from './audit-documents.ts';
import { readPieces, readRegularFile, sizeOf, startOf } from './audit-reading.ts';
import { MAX_DOCUMENT_BYTES, MAX_MODULE_BYTES, unreadableError } from './files.ts';
import { isFolder } from './paths.ts';
import { CHAIN_SUFFIX, TIP_SUFFIX } from './receipt-store-chain.ts';
import { readTip } from './receipt-store-recovery.ts';

/** How far a folder is searched. */
export interface AuditSearchOptions {
  /** Folders deeper than this below the audited one are not looked at: 64 unless given. */
  readonly maxDepth?: number;
  /** After so many files and folders the search ends: 200,000 unless given. */
  readonly maxEntries?: number;
}

/** JSON documents of so many bytes together are looked into, for what they are. */
const MAX_DOCUMENTS_BYTES = 536_870_912;

/** The entry of an open run is read up to so many bytes. */
const MAX_ENTRY_BYTES = 67_108_864;

const OPEN_SUFFIX = '.open';
const SKIPPED_FOLDERS: ReadonlySet<string> = new Set(['node_modules', '.git']);

/** What a file is by its name alone, and the most bytes of it that are read. */
const KINDS_BY_NAME = [
  ['.purity.json', 'certificates', MAX_DOCUMENT_BYTES],
  ['.attestation.json', 'attestations', MAX_DOCUMENT_BYTES],
  ['.attestation.intoto.json', 'attestations', MAX_DOCUMENT_BYTES],
  ['.receipt.json', 'receipts', MAX_RECEIPT_BYTES + 1],
  ['.wasm', 'modules', MAX_MODULE_BYTES],
] as const;

type FileKind = (typeof KINDS_BY_NAME)[number][1] | DocumentKind;

/** What a search has found by now. */
interface Search {
  readonly root: string;
  readonly maxDepth: number;
  entriesLeft: number;
  documentBytesLeft: number;
  readonly files: Readonly<Record<FileKind, AuditedFile[]>>;
  readonly chains: AuditedChain[];
  readonly openRuns: AuditedOpenRun[];
  readonly problems: AuditedProblem[];
}

/**
 * Searches a folder for what can be audited, in the order of its names. Symbolic links are not
 * followed; `node_modules` and `.git` are left out. Nothing is written, and nothing but regular files
 * is opened.
 * @throws {InputError} `unreadable` where it is no folder that can be read.
 */
export async function findAudited(
  root: string,
  { maxDepth = 64, maxEntries = 200_000 }: AuditSearchOptions = {},
): Promise<AuditedFolder> {
  if (!(await isFolder(root))) {
    throw unreadableError(root, Object.assign(new Error('ENOTDIR'), { code: 'ENOTDIR' }));
  }
  const search: Search = {
    ...{ root, maxDepth, entriesLeft: maxEntries, documentBytesLeft: MAX_DOCUMENTS_BYTES },
    files: {
      certificates: [],
      modules: [],
      attestations: [],
      receipts: [],
      proofs: [],
      whitelists: [],
    },
    ...{ chains: [], openRuns: [], problems: [] },
  };
  const entries = await readFolder(search, '');
  await searchFolder(search, '', 0, entries);
  const { files, chains, openRuns, problems } = search;
  return { ...files, chains, openRuns, problems };
}

async function searchFolder(
  search: Search,
  folder: string,
  depth: number,
  entries: readonly Dirent[],
): Promise<void> {
  const names = new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
  for (const entry of entries) {
    const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isSymbolicLink()) {
      problem(search, 'link-not-followed', file, 'it is a symbolic link, which is not followed');
    } else if (entry.isDirectory()) {
      await descend(search, file, depth + 1);
    } else if (entry.isFile()) {
      await takeFile(search, file, names);
    } else if (isOfInterest(entry.name)) {
      problem(search, 'unreadable-file', file, 'it is not a regular file');
    }
  }
}

async function descend(search: Search, folder: string, depth: number): Promise<void> {
  if (SKIPPED_FOLDERS.has(basename(folder)) || search.entriesLeft < 0) return;
  if (depth > search.maxDepth) {
    const message = `folders deeper than ${search.maxDepth} are not looked at`;
    problem(search, 'not-searched', folder, message);
    return;
  }
  try {
    await searchFolder(search, folder, depth, await readFolder(search, folder));
  } catch (error) {
    problem(search, 'unreadable-file', folder, unreadableError(folder, error).message);
  }
}

/** The entries of a folder by their names. Ends the whole search when there are too many. */
async function readFolder(search: Search, folder: string): Promise<Dirent[]> {
  const entries: Dirent[] = [];
  try {
    for await (const entry of await opendir(join(search.root, folder))) {
      if (--search.entriesLeft < 0) {
        const message = 'there are more files and folders than one audit looks at';
        problem(search, 'not-searched', folder === '' ? '.' : folder, message);
        break;
      }
      entries.push(entry);
    }
  } catch (error) {
    throw unreadableError(folder === '' ? search.root : folder, error);
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function takeFile(search: Search, file: string, names: ReadonlySet<string>): Promise<void> {
  const name = basename(file);
  const folder = file.slice(0, -name.length);
  const known = KINDS_BY_NAME.find(([suffix]) => name.endsWith(suffix));
  if (known !== undefined) {
    const [, kind, maxBytes] = known;
    search.files[kind].push(await auditedFile(search, file, maxBytes));
  } else if (folder.endsWith(`${OPEN_SUFFIX}/`)) {
    if (!name.endsWith(CHAIN_SUFFIX)) return;
    const chain = `${folder.slice(0, -OPEN_SUFFIX.length - 1)}${CHAIN_SUFFIX}`;
    search.openRuns.push({ ...(await auditedFile(search, file, MAX_ENTRY_BYTES)), chain });
  } else if (name.endsWith(CHAIN_SUFFIX)) {
    if (await isChain(search, file, names)) search.chains.push(auditedChain(search, file));
  } else if (name.endsWith(TIP_SUFFIX)) {
    // A tip without its chain names one too: a chain that was deleted is not one that never was.
    const chain = `${file.slice(0, -TIP_SUFFIX.length)}${CHAIN_SUFFIX}`;
    if (!names.has(basename(chain))) search.chains.push(auditedChain(search, chain));
  } else if (name.endsWith('.json')) {
    await takeDocument(search, file);
  }
}

/** A document whose name does not tell what it is. */
async function takeDocument(search: Search, file: string): Promise<void> {
  const audited = await auditedFile(search, file, MAX_DOCUMENT_BYTES);
  if (audited.size > MAX_DOCUMENT_BYTES) return;
  const hadRoom = search.documentBytesLeft >= 0;
  search.documentBytesLeft -= audited.size;
  if (search.documentBytesLeft < 0) {
    const message = 'documents from here on are not looked into: there are too many bytes of them';
    if (hadRoom) problem(search, 'not-searched', file, message);
    return;
  }
  try {
    const kind = documentKind(await audited.read());
    if (kind !== undefined) search.files[kind].push(audited);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problem(search, 'unreadable-file', file, error.message);
  }
}

/** Whether lines of JSON are receipts: batches read and write such files as well. */
async function isChain(search: Search, file: string, names: ReadonlySet<string>): Promise<boolean> {
  const name = basename(file);
  if (names.has(`${name.slice(0, -CHAIN_SUFFIX.length)}${TIP_SUFFIX}`)) return true;
  try {
    const start = await startOf(join(search.root, file), CANONICAL_START.length);
    return new TextDecoder().decode(start) === CANONICAL_START;
  } catch (error) {
    problem(search, 'unreadable-file', file, unreadableError(file, error).message);
    return false;
  }
}

/** How every receipt begins in its canonical form. */
const CANONICAL_START = '{"artifactHash":"';

function auditedChain({ root }: Search, file: string): AuditedChain {
  const path = join(root, file);
  const tip = `${path.slice(0, -CHAIN_SUFFIX.length)}${TIP_SUFFIX}`;
  return {
    file,
    name: basename(file, CHAIN_SUFFIX),
    tip: async () => {
      try {
        return await readTip(tip);
      } catch (error) {
        throw unreadableError(`${file.slice(0, -CHAIN_SUFFIX.length)}${TIP_SUFFIX}`, error);
      }
    },
    read: () => readPieces(path, file),
  };
}

async function auditedFile({ root }: Search, file: string, maxBytes: number): Promise<AuditedFile> {
  const path = join(root, file);
  return { file, size: await sizeOf(path), read: () => readRegularFile(path, maxBytes, file) };
}

function isOfInterest(name: string): boolean {
  return /\.(?:json|jsonl|wasm)$/.test(name);
}

function problem(
  { problems }: Search,
  code: AuditedProblem['code'],
  file: string,
  message: string,
): void {
  problems.push({ code, file, message });
}
