import { shortHash } from '../encoding/display.ts';
import type { Whitelist } from '../whitelist/types.ts';
import type { CertificateState, Finding, GateAnswer, Rule, RuleContext } from './types.ts';
import { whitelistText } from './words.ts';

type ReadCertificate = CertificateState & { readonly state: 'read' };

export const whitelistOutdated = {
  code: 'whitelist-outdated',
  severity: 'warning',
  summary: 'The certificate was issued against another whitelist than the one in force.',
  check,
} as const satisfies Rule;

function* check({ certificate, whitelist }: RuleContext): Iterable<Finding> {
  if (certificate?.state !== 'read') return;
  const message = refusal(certificate.gate) ?? difference(certificate, whitelist);
  if (message === undefined) return;
  yield {
    message,
    subject: 'whitelist',
    location: { file: 'certificate', path: ['proof', 'metadata', 'whitelist'] },
    help: 'Certify the artifact again, against the whitelist in force.',
  };
}

function refusal(gate: GateAnswer | undefined): string | undefined {
  if (gate === undefined || gate.admits) return undefined;
  const { code, detail } = gate.failed;
  return code === 'currency' || code === 'classification' ? detail : undefined;
}

/** For when the gate was not asked: its policy may accept earlier versions, so its answer counts. */
function difference({ certificate, gate }: ReadCertificate, now: Whitelist): string | undefined {
  const { name, version, hash } = certificate.proof.metadata.whitelist;
  if (gate !== undefined || hash === now.hash) return undefined;
  return `certified against ${whitelistText({ name, version })} (${shortHash(hash)}…); in force is ${whitelistText(now)} (${shortHash(now.hash)}…)`;
}
