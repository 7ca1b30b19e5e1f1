import {
  instrument,
  type MeteredModule,
  type MeteringOptions,
} from '../../engine/metering/instrument.ts';
import {
  type Allowance,
  MAX_FUEL,
  type Meter,
  type MeterStop,
  openMeter,
} from '../../engine/metering/meter.ts';

/** So much that nothing but a runaway comes near it. */
export const PLENTY: Allowance = Object.freeze({
  fuel: MAX_FUEL,
  stack: 81_920,
  pages: 2 ** 40,
  elements: 2 ** 40,
});

/** A module that was instrumented and compiled, to be instantiated any number of times. */
export interface CompiledMetered {
  readonly metered: MeteredModule;
  readonly module: WebAssembly.Module;
}

export function compileMetered(bytes: Uint8Array, options?: MeteringOptions): CompiledMetered {
  const metered = instrument(bytes, options);
  return { metered, module: new WebAssembly.Module(metered.bytes) };
}

/** An instance of a metered module, with the meter that only its host sees. */
export class MeteredInstance {
  readonly exports: WebAssembly.Exports;
  readonly #meter: Meter;
  readonly #start: (() => unknown) | undefined;

  /** Instantiates and sets the meter. The start function, if any, waits for `start`. */
  constructor(
    { metered, module }: CompiledMetered,
    imports: WebAssembly.Imports,
    allowance: Allowance,
  ) {
    this.exports = new WebAssembly.Instance(module, withFixedMemory(metered, imports)).exports;
    this.#meter = openMeter(this.exports, metered.meter);
    this.set(allowance);
    if (metered.start !== undefined) {
      const start = this.exports[metered.start];
      if (typeof start !== 'function') throw new TypeError('the start function is not exported');
      this.#start = () => start();
    }
  }

  /** Calls the module's start function, as instantiation would have done. */
  start(): void {
    this.#start?.();
  }

  /** Sets the meter anew: no calls on the stack, nothing stopped. */
  set(allowance: Allowance): void {
    this.#meter.set(allowance);
  }

  /** Units of fuel that are left. */
  get fuel(): number {
    return this.#meter.read().fuel;
  }

  /** What the meter stopped the guest for, if it did. */
  get stop(): MeterStop | undefined {
    return this.#meter.read().stop;
  }
}

/** Imports, and a memory where a module takes one in place of its own. */
export function withFixedMemory(
  { fixedMemory }: Pick<MeteredModule, 'fixedMemory'>,
  imports: WebAssembly.Imports,
): WebAssembly.Imports {
  if (fixedMemory === undefined) return imports;
  const { module, name, pages } = fixedMemory;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  return { ...imports, [module]: { [name]: memory } };
}
