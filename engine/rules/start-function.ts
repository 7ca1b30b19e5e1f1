import { displayText } from '../encoding/display.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const startFunction = {
  code: 'start-function',
  severity: 'info',
  summary: 'The module has a start function, which runs before the entry.',
  check,
} as const satisfies Rule;

const START_SECTION = 8;

function* check({ artifact }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'read' || artifact.report.start === undefined) return;
  const { start, callGraph, sections } = artifact.report;
  const section = sections.find(({ id }) => id === START_SECTION);
  yield {
    message: `${displayText(callGraph.nameOf(start))} runs when the module is instantiated, before the entry`,
    subject: 'start',
    ...(section && { location: { file: 'artifact', offset: section.offset } }),
    help: 'It is held by the same fuel and limits as the entry, and can call nothing that is not in the whitelist. Nothing has to be done.',
  };
}
