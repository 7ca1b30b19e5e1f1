// Block types (core specification 5.4.1), for all instructions that have one.

import type { Body, Label } from './body.ts';
import { functionType, type Shape } from './shape.ts';
import { type ValueType, writeType } from './types.ts';

export interface BlockType {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  /** The type's index, where the short form is not used. */
  readonly index?: number;
}

/** Types that blocks can have by index. */
function indexed(shape: Shape): BlockType[] {
  return shape.types.flatMap(({ kind }, index) => {
    if (kind !== 'function') return [];
    const { params, results } = functionType(shape, index);
    return [{ params, results, index }];
  });
}

/** Any block type. */
export function anyBlockType({ random, shape }: Body): BlockType {
  switch (random.below(4)) {
    case 0:
      return { params: [], results: [] };
    case 1:
      return { params: [], results: [random.pick(shape.valueTypes)] };
    default:
      return random.pick(indexed(shape));
  }
}

/** A block type with this single result. */
export function blockTypeOf({ random, shape }: Body, type: ValueType): BlockType {
  const short = { params: [], results: [type] };
  if (random.oneIn(2)) return short;
  const same = indexed(shape).filter(({ results }) => results.length === 1 && results[0] === type);
  return random.pickAny(same) ?? short;
}

export function writeBlockType({ writer }: Body, { results, index }: BlockType): void {
  if (index !== undefined) {
    writer.s32(index);
    return;
  }
  const [result] = results;
  if (result === undefined) writer.byte(0x40);
  else writeType(writer, result);
}

/** Relative index of a label (2.4.5). */
export function depthOf({ labels }: Body, label: Label): number {
  return labels.length - 1 - labels.indexOf(label);
}

export function sameTypes(one: readonly ValueType[], other: readonly ValueType[]): boolean {
  return one.length === other.length && one.every((type, i) => type === other[i]);
}
