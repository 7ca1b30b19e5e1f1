// Reading a module: bytes in, `ModuleReport` out (DESIGN 3).

export { countAgreeing, requireAgreement } from './agreement.ts';
export { demangle } from './demangle.ts';
export { MAX_NONDETERMINISTIC } from './features.ts';
export { recipeFor } from './recipes.ts';
export { inspectModule } from './report.ts';
export type * from './types.ts';
export { compareWithV8 } from './v8-opinion.ts';
export { type ModuleLayout, readLayout } from './walker.ts';
export { assembleWat, MAX_WAT_BYTES } from './wat.ts';
