import type { CheckCode } from '../gate/types.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const certificateInvalid = {
  code: 'certificate-invalid',
  severity: 'error',
  summary: 'The certificate is broken, forged or revoked: the gate refuses it.',
  check,
} as const satisfies Rule;

/** Checks whose failure has a rule of its own: certificate-stale and whitelist-outdated. */
const OTHERS: ReadonlySet<CheckCode> = new Set(['artifact-binding', 'classification', 'currency']);

function* check({ certificate }: RuleContext): Iterable<Finding> {
  if (certificate?.state === 'unreadable') {
    yield finding(certificate.error.message);
  }
  if (certificate?.state !== 'read') return;
  const { gate } = certificate;
  if (gate === undefined || gate.admits || gate.isUntrusted || OTHERS.has(gate.failed.code)) return;
  const { code, detail } = gate.failed;
  yield finding(`the gate refuses the certificate at ${code}: ${detail ?? ''}`);
}

function finding(message: string): Finding {
  return {
    message,
    subject: 'certificate',
    location: { file: 'certificate' },
    help: 'Do not run the artifact on the strength of it. Certify it again, or get both from where they were published.',
  };
}
