import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PurityCertificate } from '../engine/certificate/certificate.ts';
import { parseCertificate } from '../engine/certificate/parse.ts';
import { displayText } from '../engine/encoding/display.ts';
import type { CheckResult } from '../engine/gate/types.ts';
import { isMissingFile, readDocument, unreadableError } from '../engine/platform/node/files.ts';
import { isFolder } from './paths.ts';
import type { Subject } from './subject.ts';

export const CERTIFICATE_SUFFIX = '.purity.json';
export const IN_TOTO_SUFFIX = '.intoto.json';

/** The certificate that the gate is asked about. */
export interface CertificateFile {
  readonly bytes: Uint8Array;
  /** Names it in messages. */
  readonly name: string;
}

/**
 * The certificate of an artifact.
 * @param named the file that the user named; without one, the file beside the artifact.
 * @returns `undefined` where nobody named one and there is none.
 * @throws {InputError} for a file that cannot be read, or is named and missing.
 */
export async function readCertificateFile(
  artifact: string,
  named: string | undefined,
): Promise<CertificateFile | undefined> {
  const path = named ?? artifact + CERTIFICATE_SUFFIX;
  try {
    return { bytes: await readDocument(path), name: displayText(path, 500) };
  } catch (error) {
    if (named === undefined && isMissingFile(error)) return undefined;
    throw error;
  }
}

/** The first check as it ends for an executor without a certificate: nobody signed anything. */
export function notCertified({
  artifact,
  path,
}: Subject): CheckResult & { readonly detail: string } {
  const missing = displayText(artifact + CERTIFICATE_SUFFIX, 500);
  return {
    code: 'signature',
    ok: false,
    detail: `there is no ${missing}; issue one: touchstone certify ${displayText(path, 500)} --key FILE`,
  };
}

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
