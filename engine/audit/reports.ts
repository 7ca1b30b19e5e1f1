// What an audit tells, made of what it has gathered.

import type { Sha256 } from '../crypto/crypto.ts';
import { displayText, shortHash } from '../encoding/display.ts';
import type { HookVerdict } from '../governance/hook.ts';
import type { Certificates, JudgedCertificate } from './certificates.ts';
import type { ExecutorEntry } from './executors.ts';
import type { Findings } from './findings.ts';
import type { Modules } from './modules.ts';
import type { CertificateReport, ExecutorReport, HookReport } from './report.ts';
import type { AuditDeciders } from './request.ts';
import { environmentName } from './trees.ts';
import type { Whitelists } from './whitelists.ts';

/** What reports name. */
export interface ReportMeans {
  readonly deciders: AuditDeciders;
  readonly certificates: Certificates;
  readonly modules: Modules;
  readonly whitelists: Whitelists;
  readonly findings: Findings;
}

/** Tells what ran, and finds what it ran under that does not hold. */
export function reportExecutors(
  means: ReportMeans,
  entries: readonly ExecutorEntry[],
): readonly ExecutorReport[] {
  const { deciders, certificates, modules, whitelists } = means;
  const unknown = new Set<Sha256>();
  return entries.flatMap((entry) => {
    const { first, whitelistHash, certificateHash, artifactHash, signer } = entry;
    if (first === undefined) return [];
    reportGrounds(means, entry, first);
    if (!whitelists.isAccepted(whitelistHash) && !unknown.has(whitelistHash)) {
      unknown.add(whitelistHash);
      const name = whitelists.nameOf(whitelistHash);
      const which = name === undefined ? '' : `, ${displayText(name)} of the audited folder`;
      const message = `${displayText(entry.executor, 200)} ran under a whitelist that is not accepted here (${shortHash(whitelistHash)}…${which})`;
      means.findings.add('whitelist-unknown', first, message);
    }
    const certificate = certificateHash === null ? undefined : certificates.find(certificateHash);
    const { executor, tier, purityMethod, runs } = entry;
    return {
      ...{ executor, artifactHash, tier, purityMethod, certificateHash },
      certificate: certificate?.file ?? null,
      module: modules.fileOf(artifactHash) ?? null,
      whitelistHash,
      whitelist: whitelists.nameOf(whitelistHash) ?? null,
      environment: environmentName(deciders.trust, signer),
      ...{ runs, first },
    };
  });
}

/** Finds runs without what their tier stands on. */
function reportGrounds(
  { deciders, certificates, findings }: ReportMeans,
  { executor, artifactHash, certificateHash, tier, runs }: ExecutorEntry,
  where: NonNullable<ExecutorEntry['first']>,
): void {
  const name = displayText(executor, 200);
  const minimum = deciders.policy?.document.minimumTier ?? 3;
  if (tier > minimum) {
    const message = `${name} ran ${times(runs)} in tier ${tier}; the policy admits tier ${minimum}`;
    findings.add('tier-below-policy', where, message);
  }
  if (certificateHash === null) return;
  const certificate = certificates.find(certificateHash);
  if (certificate === undefined) {
    const message = `${name} ran ${times(runs)} under certificate ${certificateHash}, which is not at hand`;
    findings.add('certificate-missing', where, message);
  } else if (certificate.artifactHash !== artifactHash) {
    const message = `${name} ran ${times(runs)} under a certificate of another module: it ran ${shortHash(artifactHash)}…, the certificate is about ${shortHash(certificate.artifactHash)}…`;
    findings.add('certificate-mismatch', where, message);
  }
}

/** Tells the certificates, and finds those that do not hold. */
export function reportCertificates(
  { deciders, certificates, findings }: ReportMeans,
  entries: readonly ExecutorEntry[],
  isTold: (certificate: JudgedCertificate) => boolean,
): readonly CertificateReport[] {
  const runsOf = new Map<Sha256, number>();
  for (const { certificateHash, runs } of entries) {
    if (certificateHash === null) continue;
    runsOf.set(certificateHash, (runsOf.get(certificateHash) ?? 0) + runs);
  }
  return [...certificates.all()].filter(isTold).map((certificate) => {
    const { file, hash, artifactHash, certifier, issuedAt, holds, module, checks } = certificate;
    const runs = runsOf.get(hash) ?? 0;
    // One that came in an attestation, and that no run stands on, is judged with the attestation.
    if (!holds && (runs > 0 || !certificate.isEmbedded)) {
      reportCertificate(deciders, certificate, runs, findings);
    }
    return {
      ...{ file, hash, artifactHash, issuedAt, holds, checks, runs },
      certifier: environmentName(deciders.trust, certifier, 'certifier'),
      module: module ?? null,
    };
  });
}

function reportCertificate(
  { trust, policy }: AuditDeciders,
  { file, hash, certifier, checks }: JudgedCertificate,
  runs: number,
  findings: Findings,
): void {
  const failed = checks.find(({ ok }) => !ok);
  const isRevoked =
    policy?.document.revokedCertificates.has(hash) ||
    policy?.document.revokedKeys.has(certifier) ||
    trust.find(certifier, 'certifier')?.revoked !== undefined;
  const isOfPolicy = failed?.code === 'policy' || failed?.code === 'currency';
  const code = isRevoked
    ? 'certificate-revoked'
    : isOfPolicy
      ? 'certificate-refused'
      : 'certificate-invalid';
  const message = `the certificate does not hold: ${failed?.code}: ${failed?.detail ?? ''} (${times(runs)} relied on)`;
  findings.add(code, { file }, message);
}

function times(runs: number): string {
  return runs === 1 ? 'once' : `${runs} times`;
}

/** Tells the hooks that were asked, with a certificate of theirs that holds. */
export function reportHooks(
  { certificates }: ReportMeans,
  hooks: ReadonlyMap<Sha256 | null, ReadonlyMap<HookVerdict, number>>,
): readonly HookReport[] {
  return [...hooks].map(([artifactHash, verdicts]) => ({
    artifactHash,
    certificate: (artifactHash && certificates.ofModule(artifactHash)?.file) ?? null,
    verdicts: Object.fromEntries(verdicts),
  }));
}
