import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** The files of the suite by name, without a folder. */
export type SuiteFiles = ReadonlyMap<string, Uint8Array>;

/** Reads the suite from the folder it was unpacked into, or from its tar.gz. */
export function readSuite(path: string): SuiteFiles {
  if (!statSync(path).isDirectory()) return untar(gunzipSync(readFileSync(path)));
  const names = readdirSync(path).filter((name) => /\.(json|wasm)$/.test(name));
  return new Map(names.map((name) => [name, readFileSync(join(path, name))]));
}

const BLOCK = 512;
const SIZE = { from: 124, to: 136 };
const TYPE = 156;
const REGULAR = new Set([0x00, 0x30]);

/** The regular files of a tar archive (POSIX ustar: headers of 512 bytes, sizes in octal). */
function untar(archive: Uint8Array): SuiteFiles {
  const files = new Map<string, Uint8Array>();
  const ascii = new TextDecoder('latin1');
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const header = archive.subarray(at, at + BLOCK);
    const path = ascii.decode(header.subarray(0, 100)).replace(/\0.*$/s, '');
    const size = Number.parseInt(ascii.decode(header.subarray(SIZE.from, SIZE.to)), 8) || 0;
    const content = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (REGULAR.has(header[TYPE] ?? 0)) files.set(path.replace(/^.*\//, ''), content);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
