import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { displayText } from '../../engine/encoding/display.ts';
import { InputError } from '../../engine/encoding/input-error.ts';
import { type JsonValue, parseJson } from '../../engine/encoding/json.ts';
import type { BatchInput } from '../../engine/governed/batch.ts';
import { unreadableError } from '../../engine/platform/node/files.ts';
import { inputOf } from '../execution.ts';

/** A longer line, in bytes, is not read: it is a finding about that line. */
export const MAX_LINE_BYTES = 16_777_216;

const NEWLINE = 0x0a;
const READ_BYTES = 262_144;

/** A file of inputs, one document a line. */
export interface InputFile {
  /** SHA-256 of the whole file, in hex. */
  readonly sha256: string;
  readonly lines: number;
  /**
   * The inputs but for those that are done, in order.
   * @throws {InputError} `unreadable` at the end, where the file has changed since it was opened.
   */
  read(isDone: (line: number) => boolean): AsyncGenerator<BatchInput>;
  close(): Promise<void>;
}

/**
 * Opens a file of inputs, hashes it and counts its lines; the contents are not kept.
 * @throws {InputError} `unreadable`, also for what is no regular file, since it is read twice.
 */
export async function openInputs(path: string): Promise<InputFile> {
  try {
    const file = await open(path, 'r');
    try {
      if (!(await file.stat()).isFile()) {
        throw new InputError(
          'unreadable',
          `${displayText(path, 500)}: inputs are read twice, so they must be a regular file`,
        );
      }
      const { sha256, lines } = await survey(file);
      return {
        sha256,
        lines,
        read: (isDone) => readInputs(file, path, sha256, isDone),
        close: () => file.close(),
      };
    } catch (error) {
      await file.close();
      throw error;
    }
  } catch (cause) {
    throw unreadableError(path, cause);
  }
}

async function survey(
  file: FileHandle,
): Promise<{ readonly sha256: string; readonly lines: number }> {
  const hash = createHash('sha256');
  let lines = 0;
  let last = NEWLINE;
  for await (const piece of piecesOf(file)) {
    hash.update(piece);
    for (let at = piece.indexOf(NEWLINE); at !== -1; at = piece.indexOf(NEWLINE, at + 1)) lines++;
    last = piece[piece.length - 1] ?? last;
  }
  return { sha256: hash.digest('hex'), lines: last === NEWLINE ? lines : lines + 1 };
}

async function* piecesOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(READ_BYTES);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* readInputs(
  file: FileHandle,
  path: string,
  expected: string,
  isDone: (line: number) => boolean,
): AsyncGenerator<BatchInput> {
  const hash = createHash('sha256');
  let line = 1;
  let pending: Uint8Array[] = [];
  let length = 0;
  /** The input of what was gathered, and `rest`; `undefined` when it is done already. */
  const finish = (rest: Uint8Array): BatchInput | undefined => {
    const bytes = length + rest.length;
    const input = isDone(line)
      ? undefined
      : { line, bytes, input: parseLine([...pending, rest], bytes, line) };
    [pending, length] = [[], 0];
    line++;
    return input;
  };
  for await (const piece of piecesOf(file)) {
    hash.update(piece);
    let start = 0;
    for (let end = piece.indexOf(NEWLINE); end !== -1; end = piece.indexOf(NEWLINE, start)) {
      const input = finish(piece.subarray(start, end));
      if (input !== undefined) yield input;
      start = end + 1;
    }
    const rest = piece.slice(start);
    length += rest.length;
    if (length <= MAX_LINE_BYTES) pending.push(rest);
    else pending = [];
  }
  const last = length > 0 ? finish(new Uint8Array(0)) : undefined;
  if (last !== undefined) yield last;
  if (hash.digest('hex') !== expected) {
    throw new InputError(
      'unreadable',
      `${displayText(path, 500)}: it was changed while the batch ran; what is acknowledged stays recorded`,
    );
  }
}

function parseLine(
  pieces: readonly Uint8Array[],
  bytes: number,
  line: number,
): JsonValue | InputError {
  if (bytes > MAX_LINE_BYTES) {
    return new InputError(
      'too-large',
      `line ${line} has ${bytes} bytes; an input has at most ${MAX_LINE_BYTES}`,
    );
  }
  try {
    const [only] = pieces;
    const whole = pieces.length === 1 && only ? only : Buffer.concat(pieces);
    return inputOf(parseJson(whole, `line ${line}`));
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}
