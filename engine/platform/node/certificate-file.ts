import { CERTIFICATE_SUFFIX } from '../../certificate/certificate.ts';
import { displayText } from '../../encoding/display.ts';
import { isMissingFile, readDocument } from './files.ts';

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
