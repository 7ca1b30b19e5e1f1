import { displayText } from '../encoding/display.ts';
import { nearest } from '../project/nearest.ts';
import type { Finding, Rule, RuleContext } from './types.ts';
import { weightOf } from './weight.ts';

export const missingEntry = {
  code: 'missing-entry',
  severity: 'error',
  summary: 'The module does not export the function that runs.',
  check,
} as const satisfies Rule;

const ENTRY_TYPE = '() -> ()';
const DEFAULT_ENTRY = 'plan';

function* check(context: RuleContext): Iterable<Finding> {
  const { artifact, project } = context;
  if (artifact.state !== 'read') return;
  const { exports } = artifact.report;
  const entry = project?.manifest.entry ?? DEFAULT_ENTRY;
  const found = exports.find(({ name }) => name === entry);
  if (found?.kind === 'function' && found.type === ENTRY_TYPE) return;
  const shown = displayText(entry);
  if (found === undefined) {
    const functions = exports.filter(({ kind }) => kind === 'function').map(({ name }) => name);
    const near = nearest(entry, functions);
    yield {
      message: `the module exports no function ${shown}${near === undefined ? '' : `; did you mean ${displayText(near)}?`}`,
      subject: shown,
      help: `Export a function ${shown} of type ${ENTRY_TYPE}, or name another in "entry" of executor.json.`,
      ...weightOf(context),
    };
  } else {
    yield {
      message: `the export ${shown} is ${found.kind === 'function' ? 'a function' : `a ${found.kind}`} ${displayText(found.type, 200)}; the entry is a function ${ENTRY_TYPE}`,
      subject: shown,
      location: { file: 'artifact', offset: found.offset },
      help: 'An entry takes nothing and gives nothing: it reads with get_input and answers with set_output.',
      ...weightOf(context),
    };
  }
}
