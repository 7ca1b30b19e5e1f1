import { describeDifference, type SeenImport } from './import-difference.ts';
import type { ImportEntry, ReaderOpinion } from './types.ts';

/**
 * Compares the walker's imports with V8's own (module, name and kind; V8 gives no types), because
 * V8 is what links the module. Reads only what V8 has already compiled.
 */
export function compareWithV8(
  imports: readonly ImportEntry[],
  module: WebAssembly.Module,
): ReaderOpinion {
  const seen: SeenImport[] = WebAssembly.Module.imports(module).map(({ module, name, kind }) => ({
    module,
    name,
    kind,
  }));
  const detail = describeDifference(imports, 'v8', seen);
  return detail === undefined
    ? { reader: 'v8', outcome: 'agrees' }
    : { reader: 'v8', outcome: 'disagrees', detail };
}
