import { instrument, type MeteringOptions } from '../../engine/metering/instrument.ts';
import {
  type Allowance,
  MAX_FUEL,
  MAX_STACK_UNITS,
  openMeter,
} from '../../engine/metering/meter.ts';
import { runOf } from './instance.ts';

/** A kernel with fuel: its bytes, and an instance's `run`, which starts with a full tank each time. */
export interface MeteredKernel {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly instantiate: (module: WebAssembly.Module) => MeteredRun;
}

export interface MeteredRun {
  readonly run: (n: number) => number;
  /** Units of fuel that the last call of `run` used. */
  readonly used: () => number;
}

/** More than any kernel uses; none grows its memory or a table. */
const PLENTY: Allowance = Object.freeze({
  fuel: MAX_FUEL,
  stack: MAX_STACK_UNITS,
  pages: 0,
  elements: 0,
});

/** Meters a kernel's module as the runtime does. */
export function meterKernel(bytes: Uint8Array, options: MeteringOptions = {}): MeteredKernel {
  const metered = instrument(bytes, options);
  return {
    bytes: metered.bytes,
    instantiate: (module) => {
      const instance = new WebAssembly.Instance(module);
      const meter = openMeter(instance.exports, metered.meter);
      const run = runOf(instance);
      return {
        run: (n) => {
          meter.set(PLENTY);
          return run(n);
        },
        used: () => PLENTY.fuel - meter.read().fuel,
      };
    },
  };
}
