import { displayText } from '../encoding/display.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const certificateMissing = {
  code: 'certificate-missing',
  severity: 'info',
  summary: 'The artifact is pure and has no certificate, so the gate does not admit it at tier 1.',
  check,
} as const satisfies Rule;

/** An impure module cannot be certified, and one designated tier 2 or 3 needs no certificate. */
function* check({ artifact, certificate, project }: RuleContext): Iterable<Finding> {
  if (certificate?.state !== 'missing' || artifact.state !== 'read') return;
  if (project !== undefined && project.manifest.tier !== 1) return;
  if (artifact.imports.some(({ verdict }) => verdict !== 'listed')) return;
  yield {
    message: `not certified: there is no ${displayText(certificate.path, 300)}`,
    subject: 'certificate',
    location: { file: 'artifact' },
    help: 'Certify it: touchstone certify PATH --key FILE.',
  };
}
