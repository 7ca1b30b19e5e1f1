import { suggestFunction } from '../whitelist/suggest.ts';
import type { Whitelist } from '../whitelist/types.ts';
import { importFinding } from './import-finding.ts';
import { importsOf } from './judge.ts';
import type { Finding, JudgedImport, Rule, RuleContext } from './types.ts';
import { importName, whitelistText } from './words.ts';

export const unknownHostFunction = {
  code: 'unknown-host-function',
  severity: 'error',
  summary:
    'A function is imported from a module of the host interface, which has none of that name.',
  check,
} as const satisfies Rule;

function* check({ artifact, whitelist }: RuleContext): Iterable<Finding> {
  for (const judged of importsOf(artifact, 'unknown-host-function')) {
    yield unknownFunctionFinding(judged, whitelist);
  }
}

/** What is said of a function that a module of the host interface does not have. */
export function unknownFunctionFinding(judged: JudgedImport, whitelist: Whitelist): Finding {
  const near = suggestFunction(whitelist, judged.entry);
  const hint = near === undefined ? '' : `; did you mean ${importName(near)}?`;
  return importFinding(judged, `is no function of ${whitelistText(whitelist)}${hint}`);
}
