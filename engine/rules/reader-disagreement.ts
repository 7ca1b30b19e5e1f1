import { countAgreeing } from '../module/agreement.ts';
import type { ReaderOpinion } from '../module/types.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const readerDisagreement = {
  code: 'reader-disagreement',
  severity: 'error',
  summary: 'Independent readers do not agree on the imports, or too few could read them.',
  check,
} as const satisfies Rule;

/** How many readers certifying needs (DESIGN 3). */
const NEEDED = 2;
const HELP =
  'Certify refuses such a module. Build it with a current toolchain; if it stays, the file is either damaged or made to deceive a reader.';

function* check({ artifact }: RuleContext): Iterable<Finding> {
  if (artifact.state === 'refused' && artifact.error.code === 'reader-disagreement') {
    yield { message: artifact.error.message, subject: 'imports', help: HELP };
  }
  if (artifact.state !== 'read') return;
  const { readers, sections } = artifact.report;
  const section = sections.find(({ id }) => id === 2);
  const location = { file: 'artifact', offset: section?.offset ?? 0 } as const;
  const disagreeing = readers.filter(isDisagreeing);
  for (const { reader, detail } of disagreeing) {
    yield { message: `readers disagree on ${detail}`, subject: reader, location, help: HELP };
  }
  if (disagreeing.length === 0 && countAgreeing(artifact.report) < NEEDED) {
    const failures = readers.flatMap((o) =>
      o.outcome === 'cannot-read' ? [`${o.reader}: ${o.detail}`] : [],
    );
    yield {
      message: `fewer than two independent readers could read the imports; ${failures.join('; ')}`,
      subject: 'imports',
      location,
      help: HELP,
    };
  }
}

function isDisagreeing(o: ReaderOpinion): o is ReaderOpinion & { readonly outcome: 'disagrees' } {
  return o.outcome === 'disagrees';
}
