import type { MeteringOptions } from '../../../engine/metering/instrument.ts';
import type { MeterStop } from '../../../engine/metering/meter.ts';
import { compileMetered, MeteredInstance, PLENTY } from '../metered.ts';
import { type TrapKind, trapKind } from '../trap-kind.ts';
import { callBitwise } from './bridge.ts';
import type { Action, ScriptValue } from './script.ts';
import { isNumeric, SLOT } from './values.ts';

/** A result: its bits, or what JavaScript makes of a reference. */
export type Result = Uint8Array | object | string | number | null;

export type Ending =
  | { readonly kind: 'returned'; readonly results: readonly Result[] }
  | { readonly kind: 'trapped'; readonly trap: TrapKind; readonly stop: MeterStop | undefined }
  | { readonly kind: 'missing' };

export type Instantiation =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unlinkable'; readonly reason: string }
  | { readonly kind: 'trapped'; readonly trap: TrapKind };

/** Instances that may import from each other, all of one kind: plain, or metered in one way. */
export class World {
  readonly #metering: MeteringOptions | undefined;
  readonly #registered: Record<string, WebAssembly.Exports | WebAssembly.ModuleImports>;
  readonly #named = new Map<string, WebAssembly.Exports>();
  readonly #metered: MeteredInstance[] = [];
  #current: WebAssembly.Exports | undefined;

  /** @param metering how modules are instrumented; without it they are not. */
  constructor(metering?: MeteringOptions) {
    this.#metering = metering;
    this.#registered = { spectest: spectest() };
  }

  /** Instantiates a module that actions of no other name then speak of. */
  instantiate(bytes: Uint8Array, name?: string): Instantiation {
    this.#current = undefined;
    if (name !== undefined) this.#named.delete(name);
    let make: () => WebAssembly.Exports;
    try {
      make = this.#compile(bytes);
    } catch (error) {
      return { kind: 'refused', reason: error instanceof Error ? error.message : String(error) };
    }
    try {
      this.#current = make();
    } catch (error) {
      if (error instanceof WebAssembly.LinkError || error instanceof TypeError) {
        return { kind: 'unlinkable', reason: error.message };
      }
      return { kind: 'trapped', trap: trapKind(error) };
    }
    if (name !== undefined) this.#named.set(name, this.#current);
    return { kind: 'ready' };
  }

  register(as: string, name?: string): void {
    const exports = this.#find(name);
    if (exports !== undefined) this.#registered[as] = exports;
  }

  /** @param expected the types of the results, which say how these are carried. */
  perform(action: Action, expected: readonly ScriptValue[]): Ending {
    const target = this.#find(action.module)?.[action.field];
    if (target === undefined) return { kind: 'missing' };
    for (const instance of this.#metered) instance.set(PLENTY);
    try {
      const results = action.type === 'get' ? [globalBits(target)] : call(target, action, expected);
      return { kind: 'returned', results };
    } catch (error) {
      if (error instanceof TypeError || error instanceof WebAssembly.LinkError) throw error;
      const stop = this.#metered
        .map((instance) => instance.stop)
        .find((each) => each !== undefined);
      return { kind: 'trapped', trap: trapKind(error), stop };
    }
  }

  #find(name: string | undefined): WebAssembly.Exports | undefined {
    return name === undefined ? this.#current : this.#named.get(name);
  }

  #compile(bytes: Uint8Array): () => WebAssembly.Exports {
    const imports = this.#registered;
    if (this.#metering === undefined) {
      const module = new WebAssembly.Module(Uint8Array.from(bytes));
      return () => new WebAssembly.Instance(module, imports).exports;
    }
    const compiled = compileMetered(bytes, this.#metering);
    return () => {
      for (const instance of this.#metered) instance.set(PLENTY);
      const instance = new MeteredInstance(compiled, imports, PLENTY);
      this.#metered.push(instance);
      instance.start();
      return instance.exports;
    };
  }
}

function globalBits(target: WebAssembly.ExportValue): Result {
  if (!(target instanceof WebAssembly.Global)) throw new TypeError('not a global');
  return bitsOf(target.value);
}

/** The bits of a number or bigint that a global of the suite holds; all of its numbers are exact. */
function bitsOf(value: unknown): Result {
  const slot = new DataView(new ArrayBuffer(SLOT));
  if (typeof value === 'bigint') slot.setBigUint64(0, BigInt.asUintN(64, value), true);
  else if (Number.isInteger(value)) slot.setInt32(0, Number(value), true);
  else return String(value);
  return new Uint8Array(slot.buffer);
}

function call(
  target: WebAssembly.ExportValue,
  action: Extract<Action, { type: 'invoke' }>,
  expected: readonly ScriptValue[],
): readonly Result[] {
  const types = expected.map(({ type }) => type);
  if ([...action.args.map(({ type }) => type), ...types].every(isNumeric)) {
    return callBitwise(target, action.args, types);
  }
  if (typeof target !== 'function') throw new TypeError('not a function');
  const returned: unknown = target(...action.args.map(reference));
  const results: unknown[] = Array.isArray(returned) ? returned : [returned];
  return results.map((result) => (typeof result === 'function' ? 'function' : String(result)));
}

/** An argument of a call that moves references: numbers stand for themselves. */
function reference({ type, value }: ScriptValue): unknown {
  if (value === 'null') return null;
  if (type === 'i64') return BigInt(String(value));
  return Number(value);
}

/** The host module that scripts import from. */
function spectest(): WebAssembly.ModuleImports {
  const ignore = () => {};
  const host: Record<string, WebAssembly.ImportValue> = {
    global_i32: new WebAssembly.Global({ value: 'i32' }, 666),
    global_i64: new WebAssembly.Global({ value: 'i64' }, 666n),
    global_f32: new WebAssembly.Global({ value: 'f32' }, 666.6),
    global_f64: new WebAssembly.Global({ value: 'f64' }, 666.6),
    table: new WebAssembly.Table({ initial: 10, maximum: 20, element: 'anyfunc' }),
    memory: new WebAssembly.Memory({ initial: 1, maximum: 2 }),
  };
  const printers = ['print', 'print_i32', 'print_i64', 'print_f32', 'print_f64', 'print_i32_f32'];
  for (const name of [...printers, 'print_f64_f64']) host[name] = ignore;
  return host;
}
