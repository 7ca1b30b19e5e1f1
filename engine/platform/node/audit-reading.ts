// Reading the files of a folder that somebody else has written: regular files alone, no link followed,
// no more bytes than were asked for.

import { lstat } from 'node:fs/promises';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { unreadableError } from './files.ts';
import { errnoOf, MODES, openFile, withFile } from './receipt-store-files.ts';
import { readAt } from './receipt-store-tail.ts';

const PIECE_BYTES = 262_144;

/**
 * The bytes of a file.
 * @param shown what messages call it.
 * @throws {InputError} `too-large` before anything is read, or `unreadable`.
 */
export async function readRegularFile(
  path: string,
  maxBytes: number,
  shown: string,
): Promise<Uint8Array> {
  try {
    return await withFile(path, MODES.read, async (file) => {
      const { size } = await file.stat();
      if (size <= maxBytes) return readAt(file, 0, size);
      throw new InputError(
        'too-large',
        `${displayText(shown, 500)}: it has ${size} bytes; at most ${maxBytes} are read of such a file`,
      );
    });
  } catch (error) {
    throw unreadableError(shown, error);
  }
}

/** The first bytes of a file, at most so many. Throws the system's errors. */
export function startOf(path: string, length: number): Promise<Uint8Array> {
  return withFile(path, MODES.read, (file) => readAt(file, 0, length));
}

/** The size of a file in bytes; 0 where nobody can tell, which shows when it is read. */
export async function sizeOf(path: string): Promise<number> {
  return (await lstat(path).catch(() => undefined))?.size ?? 0;
}

/**
 * The bytes of a file in pieces; none where there is no such file.
 * @throws {InputError} `unreadable`.
 */
export async function* readPieces(path: string, shown: string): AsyncGenerator<Uint8Array> {
  try {
    const file = await openFile(path, MODES.read);
    try {
      for (;;) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE_BYTES));
        if (bytesRead === 0) return;
        yield buffer.subarray(0, bytesRead);
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw unreadableError(shown, error);
  }
}
