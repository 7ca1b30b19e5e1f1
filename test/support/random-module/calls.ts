// Calls of every kind (core specification 5.4.1).

import { sameTypes } from './blocks.ts';
import type { Body } from './body.ts';
import { OP } from './opcodes.ts';
import type { Family } from './repertoire.ts';
import { addressType, type FunctionType, typeOfFunction } from './shape.ts';
import { FUNCREF, I32, type ValueType } from './types.ts';

const SLOTS = 16;

/** Functions that the predicate takes by their type. */
function functionsOf(body: Body, fits: (type: FunctionType) => boolean): number[] {
  return body.shape.functions.flatMap((_, i) => (fits(typeOfFunction(body.shape, i)) ? [i] : []));
}

/** A call of a function with its operands; a tail call leaves this one. */
function call(body: Body, callee: number, depth: number, tail: boolean): void {
  const { random, shape } = body;
  const type = typeOfFunction(shape, callee);
  const typeIndex = shape.functions[callee] ?? 0;
  const way = random.below(shape.features.gc ? 5 : 4);
  if (way < 2) {
    body.values(type.params, depth);
    body.op(tail ? OP.returnCall : OP.call).u32(callee);
  } else if (way < 4) {
    indirect(body, callee, type, depth);
    body
      .op(tail ? OP.returnCallIndirect : OP.callIndirect)
      .u32(typeIndex)
      .u32(0);
    body.pop(1);
  } else {
    body.values(type.params, depth);
    body.op(OP.refFunc).u32(callee);
    body.op(tail ? OP.returnCallRef : OP.callRef).u32(typeIndex);
  }
  body.pop(type.params.length);
  if (!tail) body.push(...type.results);
}

/** Operands of an indirect call; mostly the function is put into its slot just before. */
function indirect(body: Body, callee: number, type: FunctionType, depth: number): void {
  const { random, shape } = body;
  const wide = addressType(shape.tables[0] ?? { wide: false }) !== I32;
  const slot = random.below(SLOTS);
  const slotIndex = () => {
    if (wide) body.op(OP.i64Const).s64(BigInt(slot));
    else body.op(OP.i32Const).s32(slot);
  };
  body.values(type.params, depth);
  if (!random.oneIn(8)) {
    slotIndex();
    body.op(OP.refFunc).u32(callee);
    body.op(OP.tableSet).u32(0);
  }
  slotIndex();
  body.push(addressType(shape.tables[0] ?? { wide: false }));
}

/** A tail call of a function with the same results, if there is one. */
export function tailCall(body: Body): void {
  const callee = body.random.pickAny(
    functionsOf(body, ({ results }) => sameTypes(results, body.type.results)),
  );
  if (callee !== undefined) call(body, callee, 1, true);
}

function gives(type: ValueType, results: readonly ValueType[]): boolean {
  return results.length === 1 && results[0] === type;
}

export const CALLS: Family = {
  producers: [
    {
      weight: 4,
      gives: (type, shape) =>
        shape.functions.some((_, i) => gives(type, typeOfFunction(shape, i).results)),
      emit: (body, type, depth) => {
        const fitting = functionsOf(body, ({ results }) => gives(type, results));
        call(body, body.random.pick(fitting), depth, false);
      },
    },
    {
      weight: 1,
      gives: (type) => type === FUNCREF,
      emit: (body) => {
        body.op(OP.refFunc).u32(body.random.below(body.shape.functions.length));
        body.push(FUNCREF);
      },
    },
  ],
  statements: [
    {
      weight: 5,
      emit: (body) => call(body, body.random.below(body.shape.functions.length), 2, false),
    },
    { weight: 2, emit: (body) => body.sometimes(() => tailCall(body)) },
  ],
};
