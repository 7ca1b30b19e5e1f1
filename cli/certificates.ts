import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CERTIFICATE_SUFFIX, type PurityCertificate } from '../engine/certificate/certificate.ts';
import { parseCertificate } from '../engine/certificate/parse.ts';
import { displayText } from '../engine/encoding/display.ts';
import { readDocument, unreadableError } from '../engine/platform/node/files.ts';
import { isFolder } from '../engine/platform/node/paths.ts';

/**
 * The certificates among these paths: files as they are named, folders searched for `*.purity.json`.
 * @throws {InputError} for a path that cannot be read or a file that is no certificate.
 */
export async function findCertificates(
  paths: readonly string[],
): Promise<readonly { readonly path: string; readonly certificate: PurityCertificate }[]> {
  const files: string[] = [];
  for (const path of paths) files.push(...(await certificateFiles(path)));
  return Promise.all(
    files.map(async (path) => ({
      path,
      certificate: parseCertificate(await readDocument(path), displayText(path, 500)).certificate,
    })),
  );
}

async function certificateFiles(path: string): Promise<string[]> {
  if (!(await isFolder(path))) return [path];
  try {
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && entry.name.endsWith(CERTIFICATE_SUFFIX))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((file) => !file.split(/[/\\]/).includes('node_modules'))
      .sort();
  } catch (cause) {
    throw unreadableError(path, cause);
  }
}
