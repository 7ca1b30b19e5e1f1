import { resolve } from 'node:path';
import { encodeBase64 } from '../../../../encoding/base64.ts';
import { displayText } from '../../../../encoding/display.ts';
import { encodeUtf8, tryDecodeUtf8 } from '../../../../encoding/utf8.ts';
import {
  type EffectHandler,
  type EffectOutcome,
  performed,
  type Refusal,
  refused,
} from '../../../../governance/effect.ts';
import type { FsGrant } from '../../../../governance/grants/fs.ts';
import type { Directive } from '../../../../runtime/types.ts';
import { errnoOf } from '../../receipt-store-files.ts';
import { type Folder, type OpenRoot, openRoot } from './folder.ts';
import {
  type Check,
  deleteEntry,
  makeFolder,
  readEntry,
  type SizeLimit,
  writeEntry,
} from './operations.ts';
import { type GrantedPath, readGrantedPath } from './path.ts';
import { FileProblem, failedFile } from './problem.ts';

export interface FileHandlerOptions {
  /** The folder that the roots of the grant are relative to: that of the policy. */
  readonly base: string;
  /** How a root is opened; unless given, in the best way that the system has. */
  readonly openRoot?: OpenRoot;
}

/**
 * Performs `file_op` on regular files inside granted folders.
 *
 * - `FileRead` answers `{ "content": text }`, or `{ "base64": … }` where the bytes are not UTF-8.
 * - `FileWrite` replaces a file whole, making folders that are missing, and answers `{ "bytes": n }`.
 * - `FileDelete` answers `{ "deleted": true }`, or false where there was no such file.
 *
 * Below a root no symbolic link is followed, wherever it leads. On Linux every folder is held open
 * while the next is opened in it, so that nobody who moves things about meanwhile can lead an operation
 * out of the root; elsewhere see `nameRoot`. Roots are opened anew each time.
 *
 * Fails with `not-found`, `not-a-file`, `not-a-folder`, `link-refused`, `hard-link`, `moved`,
 * `permission-denied`, `path-refused`, `root-missing`, `too-large`, `bytes-exhausted`, `disk-full`,
 * `busy`, `io-error`, `unsupported`, `timeout` or `cancelled`, in words that name no place on the
 * machine. An operation looks between single calls of the system whether it has to end; one that ends so
 * has written and deleted nothing, and made folders at most.
 */
export function createFileHandler(
  grant: FsGrant,
  { base, openRoot: open = openRoot }: FileHandlerOptions,
): EffectHandler {
  return {
    tags: ['file_op'],
    capability: 'fs',
    judge: (directive) => {
      const order = readOrder(directive, grant);
      return 'code' in order ? order : undefined;
    },
    isRepeatable: () => true,
    perform: async ({ directive, allowance, signal }) => {
      const order = readOrder(directive, grant);
      if ('code' in order) return refused(order.code, order.message);
      const check = makeCheck(signal, grant.timeoutMs);
      const bytesLeft = allowance.bytes ?? Number.POSITIVE_INFINITY;
      try {
        check();
        const root = await openGranted(open, resolve(base, order.path.root.path));
        return await performOrder(order, root, check, sizeLimit(grant, bytesLeft));
      } catch (error) {
        return failedFile(order.where, error);
      }
    },
  };
}

/** A directive that was read and is covered by the grant. */
type Order = {
  /** The path as the directive has it, made safe to show. */
  readonly where: string;
  readonly path: GrantedPath;
} & (
  | { readonly operation: 'FileRead' | 'FileDelete' }
  | { readonly operation: 'FileWrite'; readonly bytes: Uint8Array }
);

function readOrder(directive: Directive, grant: FsGrant): Order | Refusal {
  const { operation, path: text, content } = directive;
  if (typeof text !== 'string') return refusal('path-refused', '"path" is no text');
  const path = readGrantedPath(text, grant.roots);
  if ('code' in path) return path;
  const where = displayText(text);
  if (operation === 'FileRead') return { operation, where, path };
  if (operation !== 'FileWrite' && operation !== 'FileDelete') {
    return refusal('operation-refused', '"operation" is none of FileRead, FileWrite, FileDelete');
  }
  if (path.root.access !== 'write') {
    return refusal('read-only', `${where}: its root is granted for reading alone`);
  }
  if (operation === 'FileDelete') return { operation, where, path };
  if (typeof content !== 'string' || !content.isWellFormed()) {
    return refusal('content-refused', `${where}: FileWrite needs "content", a text`);
  }
  const bytes = encodeUtf8(content);
  if (bytes.length > grant.fileBytes) {
    return refusal(
      'too-large',
      `${where}: ${bytes.length} bytes are to be written; at most ${grant.fileBytes} are granted`,
    );
  }
  return { operation, where, path, bytes };
}

function refusal(code: string, message: string): Refusal {
  return { code, message };
}

/** Throws once the operation was cancelled or has taken too long. */
function makeCheck(signal: AbortSignal, timeoutMs: number): Check {
  const end = performance.now() + timeoutMs;
  return () => {
    if (signal.aborted) throw new FileProblem('cancelled', 'it was cancelled');
    if (performance.now() > end) {
      throw new FileProblem('timeout', `it took longer than ${timeoutMs} ms`);
    }
  };
}

async function openGranted(open: OpenRoot, path: string): Promise<Folder> {
  try {
    return await open(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
    throw new FileProblem('root-missing', 'the folder that is granted for it is not there');
  }
}

/** What a file may have that goes in or out now. */
function sizeLimit({ fileBytes }: FsGrant, bytesLeft: number): SizeLimit {
  return bytesLeft < fileBytes
    ? { bytes: bytesLeft, code: 'bytes-exhausted' }
    : { bytes: fileBytes, code: 'too-large' };
}

/** @param root is closed at the end. */
async function performOrder(
  order: Order,
  root: Folder,
  check: Check,
  limit: SizeLimit,
): Promise<EffectOutcome> {
  const { folders, name } = order.path;
  const way = { root, folders, check };
  switch (order.operation) {
    case 'FileRead': {
      const bytes = await atEndOf(way, enter, (folder) => readEntry(folder, name, limit, check));
      const content = tryDecodeUtf8(bytes);
      const result = content === undefined ? { base64: encodeBase64(bytes) } : { content };
      return performed(result, { bytes: bytes.length });
    }
    case 'FileWrite': {
      const { bytes } = order;
      await atEndOf(way, enterOrMake, (folder) => writeEntry(folder, name, bytes, limit, check));
      return performed({ bytes: bytes.length }, { bytes: bytes.length });
    }
    case 'FileDelete': {
      const deleted = await atEndOf(way, enter, (folder) => deleteEntry(folder, name, check)).catch(
        (error) => {
          if (errnoOf(error) === 'ENOENT') return false; // nor is the folder there
          throw error;
        },
      );
      return performed({ deleted });
    }
  }
}

type Enter = (folder: Folder, name: string) => Promise<Folder>;

const enter: Enter = (folder, name) => folder.enter(name);

const enterOrMake: Enter = async (folder, name) => {
  try {
    return await folder.enter(name);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    await makeFolder(folder, name);
    return folder.enter(name);
  }
};

interface Way {
  readonly root: Folder;
  readonly folders: readonly string[];
  readonly check: Check;
}

/** Uses the folder at the end of a way. Each folder is closed once the next is open. */
async function atEndOf<T>(
  { root, folders, check }: Way,
  enterNext: Enter,
  use: (folder: Folder) => Promise<T>,
): Promise<T> {
  let folder = root;
  try {
    for (const name of folders) {
      check();
      const next = await enterNext(folder, name);
      const left = folder;
      folder = next;
      await left.close();
    }
    check();
    return await use(folder);
  } finally {
    await folder.close();
  }
}
