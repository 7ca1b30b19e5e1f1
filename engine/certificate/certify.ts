import type { Crypto, Sha256, Signer } from '../crypto/crypto.ts';
import { canonicalBytes } from '../encoding/json.ts';
import { countAgreeing, requireAgreement } from '../module/agreement.ts';
import type { ModuleReport } from '../module/types.ts';
import { type ProofImport, type PurityProof, prove } from '../proof/proof.ts';
import type { Whitelist } from '../whitelist/types.ts';
import {
  CERTIFICATE_FORMAT,
  certifierMessage,
  encodeSignature,
  type PublisherSignature,
  type PurityCertificate,
  publisherMessage,
  serializeCertificate,
} from './certificate.ts';
import { type DsseEnvelope, signEnvelope } from './dsse.ts';
import { IN_TOTO_PAYLOAD_TYPE, inTotoStatement } from './in-toto.ts';

/** As much of a module's report as certifying needs: plain data. */
export type CertifiableReport = Pick<ModuleReport, 'sha256' | 'imports' | 'readers'>;

export interface CertifyRequest {
  /** What the report of exactly the bytes to certify says. */
  readonly report: CertifiableReport;
  /** The artifact's file name, for the in-toto subject. */
  readonly artifactName: string;
  readonly whitelist: Whitelist;
  readonly certifier: Signer;
  readonly publisher?: Signer;
  /** Milliseconds since the Unix epoch. */
  readonly issuedAt: number;
}

export type CertifyResult =
  | {
      readonly certified: true;
      readonly certificate: PurityCertificate;
      /** What goes into `<artifact>.purity.json`. */
      readonly bytes: Uint8Array;
      /** What goes into `<artifact>.intoto.json`. */
      readonly inToto: DsseEnvelope;
    }
  | {
      readonly certified: false;
      readonly reason: 'impure';
      readonly impure: readonly ProofImport[];
    }
  | { readonly certified: false; readonly reason: 'readers'; readonly detail: string };

/** How many of the independent readers must have read the imports (DESIGN 3). */
const READERS_NEEDED = 2;

/**
 * Issues a purity certificate. Refuses a module with an import outside the whitelist, and one whose
 * imports fewer than two readers could read.
 * @throws {InputError} `reader-disagreement`.
 */
export async function certify(crypto: Crypto, request: CertifyRequest): Promise<CertifyResult> {
  const { report, whitelist, certifier } = request;
  requireAgreement(report);
  if (countAgreeing(report) < READERS_NEEDED) {
    return { certified: false, reason: 'readers', detail: describeReaders(report) };
  }
  const proof = prove(report.imports, whitelist, certifier.publicKey.keyId, request.issuedAt);
  if (!proof.allImportsPure) {
    const impure = proof.imports.filter((entry) => entry.class === 'impure');
    return { certified: false, reason: 'impure', impure };
  }
  const certificate = await sign(crypto, request, proof);
  const statement = inTotoStatement(request.artifactName, report.sha256, proof);
  return {
    certified: true,
    certificate,
    bytes: serializeCertificate(certificate),
    inToto: await signEnvelope(IN_TOTO_PAYLOAD_TYPE, canonicalBytes(statement), certifier),
  };
}

async function sign(
  crypto: Crypto,
  { report, certifier, publisher }: CertifyRequest,
  proof: PurityProof,
): Promise<PurityCertificate> {
  const artifactHash = report.sha256;
  const proofHash = crypto.sha256(canonicalBytes(proof));
  const signature = await certifier.sign(certifierMessage(artifactHash, proofHash));
  return {
    format: CERTIFICATE_FORMAT,
    artifactHash,
    proofHash,
    proof,
    signature: encodeSignature(signature),
    ...(publisher && { publisher: await signAsPublisher(publisher, artifactHash, proofHash) }),
  };
}

async function signAsPublisher(
  publisher: Signer,
  artifactHash: Sha256,
  proofHash: Sha256,
): Promise<PublisherSignature> {
  const signature = await publisher.sign(publisherMessage(artifactHash, proofHash));
  return { keyId: publisher.publicKey.keyId, signature: encodeSignature(signature) };
}

function describeReaders(report: CertifiableReport): string {
  return report.readers
    .map((o) => (o.outcome === 'agrees' ? `${o.reader} read it` : `${o.reader}: ${o.detail}`))
    .join('; ');
}
