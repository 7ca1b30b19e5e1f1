// Structured control and branches (core specification 5.4.1).

import {
  anyBlockType,
  type BlockType,
  blockTypeOf,
  depthOf,
  sameTypes,
  writeBlockType,
} from './blocks.ts';
import type { Body } from './body.ts';
import { OP } from './opcodes.ts';
import type { Family } from './repertoire.ts';
import { I32, isNullable, isReference, type ValueType } from './types.ts';

function block(body: Body, type: BlockType): void {
  body.values(type.params, 2);
  body.op(OP.block);
  writeBlockType(body, type);
  body.within('block', type.params, type.results);
  body.op(OP.end);
}

/** A loop. In bounded code each round spends, whichever way its label was reached. */
function loop(body: Body, type: BlockType): void {
  const { random, shape } = body;
  body.values(type.params, 2);
  body.op(OP.loop);
  writeBlockType(body, type);
  body.within('loop', type.params, type.results, () => {
    if (shape.style.bounded) body.spend();
    body.statements();
    if (random.oneIn(4)) return;
    body.values(type.params, 1);
    body.value(I32, 1);
    if (!shape.style.bounded && random.oneIn(4)) {
      body.consume();
      body.op(OP.br).u32(0);
    } else {
      body.op(OP.brIf).u32(0);
      body.pop(1);
    }
  });
  body.op(OP.end);
}

function conditional(body: Body, type: BlockType): void {
  const { params, results } = type;
  body.values(params, 2);
  body.value(I32, 2);
  body.pop(1);
  body.op(OP.if);
  writeBlockType(body, type);
  body.within('if', params, results);
  if (!sameTypes(params, results) || body.random.oneIn(2)) {
    body.pop(results.length);
    body.push(...params);
    body.op(OP.else);
    body.within('if', params, results);
  }
  body.op(OP.end);
}

/** Leaves the block for good; what follows in it is dead code. */
export function leave(body: Body): void {
  const { random } = body;
  const way = random.below(8);
  if (way === 0) {
    body.op(OP.unreachable);
  } else if (way < 3) {
    body.values(body.type.results, 2);
    body.op(OP.return);
    body.pop(body.type.results.length);
  } else if (way < 5) {
    branchTable(body);
  } else {
    const label = random.pick(body.labels);
    body.values(label.types, 2);
    body.op(OP.br).u32(depthOf(body, label));
    body.pop(label.types.length);
  }
}

function branchTable(body: Body): void {
  const { random } = body;
  const { types } = random.pick(body.labels);
  const labels = body.labels.filter((label) => sameTypes(label.types, types));
  body.values(types, 2);
  body.value(I32, 2);
  body.constant(7);
  body.op(OP.i32And);
  body.pop(2);
  const writer = body.op(OP.brTable);
  const count = random.below(6);
  writer.u32(count);
  for (let i = 0; i <= count; i++) writer.u32(depthOf(body, random.pick(labels)));
  body.pop(types.length);
}

function branchIf(body: Body): void {
  const label = body.random.pick(body.labels);
  body.values(label.types, 2);
  body.value(I32, 2);
  body.op(OP.brIf).u32(depthOf(body, label));
  body.pop(1);
  // The operands of the label are still there.
}

/** The branches on null (3.4.1): the label's last operand, or what follows, is the reference. */
function branchOnNull(body: Body): void {
  const { random } = body;
  const reference = random.pick(
    body.shape.valueTypes.filter((t) => isReference(t) && isNullable(t)),
  );
  const [onNull, onNonNull] = [
    body.random.pick(body.labels),
    random.pickAny(body.labels.filter(({ types }) => isReferenceLast(types))),
  ];
  if (onNonNull === undefined || random.oneIn(2)) {
    body.values(onNull.types, 1);
    body.value(reference, 1);
    body.op(OP.brOnNull).u32(depthOf(body, onNull));
    body.op(OP.drop);
    body.pop(1);
    return;
  }
  const last = onNonNull.types[onNonNull.types.length - 1] ?? reference;
  body.values(onNonNull.types.slice(0, -1), 1);
  body.value(last, 1);
  body.op(OP.brOnNonNull).u32(depthOf(body, onNonNull));
  body.pop(1);
}

function isReferenceLast(types: readonly ValueType[]): boolean {
  const last = types[types.length - 1];
  return last !== undefined && isReference(last);
}

export const CONTROL: Family = {
  producers: [
    ...[block, loop, conditional].map((make) => ({
      weight: 1,
      gives: () => true,
      emit: (body: Body, type: ValueType) => {
        if (body.hasRoomForBlocks) make(body, blockTypeOf(body, type));
        else body.leaf(type);
      },
    })),
    {
      weight: 2,
      gives: () => true,
      emit: (body, type, depth) => {
        body.values([type, type, I32], depth);
        body.select(type);
      },
    },
  ],
  statements: [
    ...[block, loop, conditional].map((make) => ({
      weight: 4,
      emit: (body: Body) => {
        if (body.hasRoomForBlocks) make(body, anyBlockType(body));
      },
    })),
    { weight: 4, emit: branchIf },
    { weight: 2, possible: ({ features }) => features.gc, emit: branchOnNull },
    { weight: 3, emit: (body) => body.sometimes(() => leave(body)) },
    {
      weight: 1,
      emit: (body) => {
        if (body.labels.length > 1 && body.random.oneIn(2)) leave(body);
        else body.op(OP.nop);
      },
    },
  ],
};
