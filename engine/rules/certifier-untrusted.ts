import type { Finding, Rule, RuleContext } from './types.ts';

export const certifierUntrusted = {
  code: 'certifier-untrusted',
  severity: 'warning',
  summary: 'Nobody here trusts the key that signed the certificate, or no longer.',
  check,
} as const satisfies Rule;

function* check({ certificate }: RuleContext): Iterable<Finding> {
  if (certificate?.state !== 'read') return;
  const { gate } = certificate;
  if (gate === undefined || gate.admits || !gate.isUntrusted) return;
  yield {
    message: gate.failed.detail ?? 'nobody here trusts the certifier',
    subject: certificate.certificate.proof.metadata.certifier,
    location: { file: 'certificate', path: ['proof', 'metadata', 'certifier'] },
    help: 'If you know whose key it is and want to rely on it: touchstone keys trust FILE.pub --trust .touchstone/trust.json. Else certify the artifact with a key of your own.',
  };
}
