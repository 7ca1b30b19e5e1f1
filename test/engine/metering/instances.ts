import {
  instrument,
  type MeteredModule,
  type MeteringOptions,
} from '../../../engine/metering/instrument.ts';
import { type Meter, openMeter } from '../../../engine/metering/meter.ts';
import { withFixedMemory } from '../../support/metered.ts';
import { assemble } from '../../support/wat.ts';

/** More than any of these modules uses. */
export const PLENTY = { fuel: 1_000_000, stack: 80_000, pages: 100, elements: 1_000 };

export interface MeteredInstance {
  readonly module: MeteredModule;
  readonly exports: WebAssembly.Exports;
  readonly meter: Meter;
  /** Calls an export with plenty of everything; answers its result and the fuel it used. */
  use(
    name: string,
    ...args: readonly unknown[]
  ): { readonly result: unknown; readonly fuel: number };
}

/** Meters a module in text, and instantiates it. */
export function metered(
  text: string,
  options: MeteringOptions = {},
  imports: WebAssembly.Imports = {},
): MeteredInstance {
  const module = instrument(assemble(text), options);
  const { exports } = new WebAssembly.Instance(
    new WebAssembly.Module(module.bytes),
    withFixedMemory(module, imports),
  );
  const meter = openMeter(exports, module.meter);
  return {
    module,
    exports,
    meter,
    use: (name, ...args) => {
      meter.set(PLENTY);
      const result = callExport(exports, name, ...args);
      return { result, fuel: PLENTY.fuel - meter.read().fuel };
    },
  };
}

export function callExport(
  exports: WebAssembly.Exports,
  name: string,
  ...args: readonly unknown[]
): unknown {
  const called = exports[name];
  if (typeof called !== 'function') throw new TypeError(`"${name}" is no exported function`);
  return called(...args);
}
