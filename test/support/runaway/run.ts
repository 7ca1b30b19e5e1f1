import type { Allowance, MeterStop } from '../../../engine/metering/meter.ts';
import { type CompiledMetered, compileMetered, MeteredInstance } from '../metered.ts';
import { trapKind } from '../trap-kind.ts';
import { SHAPES } from './shapes.ts';
import { type CATCHES, thrower } from './throwers.ts';

/** What a runaway is given: more than any needs to show what it is, little enough to end soon. */
export const ALLOWANCE: Allowance = Object.freeze({
  fuel: 5_000_000,
  stack: 81_920,
  pages: 10,
  elements: 100_000,
});

/** How one run ended. */
export interface Ended {
  readonly trap: string;
  readonly stop: MeterStop | undefined;
  /** Units that were used. */
  readonly fuel: number;
  /** The executor's own `count`, if it exports one. */
  readonly count: number;
}

/** Runs an executor's start function and plan under the meter alone: no clock, no other thread. */
export function runOnce(compiled: CompiledMetered, allowance: Allowance = ALLOWANCE): Ended {
  const host = { mashin: { get_input_len: () => 0 } };
  const instance = new MeteredInstance(compiled, host, allowance);
  const { plan, count } = instance.exports;
  let trap = 'none';
  try {
    instance.start();
    if (typeof plan === 'function') plan();
  } catch (error) {
    trap = trapKind(error);
  }
  return {
    trap,
    stop: instance.stop,
    fuel: allowance.fuel - instance.fuel,
    count: count instanceof WebAssembly.Global ? Number(count.value) : 0,
  };
}

const LONGER: Allowance = { ...ALLOWANCE, fuel: 20 * ALLOWANCE.fuel };

/** Deep enough that a few rounds would use up all depth, if it leaked; well within it for one. */
const DEEP = 2_000;

/** Units that each level of a recursion costs at least. */
const LEAST_COST = 20;

/**
 * What is wrong with the meter after exceptions: the depth that they unwind has to come back, no more
 * and no less, and of the fuel nothing.
 */
export function throwProblems(way: keyof typeof CATCHES): string[] {
  const problems: string[] = [];
  const [none, ten, twenty, thirty] = [0, 10, 20, 30].map((rounds) =>
    runOnce(compileMetered(thrower(rounds, DEEP, way)), LONGER),
  );
  if (!none || !ten || !twenty || !thirty) return ['nothing was run'];
  for (const { stop, count } of [none, ten, twenty, thirty]) {
    if (stop !== 'call-depth') problems.push(`stopped for ${stop}`);
    if (count !== none.count || count <= DEEP) problems.push(`${count} deep, not ${none.count}`);
  }
  const [first, second] = [twenty.fuel - ten.fuel, thirty.fuel - twenty.fuel];
  if (first !== second) problems.push(`ten rounds cost ${first}, ten more ${second}`);
  if (first < 10 * DEEP * LEAST_COST) problems.push(`ten rounds cost ${first} only`);
  return problems;
}

/** What became of all shapes that this V8 knows. */
export interface Runaways {
  readonly run: readonly string[];
  readonly unknown: readonly string[];
  /** Where the meter was not what ended it, or not the same way twice. */
  readonly problems: string[];
}

export function runShapes(): Runaways {
  const run: string[] = [];
  const unknown: string[] = [];
  const problems: string[] = [];
  for (const { name, end, bytes } of SHAPES) {
    const module = Uint8Array.from(bytes());
    if (!WebAssembly.validate(module)) {
      unknown.push(name);
      continue;
    }
    run.push(name);
    const compiled = compileMetered(module);
    const [ended, again] = [runOnce(compiled), runOnce(compiled)];
    if (ended.stop !== end || ended.trap !== 'unreachable') {
      problems.push(`${name}: ${ended.trap}, stopped for ${ended.stop}; expected ${end}`);
    }
    if (ended.fuel !== again.fuel || ended.count !== again.count || again.stop !== ended.stop) {
      problems.push(`${name}: ${JSON.stringify(ended)}, then ${JSON.stringify(again)}`);
    }
  }
  return { run, unknown, problems };
}
