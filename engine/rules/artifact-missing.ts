import { displayText } from '../encoding/display.ts';
import { manifestField } from './manifest-field.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const artifactMissing = {
  code: 'artifact-missing',
  severity: 'error',
  summary: 'The artifact that executor.json names is not there, or cannot be read.',
  check,
} as const satisfies Rule;

function* check({ artifact, project }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'missing') return;
  const build = project?.manifest.build;
  yield {
    message: artifact.reason,
    subject: 'artifact',
    ...(project && { location: manifestField(project, ['artifact']) }),
    help:
      build === undefined
        ? 'Build it, and say how in "build" of executor.json.'
        : `Build it: ${displayText(build, 300)}`,
  };
}
