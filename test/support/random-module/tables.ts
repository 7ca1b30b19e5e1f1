// Table instructions and references (core specification 5.4.2, 5.4.5).

import type { Body } from './body.ts';
import { below, index } from './memory.ts';
import { OP } from './opcodes.ts';
import type { Family } from './repertoire.ts';
import { addressType, type Shape, type TableShape } from './shape.ts';
import { FUNCREF, I32, I64, isNullable, isReference, type ValueType } from './types.ts';

const NEAR = 16;
const FEW = 4;

function tablesOf({ tables }: Shape, fits: (table: TableShape) => boolean): number[] {
  return tables.flatMap((table, i) => (fits(table) ? [i] : []));
}

function pickTable({ random, shape }: Body): { readonly at: number; readonly table: TableShape } {
  const at = random.below(shape.tables.length);
  const table = shape.tables[at];
  if (table === undefined) throw new RangeError(`no table ${at}`);
  return { at, table };
}

function set(body: Body): void {
  const { at, table } = pickTable(body);
  index(body, addressType(table), NEAR);
  body.value(table.element, 2);
  body.op(OP.tableSet).u32(at);
  body.pop(2);
}

function fill(body: Body): void {
  const { at, table } = pickTable(body);
  index(body, addressType(table), NEAR);
  body.value(table.element, 1);
  index(body, addressType(table), FEW);
  body.op(OP.tableFill).u32(at);
  body.pop(3);
}

function copy(body: Body): void {
  const { at: to, table } = pickTable(body);
  const from = body.random.pick(tablesOf(body.shape, ({ element }) => element === table.element));
  const source = body.shape.tables[from] ?? table;
  const [toType, fromType] = [addressType(table), addressType(source)];
  index(body, toType, NEAR);
  index(body, fromType, NEAR);
  index(body, toType === I32 ? I32 : fromType, FEW);
  body.op(OP.tableCopy).u32(to).u32(from);
  body.pop(3);
}

function initialise(body: Body): void {
  const { at, table } = pickTable(body);
  const segments = body.shape.elements.flatMap(({ type }, i) =>
    type === table.element ? [i] : [],
  );
  const segment = body.random.pickAny(segments);
  if (segment === undefined) return;
  index(body, addressType(table), NEAR);
  index(body, I32, FEW);
  index(body, I32, FEW);
  body.op(OP.tableInit).u32(segment).u32(at);
  body.pop(3);
}

/** The size of a table, or what it was before it grew by little. */
function measure(body: Body, type: ValueType): void {
  const at = body.random.pickAny(tablesOf(body.shape, (table) => addressType(table) === type));
  const table = body.shape.tables[at ?? -1];
  if (at === undefined || table === undefined) {
    body.leaf(type);
  } else if (body.random.oneIn(2)) {
    body.op(OP.tableSize).u32(at);
    body.push(type);
  } else {
    body.value(table.element, 1);
    below(body, type, FEW); // far from what this machine can provide
    body.op(OP.tableGrow).u32(at);
    body.pop(2);
    body.push(type);
  }
}

function anyReference({ random, shape }: Body): ValueType {
  return random.pick(shape.valueTypes.filter((type) => isReference(type) && isNullable(type)));
}

export const TABLES: Family = {
  producers: [
    {
      weight: 3,
      gives: (type, shape) => tablesOf(shape, ({ element }) => element === type).length > 0,
      emit: (body, type, depth) => {
        const at = body.random.pick(tablesOf(body.shape, ({ element }) => element === type));
        index(body, addressType(body.shape.tables[at] ?? { wide: false }), NEAR, depth);
        body.op(OP.tableGet).u32(at);
        body.pop(1);
        body.push(type);
      },
    },
    { weight: 1, gives: (type) => type === I32 || type === I64, emit: measure },
    {
      weight: 1,
      gives: (type) => type === I32,
      emit: (body, _type, depth) => {
        body.value(anyReference(body), depth);
        body.op(OP.refIsNull);
        body.pop(1);
        body.push(I32);
      },
    },
    {
      weight: 4,
      gives: (type) => type === FUNCREF,
      emit: (body) => {
        body.op(OP.refFunc).u32(body.random.below(body.shape.functions.length));
        body.push(FUNCREF);
      },
    },
  ],
  statements: [
    { weight: 3, emit: set },
    { weight: 1, emit: fill },
    { weight: 1, emit: copy },
    { weight: 1, emit: initialise },
    {
      weight: 1,
      emit: (body) => {
        if (body.random.oneIn(3)) {
          body.op(OP.elemDrop).u32(body.random.below(body.shape.elements.length));
        }
      },
    },
  ],
};
