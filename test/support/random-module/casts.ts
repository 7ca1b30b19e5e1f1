// Tests and casts of references (core specification 5.4.2), and the branches on them.

import type { Body } from './body.ts';
import { OP } from './opcodes.ts';
import type { Shape } from './shape.ts';
import {
  ANYREF,
  definedIndex,
  FUNCREF,
  HEAP,
  heapOf,
  I32,
  isNullable,
  isReference,
  type ValueType,
  writeHeap,
} from './types.ts';

/** After an instruction: its operands are gone, its results are there. */
export function pushAfter(body: Body, operands: number, ...results: readonly ValueType[]): void {
  body.pop(operands);
  body.push(...results);
}

/** Whether it refers to structs or arrays of one type. */
export function isAggregate(type: ValueType, { types }: Shape): boolean {
  const kind = types[definedIndex(type) ?? -1]?.kind;
  return kind === 'struct' || kind === 'array';
}

/** Whether it is below `any`: neither a function, nor of the host, nor an exception. */
export function isInternal(type: ValueType, shape: Shape): boolean {
  if (!isReference(type)) return false;
  if (isAggregate(type, shape)) return true;
  const internal: readonly number[] = [HEAP.any, HEAP.eq, HEAP.i31, HEAP.struct, HEAP.array];
  return internal.includes(heapOf(type));
}

function internalTypes({ shape }: Body): ValueType[] {
  return shape.valueTypes.filter((type) => isInternal(type, shape));
}

/** A test of a reference's type, within the references that it can have. */
export function test(body: Body, depth: number): void {
  const { random } = body;
  const target = random.oneIn(6) ? FUNCREF : random.pick(internalTypes(body));
  body.value(target === FUNCREF ? FUNCREF : random.pick([ANYREF, target]), depth);
  writeHeap(body.op(random.oneIn(2) ? OP.refTest : OP.refTestNull), heapOf(target));
  pushAfter(body, 1, I32);
}

export function cast(body: Body, type: ValueType, depth: number): void {
  body.value(body.random.oneIn(20) ? ANYREF : type, depth);
  writeHeap(body.op(isNullable(type) ? OP.refCastNull : OP.refCast), heapOf(type));
  pushAfter(body, 1, type);
}

const SOURCE_NULLABLE = 1;
const TARGET_NULLABLE = 2;

/** A branch on a cast to the type, out of a block that is made for it. */
export function branchOnCast(body: Body, type: ValueType, depth: number): void {
  if (!body.hasRoomForBlocks) {
    body.leaf(type);
    return;
  }
  const flags = SOURCE_NULLABLE | (isNullable(type) ? TARGET_NULLABLE : 0);
  const onFail = body.random.oneIn(2);
  const result = onFail ? ANYREF : type;
  body.op(OP.block).byte(0x63 + (isNullable(result) ? 0 : 1));
  writeHeap(body.writer, heapOf(result));
  body.within('block', [], [result], () => {
    body.value(ANYREF, depth);
    const writer = body.op(onFail ? OP.brOnCastFail : OP.brOnCast);
    writer.byte(flags).u32(0);
    writeHeap(writer, HEAP.any);
    writeHeap(writer, heapOf(type));
    if (onFail && isNullable(type)) pushAfter(body, 1, type);
    else {
      body.op(OP.drop);
      body.pop(1);
    }
    body.statements(2);
  });
  body.op(OP.end);
  if (result === type) return;
  body.op(OP.drop);
  body.pop(1);
  body.leaf(type);
}
