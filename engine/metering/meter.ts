// What a metered module counts with: hidden mutable globals that it exports, and that the host sets
// before a run and reads after it (DESIGN 7).

/** The most fuel a run can have, in units. */
export const MAX_FUEL = Number.MAX_SAFE_INTEGER;

/** The bytes of a unit of stack. */
export const STACK_UNIT_BYTES = 8;

/** The most stack a run can have, in units of 8 bytes: a megabyte. V8's own stack is little more. */
export const MAX_STACK_UNITS = 131_072;

/** What `pagesLeft` or `elementsLeft` is when a run ended because it grew beyond its limit. */
export const LIMIT_REACHED = -1n;

/** The same when this machine could not provide what the limits allow: no deterministic end. */
export const MACHINE_FAILED = -2n;

/** Export names of the hidden globals. All are there in every metered module. */
export interface MeterNames {
  /** Fuel that is left: i64, negative when it has run out. */
  readonly fuel: string;
  /** Stack that is left, in units of 8 bytes: i32, negative when it has run out. */
  readonly stack: string;
  /** Pages of 64 KiB that memories may still grow by: i64. */
  readonly pages: string;
  /** Elements that tables may still grow by: i64. */
  readonly elements: string;
}

/** What a run may use. */
export interface Allowance {
  /** Units, 0 to {@link MAX_FUEL}. */
  readonly fuel: number;
  /** Units of 8 bytes, 0 to {@link MAX_STACK_UNITS}. */
  readonly stack: number;
  /** Pages of 64 KiB, beyond those that the module starts with. */
  readonly pages: number;
  /** Table elements, beyond those that the module starts with. */
  readonly elements: number;
}

/** What ended a run from inside the guest, where the meter did. */
export type MeterStop = 'out-of-fuel' | 'call-depth' | 'pages' | 'elements' | 'machine';

export interface MeterReading {
  /** Units of fuel that are left, 0 when it has run out. */
  readonly fuel: number;
  /** `machine`: this machine could not provide pages or elements that the allowance has. */
  readonly stop: MeterStop | undefined;
}

/** The meter of one instance. */
export interface Meter {
  /** Sets everything, before the instance's start function or anything else of it is called. */
  set(allowance: Allowance): void;
  /** Charges for work of the host. Answers false, and leaves no fuel, where there is not enough. */
  charge(fuel: number): boolean;
  read(): MeterReading;
}

/**
 * The meter of an instance of a metered module.
 * @throws {TypeError} if its exports are not those of one.
 */
export function openMeter(exports: WebAssembly.Exports, names: MeterNames): Meter {
  const fuel = globalOf(exports, names.fuel);
  const stack = globalOf(exports, names.stack);
  const pages = globalOf(exports, names.pages);
  const elements = globalOf(exports, names.elements);
  return {
    set: (allowance) => {
      fuel.value = BigInt(requireWhole('fuel', allowance.fuel, MAX_FUEL));
      stack.value = requireWhole('stack', allowance.stack, MAX_STACK_UNITS);
      pages.value = BigInt(requireWhole('pages', allowance.pages, MAX_FUEL));
      elements.value = BigInt(requireWhole('elements', allowance.elements, MAX_FUEL));
    },
    charge: (units) => {
      const left = (fuel.value as bigint) - BigInt(units);
      fuel.value = left < 0n ? -1n : left;
      return left >= 0n;
    },
    read: () => {
      const left = fuel.value as bigint;
      const stop = stopOf(left, stack.value as number, [
        [pages.value as bigint, 'pages'],
        [elements.value as bigint, 'elements'],
      ]);
      return { fuel: left < 0n ? 0 : Number(left), stop };
    },
  };
}

function stopOf(
  fuel: bigint,
  stack: number,
  growth: readonly (readonly [bigint, 'pages' | 'elements'])[],
): MeterStop | undefined {
  if (fuel < 0n) return 'out-of-fuel';
  if (stack < 0) return 'call-depth';
  for (const [left, name] of growth) {
    if (left === MACHINE_FAILED) return 'machine';
    if (left === LIMIT_REACHED) return name;
  }
  return undefined;
}

function globalOf(exports: WebAssembly.Exports, name: string): WebAssembly.Global {
  const value = exports[name];
  if (value instanceof WebAssembly.Global) return value;
  throw new TypeError(`"${name}" expected an exported global of a metered module`);
}

function requireWhole(what: string, value: number, most: number): number {
  if (Number.isSafeInteger(value) && value >= 0 && value <= most) return value;
  throw new RangeError(`${what} expected a whole number from 0 to ${most}, got ${value}`);
}
