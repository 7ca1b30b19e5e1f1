import { suggestFunction } from '../whitelist/suggest.ts';
import type { Whitelist } from '../whitelist/types.ts';
import { importFinding } from './import-finding.ts';
import { importsOf } from './judge.ts';
import type { Finding, JudgedImport, Rule, RuleContext } from './types.ts';
import { importName, whitelistText } from './words.ts';

export const impureImport = {
  code: 'impure-import',
  severity: 'error',
  summary: 'An import is not in the whitelist.',
  check,
} as const satisfies Rule;

function* check({ artifact, whitelist }: RuleContext): Iterable<Finding> {
  for (const judged of importsOf(artifact, 'impure')) yield impureFinding(judged, whitelist);
}

/** What is said of an import that the whitelist knows nothing of. */
export function impureFinding(judged: JudgedImport, whitelist: Whitelist): Finding {
  const problem = `is outside ${whitelistText(whitelist)}`;
  return importFinding(judged, problem, otherModuleHint(judged, whitelist));
}

/** A host function imported from the wrong module, as happens where a binding names none. */
function otherModuleHint({ entry }: JudgedImport, whitelist: Whitelist): string | undefined {
  const near = entry.kind === 'function' ? suggestFunction(whitelist, entry) : undefined;
  return near?.name === entry.name ? `Did you mean ${importName(near)}?` : undefined;
}
