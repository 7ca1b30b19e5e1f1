// What a module declares, before any code: types, imports, tables, memories, globals, tags, segments.

import type { Features } from './features.ts';
import type { Random } from './random.ts';
import {
  ANYREF,
  ARRAYREF,
  crossesToHost,
  definedHeap,
  EQREF,
  EXNREF,
  EXTERNREF,
  F32,
  F64,
  FUNCREF,
  I31REF,
  I32,
  I64,
  isNullable,
  isReference,
  reference,
  STRUCTREF,
  V128,
  type ValueType,
} from './types.ts';

export interface FunctionType {
  readonly kind: 'function';
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
}

/** A field of a struct or array; packed ones hold an `i32` in fewer bits. */
export interface Field {
  readonly type: ValueType;
  readonly packed?: 'i8' | 'i16' | undefined;
  readonly mutable: boolean;
}

export interface StructType {
  readonly kind: 'struct';
  readonly fields: readonly Field[];
  /** The index of the struct type that it extends. */
  readonly extends: number | undefined;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly field: Field;
}

export type DefinedType = FunctionType | StructType | ArrayType;

export interface Size {
  readonly minimum: number;
  readonly maximum: number | undefined;
  /** Whether it is addressed with `i64`. */
  readonly wide: boolean;
  readonly imported: boolean;
}

export interface TableShape extends Size {
  readonly element: ValueType;
}

export interface GlobalShape {
  readonly type: ValueType;
  readonly mutable: boolean;
  readonly imported: boolean;
}

export interface ElementSegment {
  readonly type: ValueType;
  readonly mode: 'passive' | 'declarative' | { readonly table: number; readonly offset: number };
  /** Function indices, or nulls. */
  readonly items: readonly (number | undefined)[];
}

export interface DataSegment {
  readonly mode: 'passive' | { readonly memory: number; readonly offset: number };
  readonly bytes: readonly number[];
}

/** How code is generated. */
export interface CodeStyle {
  /** Whether every loop and call spends from a global, so that the module ends by itself. */
  readonly bounded: boolean;
  /**
   * What becomes of NaNs, whose bits the specification leaves open: `hidden` makes them canonical
   * where their bits would become visible, `canonical` right where they arise, `raw` not at all.
   * The other two generate the same code but for that.
   */
  readonly nan: 'hidden' | 'canonical' | 'raw';
  readonly exceptions: 'legacy' | 'exnref' | 'none';
}

export interface Shape {
  readonly style: CodeStyle;
  readonly features: Features;
  readonly types: readonly DefinedType[];
  /** Type index of each function; imported ones first. */
  readonly functions: readonly number[];
  readonly importedFunctions: number;
  readonly tables: readonly TableShape[];
  readonly memories: readonly Size[];
  readonly globals: readonly GlobalShape[];
  /** Type index of each tag. */
  readonly tags: readonly number[];
  readonly elements: readonly ElementSegment[];
  readonly data: readonly DataSegment[];
  readonly start: number | undefined;
  /** All types that locals, parameters and globals may have. */
  readonly valueTypes: readonly ValueType[];
}

/** The type of every module that takes nothing: `() -> i32`, and `() -> ()`. */
export const ENTRY_TYPE = 0;
export const VOID_TYPE = 1;

/** The global that bounded code spends from; the harness fills it before each call. */
export const BUDGET_GLOBAL = 0;

export function functionType(shape: Pick<Shape, 'types'>, index: number): FunctionType {
  const type = shape.types[index];
  if (type?.kind !== 'function') throw new RangeError(`type ${index} is no function type`);
  return type;
}

export function typeOfFunction(shape: Shape, index: number): FunctionType {
  return functionType(shape, shape.functions[index] ?? -1);
}

export function addressType({ wide }: { readonly wide: boolean }): ValueType {
  return wide ? I64 : I32;
}

const NUMBERS = [I32, I32, I64, F32, F64];
const PARAMETERS = 4;

export function randomShape(random: Random, features: Features, style: CodeStyle): Shape {
  const { types, valueTypes } = randomTypes(random, features);
  const typeIndices = types.flatMap(({ kind }, i) => (kind === 'function' ? [i] : []));
  const hostTypes = typeIndices.filter((i) => {
    const type = functionType({ types }, i);
    return [...type.params, ...type.results].every(crossesToHost);
  });
  const importedFunctions = random.below(4);
  const functions = [
    ...times(importedFunctions, () => random.pick(hostTypes)),
    ENTRY_TYPE,
    ...times(2 + random.below(4), () => random.pick(typeIndices)),
  ];
  const start = random.oneIn(3) ? functions.length : undefined;
  if (start !== undefined) functions.push(VOID_TYPE);
  const wide = () => features.memory64 && random.oneIn(4);
  const size = (imported: boolean, least: number, spread: number): Size => {
    const minimum = least + random.below(spread);
    const maximum = random.oneIn(4) && !imported ? undefined : minimum + random.below(spread + 1);
    return { minimum, maximum, wide: wide(), imported };
  };
  const memories = times(features.multiMemory ? 1 + random.below(3) : 1, (i) =>
    size(i === 0 && random.oneIn(3), 1, 2),
  );
  const tables = times(1 + random.below(3), (i): TableShape => {
    const imported = i === 0 && random.oneIn(3);
    const element = i === 0 ? FUNCREF : random.pick(valueTypes.filter(isElement));
    return { ...size(imported, 16, 8), element };
  });
  const globals = randomGlobals(random, valueTypes);
  const tagTypes = typeIndices.filter((i) => functionType({ types }, i).results.length === 0);
  const tags =
    style.exceptions !== 'none' ? times(1 + random.below(3), () => random.pick(tagTypes)) : [];
  const declared = { types, valueTypes, functions, importedFunctions, tables, memories, globals };
  const elements = randomElements(random, functions.length, tables, valueTypes);
  const data = randomData(random, memories);
  return { style, features, ...declared, tags, elements, data, start };
}

/** What tables and segments hold: references that may be null, and that JavaScript can look at. */
function isElement(type: ValueType): boolean {
  return isReference(type) && isNullable(type) && type !== EXNREF;
}

export function times<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

function randomTypes(random: Random, features: Features) {
  const types: DefinedType[] = [
    { kind: 'function', params: [], results: [I32] },
    { kind: 'function', params: [], results: [] },
  ];
  const valueTypes = [I32, I32, I64, F32, F64, V128, FUNCREF, EXTERNREF];
  if (features.exnref) valueTypes.push(EXNREF);
  if (features.gc) {
    valueTypes.push(ANYREF, EQREF, I31REF, STRUCTREF, ARRAYREF);
    const abstract = [ANYREF, EQREF, I31REF];
    for (let n = 1 + random.below(4); n > 0; n--) {
      const index = types.length;
      types.push(
        random.oneIn(2) ? randomStruct(random, types, abstract) : randomArray(random, abstract),
      );
      abstract.push(reference(definedHeap(index)));
      valueTypes.push(reference(definedHeap(index)), reference(definedHeap(index), false));
    }
  }
  for (let n = 3 + random.below(6); n > 0; n--) {
    const index = types.length;
    const hostOnly = n < 4;
    const pool = hostOnly ? [...NUMBERS, EXTERNREF] : valueTypes;
    const params = times(random.below(PARAMETERS), () => random.pick(pool));
    const results = times(random.pick([0, 0, 1, 1, 1, 2, 3]), () => random.pick(pool));
    types.push({ kind: 'function', params, results });
    if (features.gc) valueTypes.push(reference(definedHeap(index)));
  }
  // What handlers are given when an exception arrives, for blocks to have as their results.
  const thrown = types.filter((type) => type.kind === 'function' && type.results.length === 0);
  for (const type of features.exnref ? thrown : []) {
    if (type.kind !== 'function') continue;
    types.push({ kind: 'function', params: [], results: type.params });
    types.push({ kind: 'function', params: [], results: [...type.params, EXNREF] });
  }
  return { types, valueTypes };
}

const PACKED = ['i8', 'i16'] as const;

function randomField(random: Random, references: readonly ValueType[]): Field {
  const mutable = !random.oneIn(4);
  if (random.oneIn(4)) return { type: I32, packed: random.pick(PACKED), mutable };
  return { type: random.pick([...NUMBERS, V128, FUNCREF, ...references]), mutable };
}

function randomStruct(
  random: Random,
  types: readonly DefinedType[],
  references: readonly ValueType[],
): StructType {
  const structs = types.flatMap(({ kind }, i) => (kind === 'struct' ? [i] : []));
  const parent = random.oneIn(2) ? random.pickAny(structs) : undefined;
  const inherited = parent === undefined ? undefined : types[parent];
  const fields = inherited?.kind === 'struct' ? [...inherited.fields] : [];
  fields.push(...times(1 + random.below(3), () => randomField(random, references)));
  return { kind: 'struct', fields, extends: parent };
}

function randomArray(random: Random, references: readonly ValueType[]): ArrayType {
  const packed = random.oneIn(2) ? random.pick(PACKED) : undefined;
  if (packed !== undefined) return { kind: 'array', field: { type: I32, packed, mutable: true } };
  const type = random.pick([I32, I64, F32, F64, FUNCREF, FUNCREF, ...references]);
  return { kind: 'array', field: { type, mutable: !random.oneIn(5) } };
}

function randomGlobals(random: Random, valueTypes: readonly ValueType[]): GlobalShape[] {
  const imported = times(random.below(3), (): GlobalShape => {
    const type = random.pick([...NUMBERS, EXTERNREF]);
    return { type, mutable: random.oneIn(2), imported: true };
  });
  const own = times(1 + random.below(5), (): GlobalShape => {
    return { type: random.pick(valueTypes), mutable: !random.oneIn(4), imported: false };
  });
  return [{ type: I32, mutable: true, imported: true }, ...imported, ...own];
}

/** Offsets fit with the odd exception, after which instantiation traps. */
function randomOffset(random: Random, size: number, length: number): number {
  if (random.oneIn(150)) return size + 1;
  return random.below(Math.max(1, size - length + 1));
}

function randomElements(
  random: Random,
  functions: number,
  tables: readonly TableShape[],
  valueTypes: readonly ValueType[],
): ElementSegment[] {
  // Every function is declared, so that `ref.func` can name any.
  const declared: ElementSegment = {
    type: FUNCREF,
    mode: 'declarative',
    items: times(functions, (i) => i),
  };
  const others = times(1 + random.below(4), (): ElementSegment => {
    const target = random.below(tables.length);
    const table = tables[target];
    const active = table !== undefined && random.oneIn(2);
    const type = active ? table.element : random.pick(valueTypes.filter(isElement));
    const items = times(random.below(active ? Math.min(6, table.minimum + 1) : 6), () =>
      type === FUNCREF && !random.oneIn(6) ? random.below(functions) : undefined,
    );
    if (!active) return { type, mode: 'passive', items };
    const offset = randomOffset(random, table.minimum, items.length);
    return { type, mode: { table: target, offset }, items };
  });
  return [declared, ...others];
}

const PAGE = 65_536;

function randomData(random: Random, memories: readonly Size[]): DataSegment[] {
  return times(1 + random.below(4), (): DataSegment => {
    const bytes = times(random.below(40), () => random.below(256));
    if (random.oneIn(2)) return { mode: 'passive', bytes };
    const memory = random.below(memories.length);
    const size = (memories[memory]?.minimum ?? 0) * PAGE;
    // Where the code's addresses mostly lie.
    const near = random.oneIn(20) ? size : 2_048;
    return { mode: { memory, offset: randomOffset(random, near, bytes.length) }, bytes };
  });
}
