/** The rules whose findings are each about one import, and stand at its offset. */
export const IMPORT_RULES: ReadonlySet<string> = new Set([
  'impure-import',
  'import-type-mismatch',
  'unknown-host-function',
  'unreachable-impure-import',
]);
