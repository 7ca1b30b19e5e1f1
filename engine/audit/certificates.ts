import {
  CERTIFICATE_SUFFIX,
  type PurityCertificate,
  serializeCertificate,
} from '../certificate/certificate.ts';
import { type ParsedCertificate, parseCertificate } from '../certificate/parse.ts';
import type { Crypto, Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import { InputError } from '../encoding/input-error.ts';
import { canonicalBytes } from '../encoding/json.ts';
import { runPolicyChecks, runPurityChecks, runPurityChecksWithoutBytes } from '../gate/checks.ts';
import { DEFAULT_POLICY } from '../gate/policy.ts';
import type { CheckResult, GateEnvironment } from '../gate/types.ts';
import type { Findings } from './findings.ts';
import type { Modules } from './modules.ts';
import type { AuditDeciders } from './request.ts';
import type { AuditedFile } from './sources.ts';
import type { Whitelists } from './whitelists.ts';

/** A certificate, and what the gate's checks say of it. */
export interface JudgedCertificate
  extends Pick<PurityCertificate, 'artifactHash'>,
    Pick<PurityCertificate['proof']['metadata'], 'certifier' | 'issuedAt'> {
  readonly file: string;
  /** SHA-256 of the certificate file. */
  readonly hash: Sha256;
  /** Whether it came in an attestation. */
  readonly isEmbedded: boolean;
  /** The file of the module that checks 2 and 4 looked at. */
  readonly module: string | undefined;
  readonly checks: readonly CheckResult[];
  readonly holds: boolean;
}

/** The certificates at hand. */
export interface Certificates {
  take(file: AuditedFile): Promise<void>;
  /** @param file that of the attestation that the certificate came in. */
  takeEmbedded(certificate: PurityCertificate, file: string): Promise<void>;
  find(hash: Sha256): JudgedCertificate | undefined;
  /** A certificate of this module that holds. */
  ofModule(artifactHash: Sha256): JudgedCertificate | undefined;
  all(): Iterable<JudgedCertificate>;
}

/** What certificates are judged by, and with. */
export interface CertificateMeans {
  readonly crypto: Crypto;
  readonly deciders: AuditDeciders;
  readonly whitelists: Whitelists;
  readonly modules: Modules;
  readonly findings: Findings;
}

export function createCertificates(means: CertificateMeans): Certificates {
  const { crypto, modules, findings } = means;
  const byHash = new Map<Sha256, JudgedCertificate>();
  const byModule = new Map<Sha256, JudgedCertificate>();
  const keep = async (
    parsed: ParsedCertificate,
    hash: Sha256,
    file: string,
    isEmbedded: boolean,
  ) => {
    if (byHash.has(hash)) return;
    const judged = await judge(means, parsed, { hash, file, isEmbedded });
    byHash.set(hash, judged);
    if (judged.holds) byModule.set(judged.artifactHash, judged);
  };
  return {
    take: async ({ file, read }) => {
      try {
        const bytes = await read();
        const parsed = parseCertificate(bytes, displayText(file, 300));
        reportChangedModule(parsed.certificate, file, modules, findings);
        await keep(parsed, crypto.sha256(bytes), file, false);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        findings.add('unreadable-file', { file }, error.message);
      }
    },
    takeEmbedded: (certificate, file) => {
      const hash = crypto.sha256(serializeCertificate(certificate));
      const proofBytes = canonicalBytes(certificate.proof);
      return keep({ certificate, proofBytes }, hash, file, true);
    },
    find: (hash) => byHash.get(hash),
    ofModule: (hash) => byModule.get(hash),
    all: () => byHash.values(),
  };
}

/** A certificate lies beside its module: another one in that place is not what was certified. */
function reportChangedModule(
  { artifactHash }: PurityCertificate,
  file: string,
  modules: Modules,
  findings: Findings,
): void {
  const module = file.slice(0, -CERTIFICATE_SUFFIX.length);
  const actual = modules.hashOf(module);
  if (actual === undefined || actual === artifactHash) return;
  const message = `it is not the module that the certificate beside it is about: its SHA-256 is ${shortHash(actual)}…, that of the certificate ${shortHash(artifactHash)}…`;
  findings.add('module-changed', { file: module }, message);
}

async function judge(
  { crypto, deciders, whitelists, modules }: CertificateMeans,
  { certificate, proofBytes }: ParsedCertificate,
  about: Pick<JudgedCertificate, 'hash' | 'file' | 'isEmbedded'>,
): Promise<JudgedCertificate> {
  const { artifactHash, proof } = certificate;
  const { certifier, issuedAt, whitelist } = proof.metadata;
  const environment = gateEnvironment(crypto, deciders, whitelists, whitelist.hash);
  const candidate = { certificate, proofBytes, certificateHash: about.hash };
  const bytes = await modules.read(artifactHash);
  const pure =
    bytes === undefined
      ? runPurityChecksWithoutBytes(candidate, environment)
      : runPurityChecks({ ...candidate, bytes }, environment);
  const checks = pure.every(({ ok }) => ok)
    ? [...pure, ...runPolicyChecks(candidate, environment)]
    : pure;
  return {
    ...about,
    ...{ artifactHash, certifier, issuedAt },
    module: bytes && modules.fileOf(artifactHash),
    checks,
    holds: checks.every(({ ok }) => ok),
  };
}

/** What the gate decides by about something that was made under the whitelist with this hash. */
export function gateEnvironment(
  crypto: Crypto,
  { trust, policy, now }: AuditDeciders,
  whitelists: Whitelists,
  whitelistHash: Sha256,
): GateEnvironment {
  return {
    ...{ crypto, trust, now },
    whitelist: whitelists.toDecideBy(whitelistHash),
    policy: policy?.document ?? DEFAULT_POLICY,
  };
}
