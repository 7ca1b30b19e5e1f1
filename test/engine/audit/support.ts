import assert from 'node:assert/strict';
import { audit } from '../../../engine/audit/audit.ts';
import type { Finding, FindingCode } from '../../../engine/audit/findings.ts';
import type { AuditReport } from '../../../engine/audit/report.ts';
import type { AuditDeciders, AuditRequest } from '../../../engine/audit/request.ts';
import { parseTrustStore } from '../../../engine/gate/trust-store.ts';
import { findAudited } from '../../../engine/platform/node/audit-files.ts';
import { NOW, whitelist } from '../../support/gate.ts';
import { crypto, type Evidence } from './evidence.ts';
import { auditSchema } from './schema.ts';

export function deciders(trust: string, changes: Partial<AuditDeciders> = {}): AuditDeciders {
  return {
    trust: parseTrustStore(crypto, trust, 'the trust store'),
    trustSource: { source: 'auditor.json', own: false },
    builtIn: whitelist,
    whitelists: [],
    now: () => NOW,
    ...changes,
  };
}

/** Audits a folder by an auditor's trust store. What it answers is the document, and nothing else. */
export async function auditOf(
  { folder, trust }: Pick<Evidence, 'folder' | 'trust'>,
  { by, ...request }: Partial<AuditRequest> & { readonly by?: Partial<AuditDeciders> } = {},
): Promise<AuditReport> {
  const asked = { deciders: deciders(trust, by), ...request };
  const report = await audit(crypto, await findAudited(folder), asked);
  auditSchema.parse(JSON.parse(JSON.stringify(report)));
  return report;
}

/** The codes of findings, in the order in which they are told. */
export function codesOf({ findings }: AuditReport): readonly FindingCode[] {
  return findings.map(({ code }) => code);
}

/** The only finding of a code. */
export function findingOf(report: AuditReport, code: FindingCode): Finding {
  const found = report.findings.filter((finding) => finding.code === code);
  const [finding] = found;
  assert.ok(finding !== undefined && found.length === 1, `${code} among ${told(report)}`);
  return finding;
}

export function told({ findings }: AuditReport): string {
  return JSON.stringify(findings, undefined, 1);
}
