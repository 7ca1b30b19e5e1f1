// What is asked of one random module: that metering keeps its meaning, and counts the same each time.

import type { MeteringOptions } from '../../../engine/metering/instrument.ts';
import { type CompiledMetered, compileMetered } from '../metered.ts';
import { generateModule, type RandomModule } from './generate.ts';
import { difference, type Play, playMetered, playPlain } from './play.ts';
import { Random } from './random.ts';
import type { CodeStyle } from './shape.ts';
import { inOptimisingTier } from './tiers.ts';

/** What one module gave. */
export interface Trial {
  /** What is wrong; empty if all is well. */
  readonly problems: readonly string[];
  readonly used: ReadonlySet<number>;
  /** The first play of it, as far as one came. */
  readonly play: Play | undefined;
  /** Fuel limits at which the exact point of the stop was tried. */
  readonly limits: number;
}

/** The kinds of modules, of which seeds take turns. */
const KINDS = ['compared', 'canonical', 'compared', 'runaway', 'compared', 'canonical'] as const;

const STYLES: Readonly<Record<(typeof KINDS)[number], Pick<CodeStyle, 'bounded' | 'nan'>>> = {
  compared: { bounded: true, nan: 'hidden' },
  runaway: { bounded: false, nan: 'raw' },
  canonical: { bounded: true, nan: 'raw' },
};

/** Enough for a few thousand rounds of a small loop. */
const RUNAWAY_FUEL = 30_000;

/** Every so many seeds, limits are tried out. */
const EXACT_EVERY = 12;
const EXACT_LIMITS = 6;

/** Generates the module of a seed, and tries it. */
export function tryModule(seed: number): Trial {
  const kind = KINDS[seed % KINDS.length] ?? 'compared';
  const module = generateModule(seed, STYLES[kind]);
  if (!WebAssembly.validate(module.bytes)) {
    return { problems: [invalidity(module)], used: module.used, play: undefined, limits: 0 };
  }
  const trial = new Trying(module);
  const play = trial[kind]();
  return { problems: trial.problems, used: module.used, play, limits: trial.limits };
}

function invalidity({ bytes }: RandomModule): string {
  try {
    new WebAssembly.Module(bytes);
    return 'the generated module is valid only at a second look';
  } catch (error) {
    return `the generated module is not valid: ${String(error)}`;
  }
}

class Trying {
  readonly problems: string[] = [];
  limits = 0;
  readonly #module: RandomModule;

  constructor(module: RandomModule) {
    this.#module = module;
  }

  /** A module that ends by itself: plain and metered do the same, with canonical NaN too. */
  compared(): Play | undefined {
    const plain = playPlain(this.#module, new WebAssembly.Module(this.#module.bytes));
    const compiled = this.#compile({});
    const metered = compiled && this.#repeated(compiled);
    if (compiled !== undefined && metered !== undefined) {
      this.#same('plain and metered', plain, metered);
      if (metered.stop !== undefined) this.problems.push(`stopped: ${metered.stop}`);
      if (this.#module.seed % EXACT_EVERY === 0) this.#exact(compiled, metered);
    }
    const canonical = this.#compile({ canonicalNaN: true });
    if (canonical === undefined) return metered;
    this.#same('plain and canonical', plain, playMetered(this.#module, canonical));
    return metered;
  }

  /**
   * A module that may run for ever: metered, it ends the same each time. With canonical NaN only: V8
   * may optimise a loop between two runs, and then the bits of its own NaNs are others.
   */
  runaway(): Play | undefined {
    const compiled = this.#compile({ canonicalNaN: true });
    return compiled && this.#repeated(compiled, RUNAWAY_FUEL);
  }

  /**
   * With canonical NaN, every bit is what the specification's deterministic profile says (appendix
   * A.5), however the code was compiled: the twin of the module makes each NaN canonical by itself.
   */
  canonical(): Play | undefined {
    const compiled = this.#compile({ canonicalNaN: true });
    if (compiled === undefined) return undefined;
    const play = this.#repeated(compiled);
    const twin = generateModule(this.#module.seed, { bounded: true, nan: 'canonical' });
    this.#same('twin and canonical', playPlain(twin, new WebAssembly.Module(twin.bytes)), play);
    const optimised = inOptimisingTier(compiled);
    this.#same('baseline and optimised', play, playMetered(this.#module, optimised));
    return play;
  }

  #compile(options: MeteringOptions): CompiledMetered | undefined {
    try {
      return compileMetered(this.#module.bytes, options);
    } catch (error) {
      this.problems.push(`metering ${JSON.stringify(options)} failed: ${String(error)}`);
      return undefined;
    }
  }

  #repeated(compiled: CompiledMetered, fuel?: number): Play {
    const play = playMetered(this.#module, compiled, fuel);
    const again = playMetered(this.#module, compiled, fuel);
    this.#same('two runs', play, again);
    if (play.fuel !== again.fuel) this.problems.push(`fuel ${play.fuel} and ${again.fuel}`);
    if (play.stop !== again.stop) this.problems.push(`stops ${play.stop} and ${again.stop}`);
    return play;
  }

  #same(what: string, one: Play, other: Play): void {
    const found = difference(one, other);
    if (found !== undefined) this.problems.push(`${what} differ in ${found}`);
  }

  /**
   * With less fuel than the full run uses, and only then, it stops for fuel, always at one point. What
   * a function had spent since it last told the meter is lost when it traps, so that a run with traps
   * may stop with a little more fuel than it says it used, too.
   */
  #exact(compiled: CompiledMetered, full: Play): void {
    const random = new Random(this.#module.seed);
    const limits = [0, 1, full.fuel - 1, full.fuel, full.fuel + 1];
    for (let i = 0; i < EXACT_LIMITS; i++) limits.push(random.below(full.fuel + 1));
    for (const limit of limits.filter((each) => each >= 0)) {
      this.limits++;
      const play = this.#repeated(compiled, limit);
      const stops = play.stop === 'out-of-fuel';
      if (stops !== limit < full.fuel && (!stops || !hasTrapped(full))) {
        this.problems.push(`uses ${full.fuel}; with ${limit} it stops: ${play.stop ?? 'never'}`);
      }
      const last = play.events.length - (stops ? 1 : 0);
      const strays = play.events.findIndex((event, i) => i < last && event !== full.events[i]);
      if (strays >= 0) this.problems.push(`with fuel ${limit} event ${strays} is another`);
    }
  }
}

function hasTrapped({ events }: Play): boolean {
  return events.some((event) => /failed: (?!exception|host)/.test(event));
}
