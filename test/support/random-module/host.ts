// What random modules import, made anew for each run, and what they make of it.

import { nameOf } from './encode.ts';
import type { Random } from './random.ts';
import { BUDGET_GLOBAL, type Shape, type Size, typeOfFunction } from './shape.ts';
import { EXTERNREF, F32, F64, FUNCREF, I32, I64, isNumber, type ValueType } from './types.ts';

/** Thrown by host functions now and then. */
export class HostError extends Error {}

/** What a guest can be asked for by the host: its exports, once it is there. */
export interface Guest {
  exports: WebAssembly.Exports | undefined;
}

/** Values as text, in which every NaN is the same, and objects are what they are. */
export function shown(value: unknown): string {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? '-0' : String(value);
    case 'bigint':
      return `${value}n`;
    case 'function':
      return `function ${value.name}`;
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? value.map(shown).join() : 'object';
    default:
      return String(value);
  }
}

/** A value of a type that JavaScript can give. */
export function hostValue(type: ValueType, random: Random): unknown {
  switch (type) {
    case I32:
      return Number(random.integer(32));
    case I64:
      return random.integer(64);
    case F32:
    case F64:
      return random.pick([0.5, -3, 1e10, Number.NaN, -0, random.below(100)]);
    default:
      return type === EXTERNREF ? random.pick(['a', 7, null]) : null;
  }
}

const MOST_NESTED = 2;

/** The import object of one run. Everything that the guest tells the host goes to `events`. */
export function makeHost(
  shape: Shape,
  random: Random,
  events: string[],
  guest: Guest,
): WebAssembly.Imports {
  const host: Record<string, WebAssembly.ImportValue> = {};
  let calls = 0;
  let nested = 0;
  for (let i = 0; i < shape.importedFunctions; i++) {
    const { results } = typeOfFunction(shape, i);
    host[nameOf('function', i)] = (...args: unknown[]) => {
      events.push(`host ${i}(${args.map(shown).join()})`);
      calls++;
      if (calls % 17 === 0) throw new HostError(`call ${calls}`);
      if (calls % 5 === 0 && nested < MOST_NESTED) {
        nested++;
        try {
          callBack(guest, shape, events);
        } finally {
          nested--;
        }
      }
      const values = results.map((type) => hostValue(type, random));
      return values.length > 1 ? values : values[0];
    };
  }
  shape.tables.forEach((table, i) => {
    if (table.imported) host[nameOf('table', i)] = new WebAssembly.Table(tableOf(table));
  });
  shape.memories.forEach((memory, i) => {
    if (memory.imported) host[nameOf('memory', i)] = new WebAssembly.Memory(limitsOf(memory));
  });
  shape.globals.forEach(({ imported, type, mutable }, i) => {
    if (!imported) return;
    const value = i === BUDGET_GLOBAL ? 0 : hostValue(type, random);
    host[nameOf('global', i)] = new WebAssembly.Global({ value: typeName(type), mutable }, value);
  });
  return { host };
}

/** Calls into the guest from within a call of the guest. */
function callBack({ exports }: Guest, shape: Shape, events: string[]): void {
  const entry = exports?.[nameOf('function', shape.importedFunctions)];
  if (typeof entry !== 'function') return;
  events.push('back in');
  events.push(`back out ${shown(entry())}`);
}

function typeName(type: ValueType): keyof WebAssembly.ValueTypeMap {
  if (type === I32) return 'i32';
  if (type === I64) return 'i64';
  if (type === F32) return 'f32';
  if (type === F64) return 'f64';
  return type === FUNCREF ? 'anyfunc' : 'externref';
}

/** Limits as the JavaScript interface takes them: wide ones are given as bigints. */
function limitsOf({ minimum, maximum, wide }: Size): WebAssembly.MemoryDescriptor {
  if (!wide) return { initial: minimum, ...(maximum !== undefined && { maximum }) };
  const limits: Record<string, unknown> = { initial: BigInt(minimum), address: 'i64' };
  if (maximum !== undefined) limits.maximum = BigInt(maximum);
  return Object.assign({ initial: minimum }, limits);
}

function tableOf(table: Size): WebAssembly.TableDescriptor {
  return Object.assign(limitsOf(table), { element: 'anyfunc' as const });
}

/** Whether a global's value can be read from outside. */
export function isReadable(type: ValueType): boolean {
  return isNumber(type) || type === EXTERNREF || type === FUNCREF;
}
