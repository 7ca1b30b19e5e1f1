// Asks the gate about an executor as it lies in files.

import { CERTIFICATE_SUFFIX } from '../../certificate/certificate.ts';
import { displayText } from '../../encoding/display.ts';
import { type Admission, createGate } from '../../gate/admit.ts';
import type { CheckResult, GateEnvironment, Tier } from '../../gate/types.ts';
import { readCertificateFile } from './certificate-file.ts';
import { readModule } from './files.ts';
import { inspectNamed, type Subject } from './subject.ts';

/** What is asked of the gate about a subject. */
export interface SubjectRequest {
  /** The certificate's file; without one, the file beside the artifact. */
  readonly certificate: string | undefined;
  /** What to do about a certificate that is not there, in the words of whoever asks. */
  readonly remedy: string;
}

/**
 * The gate's checks on a subject and its certificate, in their order, up to the first that fails.
 * @throws {InputError} for an artifact or certificate that cannot be read.
 */
export async function verifySubject(
  subject: Subject,
  environment: GateEnvironment,
  request: SubjectRequest,
): Promise<readonly CheckResult[]> {
  const { artifact } = subject;
  const bytes = await readModule(artifact);
  const certificate = await readCertificateFile(artifact, request.certificate);
  if (certificate !== undefined) {
    return createGate(environment).verify(bytes, certificate.bytes, certificate.name);
  }
  inspectNamed(artifact, bytes);
  return [notCertified(subject, request)];
}

/**
 * Asks the gate to admit a subject, with its certificate where tier 1 is asked for.
 * @throws {InputError} as {@link verifySubject}.
 */
export async function admitSubject(
  { artifact, manifest }: Subject,
  asked: Tier,
  environment: GateEnvironment,
  request: SubjectRequest,
): Promise<Admission> {
  const gate = createGate(environment);
  const bytes = await readModule(artifact);
  const common = { bytes, ...(manifest && { designatedTier: manifest.tier }) };
  const certificate =
    asked === 1 ? await readCertificateFile(artifact, request.certificate) : undefined;
  if (certificate !== undefined) {
    const { bytes: contents, name } = certificate;
    return gate.admit({ ...common, tier: 1, certificate: contents, certificateName: name });
  }
  // Without a certificate nothing has said yet that the bytes are a module at all.
  inspectNamed(artifact, bytes);
  if (asked !== 1) return gate.admit({ ...common, tier: asked });
  const failed = notCertified({ artifact }, request);
  return { admitted: false, failed: failed.code, detail: failed.detail, checks: [failed] };
}

/** The first check as it ends for an executor without a certificate: nobody signed anything. */
function notCertified(
  { artifact }: Pick<Subject, 'artifact'>,
  { remedy }: SubjectRequest,
): CheckResult & { readonly detail: string } {
  const missing = displayText(artifact + CERTIFICATE_SUFFIX, 500);
  return { code: 'signature', ok: false, detail: `there is no ${missing}; ${remedy}` };
}
