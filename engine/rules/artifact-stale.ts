import { displayText } from '../encoding/display.ts';
import { manifestField } from './manifest-field.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import { plural } from './words.ts';

export const artifactStale = {
  code: 'artifact-stale',
  severity: 'warning',
  summary: 'A source is newer than the artifact.',
  check,
} as const satisfies Rule;

/** A checkout writes all files within moments, in any order. In milliseconds. */
const TOLERANCE = 1000;

function* check({ artifact, project }: RuleContext): Iterable<Finding> {
  const builtAt = project?.artifactModifiedAt;
  if (artifact.state === 'missing' || project === undefined || builtAt === undefined) return;
  const newer = project.sources
    .filter(({ modifiedAt }) => modifiedAt > builtAt + TOLERANCE)
    .sort((a, b) => b.modifiedAt - a.modifiedAt);
  const [newest, ...others] = newer;
  if (newest === undefined) return;
  const { build } = project.manifest;
  const more = others.length === 0 ? '' : ` and ${plural(others.length, 'other source')}`;
  yield {
    message: `${displayText(newest.path)}${more} changed after the artifact was built (${timeText(newest.modifiedAt)}, built ${timeText(builtAt)})`,
    subject: 'artifact',
    location: manifestField(project, ['artifact']),
    help: build === undefined ? 'Build it again.' : `Build it again: ${displayText(build, 300)}`,
  };
}

/** `2026-11-18 14:02:11 UTC`. */
function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}
