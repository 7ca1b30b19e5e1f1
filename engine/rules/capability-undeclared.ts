import { displayText } from '../encoding/display.ts';
import { DIRECTIVES } from '../whitelist/directives.ts';
import { manifestField } from './manifest-field.ts';
import type { Finding, Rule, RuleContext } from './types.ts';

export const capabilityUndeclared = {
  code: 'capability-undeclared',
  severity: 'warning',
  summary: 'The module can ask for an effect whose capability executor.json does not declare.',
  check,
} as const satisfies Rule;

function* check({ artifact, project }: RuleContext): Iterable<Finding> {
  if (artifact.state !== 'read' || project === undefined) return;
  const declared: ReadonlySet<string> = new Set(project.manifest.capabilities);
  for (const { entry, classification } of artifact.imports) {
    if (classification.class !== 'directive') continue;
    const tag = classification.function.directive ?? '';
    const capability = DIRECTIVES.get(tag)?.capability ?? undefined;
    if (capability === undefined || declared.has(capability)) continue;
    const shown = displayText(tag);
    yield {
      message: `${shown} needs ${capability}, which executor.json does not declare`,
      subject: shown,
      location: manifestField(project, ['capabilities']),
      related: [
        {
          message: `the module imports ${shown} here`,
          location: { file: 'artifact', offset: entry.offset },
        },
      ],
      help: `Add "${capability}" to "capabilities", or drop the import.`,
    };
  }
}
