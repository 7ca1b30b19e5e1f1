// Plays a random module: instantiates it, calls everything it exports, and keeps what can be seen.

import type { MeterStop } from '../../../engine/metering/meter.ts';
import { type CompiledMetered, MeteredInstance, PLENTY } from '../metered.ts';
import { trapKind } from '../trap-kind.ts';
import { entriesOf, nameOf } from './encode.ts';
import type { RandomModule } from './generate.ts';
import { type Guest, hostValue, isReadable, makeHost, shown } from './host.ts';
import { Random } from './random.ts';
import { BUDGET_GLOBAL, type Shape, typeOfFunction } from './shape.ts';

/** What was seen of one run. */
export interface Play {
  /** Host calls, results, traps and exceptions, in their order. */
  readonly events: readonly string[];
  /** Globals and tables at the end. */
  readonly state: readonly string[];
  readonly memories: readonly Uint8Array[];
  /** Fuel that was used; 0 for a plain module. */
  readonly fuel: number;
  /** What the meter stopped it for, if it did. */
  readonly stop: MeterStop | undefined;
}

/** Calls and rounds of loops that bounded code may spend in each call from outside. */
const BUDGET = 120;

/** Calls of each exported function. */
const ROUNDS = 2;

/** Plays a module as it is. It has to be bounded. */
export function playPlain(module: RandomModule, compiled: WebAssembly.Module): Play {
  const run = new Run(module);
  run.play(() => new WebAssembly.Instance(compiled, run.imports).exports);
  return run.finish(0, undefined);
}

/**
 * Plays a metered module until it has made all its calls or the meter stops it.
 * @param fuel for all calls together, in units.
 */
export function playMetered(
  module: RandomModule,
  compiled: CompiledMetered,
  fuel: number = PLENTY.fuel,
): Play {
  const run = new Run(module);
  let instance: MeteredInstance | undefined;
  run.play(
    () => {
      instance = new MeteredInstance(compiled, run.imports, { ...PLENTY, fuel });
      instance.start();
      return instance.exports;
    },
    () => {
      if (instance === undefined || instance.stop !== undefined) return false;
      // What a trap has left on the stack is gone with it; what it has used is not.
      instance.set({ ...PLENTY, fuel: instance.fuel });
      return true;
    },
  );
  return run.finish(instance === undefined ? 0 : fuel - instance.fuel, instance?.stop);
}

class Run {
  readonly imports: WebAssembly.Imports;
  readonly #events: string[] = [];
  readonly #guest: Guest = { exports: undefined };
  readonly #shape: Shape;
  readonly #random: Random;

  constructor({ seed, shape }: RandomModule) {
    this.#shape = shape;
    this.#random = new Random(seed ^ 0x5eed);
    this.imports = makeHost(shape, new Random(seed), this.#events, this.#guest);
    this.#refill();
  }

  attach(exports: WebAssembly.Exports): void {
    this.#guest.exports = exports;
  }

  /** @param goesOn whether the next call may be made. */
  play(instantiate: () => WebAssembly.Exports, goesOn: () => boolean = () => true): void {
    if (!this.#noted('instantiate', () => this.attach(instantiate()))) return;
    for (let round = 0; round < ROUNDS; round++) {
      for (const entry of entriesOf(this.#shape)) {
        if (!goesOn()) return;
        this.#refill();
        this.#call(entry);
      }
    }
  }

  finish(fuel: number, stop: MeterStop | undefined): Play {
    const { state, memories } = stateOf(this.#shape, this.#guest.exports);
    return { events: this.#events, state, memories, fuel, stop };
  }

  #refill(): void {
    const budget = this.imports.host?.[nameOf('global', BUDGET_GLOBAL)];
    if (budget instanceof WebAssembly.Global) budget.value = BUDGET;
  }

  #call(index: number): void {
    const entry = this.#guest.exports?.[nameOf('function', index)];
    const { params } = typeOfFunction(this.#shape, index);
    const args = params.map((type) => hostValue(type, this.#random));
    if (typeof entry !== 'function') throw new TypeError(`function ${index} is not exported`);
    this.#noted(`call ${index}`, () => entry(...args));
  }

  /** Does something of the guest, and notes how it ended. */
  #noted(what: string, act: () => unknown): boolean {
    try {
      this.#events.push(`${what} = ${shown(act())}`);
      return true;
    } catch (error) {
      this.#events.push(`${what} failed: ${this.#failure(error)}`);
      return false;
    }
  }

  #failure(error: unknown): string {
    if (!(error instanceof WebAssembly.Exception)) return trapKind(error);
    const tag = this.#shape.tags.findIndex((_, i) => {
      const exported = this.#guest.exports?.[nameOf('tag', i)];
      return exported instanceof WebAssembly.Tag && error.is(exported);
    });
    return `exception of tag ${tag}`;
  }
}

function stateOf(shape: Shape, exports: WebAssembly.Exports | undefined) {
  const state: string[] = [];
  const memories: Uint8Array[] = [];
  if (exports === undefined) return { state, memories };
  shape.globals.forEach(({ type }, i) => {
    const global = exports[nameOf('global', i)];
    if (global instanceof WebAssembly.Global && isReadable(type)) state.push(shown(global.value));
  });
  shape.tables.forEach((table, i) => {
    const exported = exports[nameOf('table', i)];
    if (!(exported instanceof WebAssembly.Table)) return;
    const contents = [];
    for (let at = 0; at < Number(exported.length); at++)
      contents.push(shown(get(exported, at, table.wide)));
    state.push(contents.join());
  });
  shape.memories.forEach((_, i) => {
    const memory = exports[nameOf('memory', i)];
    if (memory instanceof WebAssembly.Memory) memories.push(new Uint8Array(memory.buffer));
  });
  return { state, memories };
}

/** Wide tables take bigints, which the platform's types do not know yet. */
function get(table: WebAssembly.Table, at: number, wide: boolean): unknown {
  return Reflect.apply(table.get, table, [wide ? BigInt(at) : at]);
}

/** What differs between two plays, for people; `undefined` if nothing does. */
export function difference(one: Play, other: Play): string | undefined {
  return (
    firstDifference('event', one.events, other.events) ??
    firstDifference('state', one.state, other.state) ??
    memoryDifference(one.memories, other.memories)
  );
}

function firstDifference(
  what: string,
  one: readonly string[],
  other: readonly string[],
): string | undefined {
  const at = one.findIndex((text, i) => text !== other[i]);
  if (at < 0 && one.length === other.length) return undefined;
  const place = at < 0 ? one.length : at;
  return `${what} ${place}: ${one[place] ?? 'none'} — ${other[place] ?? 'none'}`;
}

function memoryDifference(
  one: readonly Uint8Array[],
  other: readonly Uint8Array[],
): string | undefined {
  for (const [i, memory] of one.entries()) {
    const counterpart = other[i];
    if (counterpart === undefined) return `memory ${i} is missing`;
    if (Buffer.compare(memory, counterpart) === 0) continue;
    const at = memory.findIndex((byte, place) => byte !== counterpart[place]);
    return `memory ${i}, byte ${at}: ${memory[at]} — ${counterpart[at]}`;
  }
  return undefined;
}
