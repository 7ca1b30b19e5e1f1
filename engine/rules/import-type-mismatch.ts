import type { Whitelist, WhitelistFunction } from '../whitelist/types.ts';
import { functionTypeText } from '../whitelist/whitelist.ts';
import { importFinding } from './import-finding.ts';
import { importsOf } from './judge.ts';
import type { Finding, JudgedImport, Rule, RuleContext } from './types.ts';
import { whitelistText } from './words.ts';

export const importTypeMismatch = {
  code: 'import-type-mismatch',
  severity: 'error',
  summary: 'An import has the name of a whitelisted function, and another kind or type.',
  check,
} as const satisfies Rule;

function* check({ artifact, whitelist }: RuleContext): Iterable<Finding> {
  for (const judged of importsOf(artifact, 'type-mismatch')) {
    const { classification } = judged;
    if ('function' in classification) {
      yield mismatchFinding(judged, classification.function, whitelist);
    }
  }
}

/** What is said of an import whose name is listed with another kind or type. */
export function mismatchFinding(
  judged: JudgedImport,
  listed: WhitelistFunction,
  whitelist: Whitelist,
): Finding {
  const expected = functionTypeText(listed);
  return importFinding(
    judged,
    `has the wrong type: ${whitelistText(whitelist)} lists the function ${expected}`,
    `Declare the import as ${expected}.`,
  );
}
