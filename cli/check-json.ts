import type { Examination, ExaminedArtifact, ExaminedImport } from '../engine/rules/examine.ts';
import type { Diagnostic } from '../engine/rules/types.ts';

/** `check --format json`: the fields of DESIGN 10, in its order, and no others. */
export function checkDocument(examinations: readonly Examination[]) {
  return { artifacts: examinations.map(({ artifact }) => artifactEntry(artifact)) };
}

function artifactEntry(artifact: ExaminedArtifact) {
  const { path, sha256, whitelist, imports, allImportsPure, diagnostics } = artifact;
  return {
    path,
    sha256,
    whitelist: { name: whitelist.name, version: whitelist.version, hash: whitelist.hash },
    imports: imports.map(importEntry),
    allImportsPure,
    diagnostics: diagnostics.map(diagnosticEntry),
  };
}

function importEntry(entry: ExaminedImport) {
  const { module, name, kind, type, category, offset } = entry;
  return {
    module,
    name,
    kind,
    type,
    class: entry.class,
    ...(category !== undefined && { category }),
    offset,
  };
}

function diagnosticEntry({ code, severity, message, location }: Diagnostic) {
  return { code, severity, message, ...(location !== undefined && { location }) };
}
