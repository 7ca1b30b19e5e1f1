import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { displayText } from '../../encoding/display.ts';
import { InputError } from '../../encoding/input-error.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../encoding/json.ts';
import { type Secrets, secretReference } from '../../governance/secret.ts';
import { isMissingFile, unreadableError } from './files.ts';
import { userFile } from './paths.ts';

/** What the names of environment variables that hold secrets begin with. */
export const SECRET_VARIABLE = 'TOUCHSTONE_SECRET_';

/** UTF-16 units that a secret may have: keeping it out of what is recorded takes memory for each. */
const MAX_SECRET_LENGTH = 16_384;

/** Bytes that the file of secrets may have. */
const MAX_FILE_BYTES = 1_048_576;

/**
 * The secrets of the user: the value of NAME is the environment variable `TOUCHSTONE_SECRET_NAME`, or,
 * where that is absent, the field NAME of a file, a JSON object of texts. Both are looked at anew each
 * time; an empty text counts as absent.
 *
 * The file must belong to the user, and neither its group nor others may have any permission for it;
 * Windows, which keeps permissions in another way, is not asked. `get` rejects with an
 * {@link InputError} `unreadable`, `too-large`, `invalid-utf8` or `invalid-json`, which says
 * where and repeats no value.
 * @param file `secrets.json` in the user's configuration folder unless given. One that does not exist
 *   holds no secrets.
 */
export function nodeSecrets(file: string = userFile('secrets.json')): Secrets {
  return {
    get: async (name) => {
      if (!secretReference.shape.secret.safeParse(name).success) return undefined;
      const variable = process.env[`${SECRET_VARIABLE}${name}`];
      if (variable) return bounded(variable, name);
      const fields = await readSecrets(file);
      const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (value === undefined || value === '') return undefined;
      if (typeof value === 'string') return bounded(value, name);
      throw new InputError('invalid-json', `${shown(file)}: "${name}" is no text`);
    },
  };
}

function bounded(value: string, name: string): string {
  if (value.length <= MAX_SECRET_LENGTH) return value;
  throw new InputError(
    'too-large',
    `the secret "${name}" has ${value.length} characters; at most ${MAX_SECRET_LENGTH} are kept secret`,
  );
}

async function readSecrets(path: string): Promise<JsonObject> {
  let text: Uint8Array;
  try {
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      expectPrivate(path, await file.stat());
      text = await readBounded(path, file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const error = unreadableError(path, cause);
    if (isMissingFile(error)) return {};
    throw error;
  }
  const fields = parseQuietly(path, text);
  if (isJsonObject(fields)) return fields;
  throw new InputError('invalid-json', `${shown(path)}: not a JSON object of texts`);
}

function expectPrivate(path: string, stats: Stats): void {
  if (!stats.isFile()) {
    throw new InputError('unreadable', `${shown(path)}: it is not a regular file`);
  }
  if (process.platform === 'win32') return;
  if (stats.uid !== process.geteuid?.()) {
    throw new InputError(
      'unreadable',
      `${shown(path)}: it belongs to another user; secrets are read from a file of your own, chmod 600`,
    );
  }
  if ((stats.mode & 0o077) !== 0) {
    throw new InputError(
      'unreadable',
      `${shown(path)}: others than you have permissions for it; run: chmod 600 ${shown(path)}`,
    );
  }
}

async function readBounded(path: string, file: FileHandle): Promise<Uint8Array> {
  const buffer = new Uint8Array(MAX_FILE_BYTES + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > MAX_FILE_BYTES) {
      throw new InputError(
        'too-large',
        `${shown(path)}: too large for secrets: at most ${MAX_FILE_BYTES} bytes are read`,
      );
    }
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

/** Parses without a cause: that of a parser quotes the text around the problem. */
function parseQuietly(path: string, text: Uint8Array) {
  try {
    return parseJson(text, shown(path));
  } catch (error) {
    if (error instanceof InputError) throw new InputError(error.code, error.message);
    throw error;
  }
}

function shown(path: string): string {
  return displayText(path, 500);
}
