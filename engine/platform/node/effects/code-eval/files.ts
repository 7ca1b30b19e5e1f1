import type { EvaluatorOptions } from './evaluator.ts';

/**
 * Where the parts of the evaluator lie: in the folder of the bundles, whose code may lie in `chunks/`
 * there; for sources, in the folder that the build makes.
 */
export function evaluatorFiles(
  here: string = import.meta.url,
): Pick<EvaluatorOptions, 'script' | 'quickjs'> {
  const up = here.endsWith('.ts')
    ? '../../../../../dist/'
    : /\/chunks\/[^/]*$/.test(here)
      ? '../'
      : './';
  const bundles = new URL(up, here);
  return {
    script: new URL('eval-host.js', bundles),
    quickjs: new URL('quickjs/emscripten-module.wasm', bundles),
  };
}
