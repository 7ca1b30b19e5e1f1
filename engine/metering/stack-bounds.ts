import type { FunctionAnalysis } from './analysis.ts';
import { MAX_STACK_UNITS } from './meter.ts';

/** What a frame needs beside its slots, in units of 8 bytes. */
const FRAME_UNITS = 10;

/**
 * Functions that need no more stack than this, calls and all, do not count it: so much is kept for
 * them beside what a run is allowed. In units of 8 bytes.
 */
const RESERVE = 8_192;

/**
 * A frame's share of the stack, in units of 8 bytes: at least what V8's unoptimised code takes.
 * @param wideTypes whether operands may be vectors though no instruction here says so.
 * @param slots of 8 bytes that parameters and locals take.
 */
export function frameUnits(
  { operands, vectors }: Pick<FunctionAnalysis, 'operands' | 'vectors'>,
  wideTypes: boolean,
  slots: number,
): number {
  const needed = FRAME_UNITS + slots + operands * (vectors || wideTypes ? 2 : 1);
  // One more than there can be: a function that never fits.
  return Math.min(needed, MAX_STACK_UNITS + 1);
}

export interface CallingFunction {
  readonly analysis: Pick<
    FunctionAnalysis,
    'callees' | 'tailCallees' | 'callsUnknown' | 'tailCallsUnknown'
  >;
  readonly units: number;
}

const UNSEEN = -1;
const OPEN = -2;
const UNBOUNDED = Number.POSITIVE_INFINITY;

/**
 * Which functions can never need more than {@link RESERVE}: whatever they call is known, never comes
 * back to them, and is bounded as well. Everything else counts its frames as it runs.
 * @returns 1 for each such function, without the imported ones, in order.
 */
export function boundedFunctions(
  functions: readonly CallingFunction[],
  importedFunctions: number,
): Uint8Array {
  const depths = new Float64Array(functions.length).fill(UNSEEN);
  for (let i = 0; i < functions.length; i++) {
    if (depths[i] === UNSEEN) measure(i, functions, importedFunctions, depths);
  }
  return Uint8Array.from(depths, (depth) => (depth <= RESERVE ? 1 : 0));
}

/** A depth-first walk with a stack of its own: call chains can be as long as the module. */
function measure(
  root: number,
  functions: readonly CallingFunction[],
  importedFunctions: number,
  depths: Float64Array,
): void {
  const path: { readonly index: number; readonly next: Iterator<number> }[] = [];
  const enter = (index: number) => {
    depths[index] = OPEN;
    path.push({ index, next: calledBy(functions[index], importedFunctions) });
  };
  enter(root);
  for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
    const { value, done } = top.next.next();
    if (done) {
      path.pop();
      depths[top.index] = depthOf(functions[top.index], importedFunctions, depths);
    } else if (depths[value] === UNSEEN) enter(value);
  }
}

function* calledBy(
  calling: CallingFunction | undefined,
  importedFunctions: number,
): Generator<number> {
  for (const callees of [calling?.analysis.callees ?? [], calling?.analysis.tailCallees ?? []]) {
    for (const callee of callees) {
      if (callee >= importedFunctions) yield callee - importedFunctions;
    }
  }
}

/** What is still open when it is asked for is on the way here: a circle. */
function depthOf(
  asked: CallingFunction | undefined,
  importedFunctions: number,
  depths: Float64Array,
): number {
  if (asked === undefined || asked.analysis.callsUnknown || asked.analysis.tailCallsUnknown) {
    return UNBOUNDED;
  }
  let deepest = 0;
  for (const callee of calledBy(asked, importedFunctions)) {
    const depth = depths[callee] ?? UNBOUNDED;
    deepest = Math.max(deepest, depth < 0 ? UNBOUNDED : depth);
  }
  return asked.units + deepest;
}
