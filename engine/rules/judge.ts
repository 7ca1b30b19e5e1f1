import type { ImportEntry, ModuleReport } from '../module/types.ts';
import type { Classification, Whitelist } from '../whitelist/types.ts';
import type { ArtifactState, JudgedImport, Verdict } from './types.ts';

// A hostile module may have a great many imports, each behind a great many calls.
const MAX_PATHS = 500;
const MAX_FRAMES = 20_000;

/** Classifies the imports of a module and decides which rule speaks of each. */
export function judgeImports(report: ModuleReport, whitelist: Whitelist): readonly JudgedImport[] {
  const hostModules = hostModulesOf(whitelist);
  let pathsLeft = MAX_PATHS;
  let framesLeft = MAX_FRAMES;
  return report.imports.map((entry, index) => {
    const classification = whitelist.classify(entry);
    if (classification.class !== 'impure') {
      return { entry, index, classification, verdict: 'listed', callPath: undefined };
    }
    const isSearched = pathsLeft > 0 && framesLeft > 0;
    const callPath = isSearched ? report.callGraph.pathTo(index) : undefined;
    pathsLeft--;
    framesLeft -= callPath?.frames.length ?? 0;
    const isUnreached = isSearched && callPath === undefined;
    const verdict = verdictOf(entry, classification, hostModules, isUnreached);
    return { entry, index, classification, verdict, callPath };
  });
}

/** The rule that speaks of an import outside the whitelist. */
export function verdictOf(
  entry: Pick<ImportEntry, 'module' | 'kind'>,
  classification: Classification & { readonly class: 'impure' },
  hostModules: ReadonlySet<string>,
  isUnreached: boolean,
): Verdict {
  if (classification.mismatch === 'type') return 'type-mismatch';
  if (entry.kind !== 'function') return 'impure';
  if (hostModules.has(entry.module)) return 'unknown-host-function';
  return isUnreached ? 'unreachable' : 'impure';
}

/** The modules of the host interface that a whitelist lists. */
export function hostModulesOf(whitelist: Whitelist): ReadonlySet<string> {
  return new Set(whitelist.functions.map((f) => f.module));
}

/** The imports with one verdict; none where the artifact was not read. */
export function importsOf(artifact: ArtifactState, verdict: Verdict): readonly JudgedImport[] {
  if (artifact.state !== 'read') return [];
  return artifact.imports.filter((judged) => judged.verdict === verdict);
}
