// How an executor stands, in the words and icons that every view uses for it.

import { displayText, shortHash } from '../../engine/encoding/display.ts';
import type { Tier } from '../../engine/gate/types.ts';
import { plural, whitelistText } from '../../engine/rules/words.ts';
import type { AnalysedCertificate, AnalysedFinding, Analysis } from '../analysis/results.ts';

/** A codicon and the words that stand beside it. */
export interface Standing {
  readonly icon: string;
  readonly words: string;
}

type CertificateState = AnalysedCertificate['state'];

const CERTIFICATE_STANDINGS: Readonly<Record<Exclude<CertificateState, 'missing'>, Standing>> = {
  unreadable: { icon: 'error', words: 'certificate unreadable' },
  stale: { icon: 'history', words: 'certificate stale' },
  refused: { icon: 'error', words: 'certificate refused' },
  untrusted: { icon: 'unverified', words: 'certifier untrusted' },
  admitted: { icon: 'verified', words: 'certified' },
};

const WITHOUT_CERTIFICATE: Readonly<Record<Tier, Standing>> = {
  1: { icon: 'circle-outline', words: 'not certified' },
  2: { icon: 'inspect', words: 'tier 2, static analysis' },
  3: { icon: 'unverified', words: 'tier 3, unchecked' },
};

/** How the certificate stands; without one, what the executor's tier makes of that. */
export function certificateStanding(state: CertificateState, tier: Tier): Standing {
  return state === 'missing' ? WITHOUT_CERTIFICATE[tier] : CERTIFICATE_STANDINGS[state];
}

/** How the certificate stands, in one sentence. Its texts are safe to show, but not Markdown. */
export function certificateSentence(certificate: AnalysedCertificate): string {
  const { state, detail, issuedAt, certifier } = certificate;
  const day = issuedAt === undefined ? '' : ` on ${displayText(issuedAt.slice(0, 10))}`;
  const by = certifier === undefined ? '' : ` ${displayText(shortHash(certifier))}`;
  switch (state) {
    case 'missing':
      return 'Not certified.';
    case 'admitted':
      return `Certified${day}${by === '' ? '' : ` by${by}`}.`;
    case 'stale':
      return `Certificate stale: the file changed after it was certified${day}.`;
    case 'untrusted':
      return `Nobody here trusts the certifier${by}.`;
    case 'refused':
      return sentence('Refused at', detail);
    case 'unreadable':
      return sentence('Certificate unreadable:', detail);
  }
}

function sentence(words: string, detail: string | undefined): string {
  const shown = displayText(detail ?? '', 300).replace(/\.$/, '');
  return `${words} ${shown}.`;
}

/** The number of imports that are in no whitelist. */
export function impureCount({ imports }: Analysis): number {
  return imports.filter((entry) => entry.class === 'impure').length;
}

/** `4 of its 7 imports are not in the whitelist mashin@1`; for a module with impure imports. */
export function impureText(analysis: Analysis): string {
  const impure = impureCount(analysis);
  const all = analysis.imports.length;
  const verb = impure === 1 ? 'is' : 'are';
  const subject =
    all === 1 ? 'its only import' : `${number(impure)} of its ${plural(all, 'import')}`;
  return `${subject} ${verb} not in the whitelist ${whitelistText(analysis.whitelist)}`;
}

/**
 * The error that keeps the imports from being known, or the executor from running whatever its
 * imports and its certificate are.
 */
export function blockingFinding({ findings }: Analysis): AnalysedFinding | undefined {
  return findings.find(({ code, severity }) => severity === 'error' && !NOT_BLOCKING.has(code));
}

/** Rules about what the standing tells anyway: the imports, and the certificate. */
const NOT_BLOCKING: ReadonlySet<string> = new Set([
  'impure-import',
  'unknown-host-function',
  'import-type-mismatch',
  'unreachable-impure-import',
  'certificate-invalid',
]);

function number(count: number): string {
  return count.toLocaleString('en');
}
