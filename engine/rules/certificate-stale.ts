import { shortHash } from '../encoding/display.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const certificateStale = {
  code: 'certificate-stale',
  severity: 'warning',
  summary: 'The artifact changed after it was certified.',
  check,
} as const satisfies Rule;

function* check({ artifact, certificate }: RuleContext): Iterable<Finding> {
  if (certificate?.state !== 'read' || certificate.bindsArtifact) return;
  if (artifact.state !== 'read') return;
  const { artifactHash, proof } = certificate.certificate;
  const day = proof.metadata.issuedAt.slice(0, 10);
  yield {
    message: `the file changed after it was certified on ${day}: its SHA-256 was ${shortHash(artifactHash)}…, is ${shortHash(artifact.report.sha256)}…`,
    subject: 'certificate',
    location: { file: 'certificate', path: ['artifactHash'] },
    help: 'Certify it again, or restore the file that was certified.',
  };
}
