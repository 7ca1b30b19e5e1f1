import { basename } from 'node:path';
import { CERTIFICATE_SUFFIX, IN_TOTO_SUFFIX } from '../../certificate/certificate.ts';
import { type CertifiableReport, type CertifyResult, certify } from '../../certificate/certify.ts';
import type { Signer } from '../../crypto/crypto.ts';
import { canonicalBytes } from '../../encoding/json.ts';
import { requireAgreement } from '../../module/agreement.ts';
import type { Whitelist } from '../../whitelist/types.ts';
import { nodeCrypto } from './crypto.ts';
import { readModule, writeFileAtomic } from './files.ts';
import { inspectNamed, type Subject } from './subject.ts';

export interface CertificationRequest {
  readonly whitelist: Whitelist;
  readonly certifier: Signer;
  readonly publisher?: Signer | undefined;
  /** Where the certificate goes; beside the artifact if left out. */
  readonly out?: string | undefined;
  /** Inspects the artifact, elsewhere than here. */
  readonly inspect?: (artifact: string) => Promise<CertifiableReport>;
}

/** What came of it; of what was certified, the files that say so. */
export type Certified =
  | (CertifyResult & { readonly certified: true } & {
      /** Paths. */
      readonly certificateFile: string;
      readonly inTotoFile: string;
    })
  | (CertifyResult & { readonly certified: false });

/**
 * Issues the certificate of an executor, and writes it with its in-toto statement once everything is
 * signed. Refuses as `certify` does, and writes nothing then.
 * @throws {InputError} for an artifact that cannot be read, `reader-disagreement`, `unwritable`; and
 *   whatever a signer throws.
 */
export async function certifySubject(
  { artifact }: Subject,
  { whitelist, certifier, publisher, out, inspect = inspectHere }: CertificationRequest,
): Promise<Certified> {
  const report = await inspect(artifact);
  requireAgreement(report);
  const result = await certify(nodeCrypto, {
    report,
    artifactName: basename(artifact),
    whitelist,
    certifier,
    ...(publisher && { publisher }),
    issuedAt: Date.now(),
  });
  if (!result.certified) return result;
  const certificateFile = out ?? artifact + CERTIFICATE_SUFFIX;
  const inTotoFile = besideCertificate(certificateFile);
  await writeFileAtomic(certificateFile, result.bytes);
  await writeFileAtomic(inTotoFile, canonicalBytes(result.inToto));
  return { ...result, certificateFile, inTotoFile };
}

async function inspectHere(artifact: string): Promise<CertifiableReport> {
  return inspectNamed(artifact, await readModule(artifact));
}

function besideCertificate(certificate: string): string {
  return certificate.endsWith(CERTIFICATE_SUFFIX)
    ? certificate.slice(0, -CERTIFICATE_SUFFIX.length) + IN_TOTO_SUFFIX
    : `${certificate}${IN_TOTO_SUFFIX}`;
}
