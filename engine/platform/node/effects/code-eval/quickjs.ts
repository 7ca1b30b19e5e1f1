import loadQuickJS from '@jitl/quickjs-wasmfile-release-sync/emscripten-module';
import { QuickJSFFI } from '@jitl/quickjs-wasmfile-release-sync/ffi';
import { newQuickJSWASMModuleFromVariant, type QuickJSWASMModule } from 'quickjs-emscripten-core';
import { instrument, type MeteredModule } from '../../../../metering/instrument.ts';
import { MAX_STACK_UNITS, type Meter, openMeter } from '../../../../metering/meter.ts';
import type { EvaluationLimits, FailureCode } from './evaluation.ts';

/** QuickJS as a module that counts (`engine/metering`), compiled. */
export interface MeteredQuickJS {
  readonly metered: Omit<MeteredModule, 'bytes' | 'positions'>;
  readonly module: WebAssembly.Module;
}

/** @param bytes the module of `@jitl/quickjs-wasmfile-release-sync`. */
export function meterQuickJS(bytes: Uint8Array): MeteredQuickJS {
  const { bytes: code, positions: _, ...metered } = instrument(bytes, { canonicalNaN: true });
  return { metered, module: new WebAssembly.Module(code) };
}

/** Which limit ended an evaluation. */
export type LimitReached = Extract<FailureCode, 'out-of-fuel' | 'memory-limit' | 'call-depth'>;

/**
 * One instance of QuickJS, for one evaluation, with a memory of its own. The memory has all its pages
 * from the start and never grows: whether a page can be had then depends on the limits alone, and
 * pages that nobody touches cost the machine nothing. After a limit was reached nothing of it is used.
 */
export class QuickJSInstance {
  readonly #quickjs: MeteredQuickJS;
  readonly #limits: EvaluationLimits;
  #meter: Meter | undefined;
  #wasRefusedMemory = false;

  constructor(quickjs: MeteredQuickJS, limits: EvaluationLimits) {
    this.#quickjs = quickjs;
    this.#limits = limits;
  }

  /** Instantiates it. Rejects where a limit is reached by that alone. */
  start(): Promise<QuickJSWASMModule> {
    return newQuickJSWASMModuleFromVariant({
      type: 'sync',
      importFFI: async () => QuickJSFFI,
      importModuleLoader: async () => () => this.#load(),
    });
  }

  /** Units of fuel that were used so far. */
  get fuelUsed(): number {
    return this.#limits.fuel - (this.#meter?.read().fuel ?? this.#limits.fuel);
  }

  /** The meter's word is final; memory that was refused counts only where the evaluation has failed. */
  limitReached(hasFailed: boolean): LimitReached | undefined {
    const stop = this.#meter?.read().stop;
    if (stop === 'out-of-fuel' || stop === 'call-depth') return stop;
    return hasFailed && this.#wasRefusedMemory ? 'memory-limit' : undefined;
  }

  async #load() {
    const module = await loadQuickJS({
      wasmMemory: this.#makeMemory(),
      instantiateWasm: (imports, onSuccess) => {
        const instance = this.#instantiate(imports);
        onSuccess(instance);
        return instance.exports;
      },
    });
    // Texts that go in are written wherever it says, and it says 0 when there is no room.
    const allocate = module._malloc;
    module._malloc = (size) => {
      const address = allocate(size);
      if (address === 0) throw new RangeError('there is no room in the memory');
      return address;
    };
    return module;
  }

  #makeMemory(): WebAssembly.Memory {
    const { memoryPages } = this.#limits;
    const memory = new WebAssembly.Memory({ initial: memoryPages, maximum: memoryPages });
    const refuse = () => {
      this.#wasRefusedMemory = true;
      throw new RangeError('the memory has all its pages');
    };
    Object.defineProperty(memory, 'grow', { value: refuse });
    return memory;
  }

  #instantiate(imports: WebAssembly.Imports): WebAssembly.Instance {
    const { module, metered } = this.#quickjs;
    const instance = new WebAssembly.Instance(module, imports);
    this.#meter = openMeter(instance.exports, metered.meter);
    this.#meter.set({ fuel: this.#limits.fuel, stack: MAX_STACK_UNITS, pages: 0, elements: 0 });
    this.#meter.charge(metered.instantiationFuel);
    const start = metered.start === undefined ? undefined : instance.exports[metered.start];
    if (typeof start === 'function') start();
    return instance;
  }
}
