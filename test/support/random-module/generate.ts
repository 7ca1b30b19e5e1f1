import { AGGREGATES } from './aggregates.ts';
import { Body } from './body.ts';
import { CALLS } from './calls.ts';
import { CONTROL } from './control.ts';
import { encodeModule } from './encode.ts';
import { EXCEPTIONS } from './exceptions.ts';
import { FEATURES } from './features.ts';
import { MEMORY } from './memory.ts';
import { NUMERIC } from './numeric.ts';
import { Random } from './random.ts';
import { Repertoire } from './repertoire.ts';
import { type CodeStyle, randomShape, type Shape, typeOfFunction } from './shape.ts';
import { TABLES } from './tables.ts';

const FAMILIES = [NUMERIC, MEMORY, TABLES, CONTROL, CALLS, EXCEPTIONS, AGGREGATES];

/** Instructions of a function, roughly. */
const SIZE = { least: 20, spread: 120 };

/** A module that was generated, and what is known of it. */
export interface RandomModule {
  readonly seed: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly shape: Shape;
  /** Opcodes in it. */
  readonly used: ReadonlySet<number>;
}

/**
 * Generates a valid module; the same seed and style give the same module on the same V8. It uses all
 * features that this V8 has, but of the two kinds of exceptions one or the other, or none.
 */
export function generateModule(
  seed: number,
  { bounded, nan }: Pick<CodeStyle, 'bounded' | 'nan'>,
): RandomModule {
  const random = new Random(seed);
  const exceptions = random.pick([
    ...(FEATURES.legacyExceptions ? (['legacy'] as const) : []),
    ...(FEATURES.exnref ? (['exnref'] as const) : []),
    'none' as const,
  ]);
  const features = { ...FEATURES, exnref: exceptions === 'exnref' };
  const shape = randomShape(random, features, { bounded, nan, exceptions });
  const used = new Set<number>();
  const repertoire = new Repertoire(shape, FAMILIES);
  const bodies = shape.functions.slice(shape.importedFunctions).map((_, i) => {
    const size = SIZE.least + random.below(SIZE.spread);
    const type = typeOfFunction(shape, shape.importedFunctions + i);
    const body = new Body(shape, type, { random, repertoire, used, size });
    body.generate();
    return body.encode();
  });
  return { seed, bytes: encodeModule(shape, { random, used, bodies }), shape, used };
}
