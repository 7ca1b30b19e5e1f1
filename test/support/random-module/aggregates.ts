// Structs, arrays, small integers and casts (core specification 5.4.2 and 5.4.4, prefix 0xfb).

import type { Body } from './body.ts';
import { branchOnCast, cast, isAggregate, isInternal, pushAfter, test } from './casts.ts';
import { index } from './memory.ts';
import { OP } from './opcodes.ts';
import type { Family } from './repertoire.ts';
import type { ArrayType, Field, Shape, StructType } from './shape.ts';
import {
  ANYREF,
  ARRAYREF,
  definedHeap,
  definedIndex,
  EQREF,
  EXTERNREF,
  I31REF,
  I32,
  isNullable,
  isReference,
  reference,
  STRUCTREF,
  type ValueType,
  withNull,
} from './types.ts';

interface Place {
  /** Index of the struct or array type. */
  readonly type: number;
  /** Index of the field; 0 for arrays. */
  readonly at: number;
  readonly field: Field;
  readonly array: boolean;
}

function placesOf({ types }: Shape, fits: (field: Field) => boolean): Place[] {
  return types.flatMap((defined, type) => {
    if (defined.kind === 'function') return [];
    const array = defined.kind === 'array';
    const fields = array ? [defined.field] : defined.fields;
    return fields.flatMap((field, at) => (fits(field) ? [{ type, at, field, array }] : []));
  });
}

function refTo(type: number): ValueType {
  return reference(definedHeap(type), false);
}

const FEW = 4;

function newStruct(body: Body, at: number, { fields }: StructType, depth: number): void {
  if (body.random.oneIn(3)) {
    body.op(OP.structNewDefault).u32(at);
    body.push(refTo(at));
    return;
  }
  body.values(
    fields.map(({ type }) => type),
    depth,
  );
  body.op(OP.structNew).u32(at);
  pushAfter(body, fields.length, refTo(at));
}

function length(body: Body): void {
  if (body.random.oneIn(8)) index(body, I32, 16);
  else body.constant(FEW + body.random.below(4));
}

function newArray(body: Body, at: number, { field }: ArrayType, depth: number): void {
  const { random, shape } = body;
  const way = random.below(4);
  if (way === 0) {
    length(body);
    body.op(OP.arrayNewDefault).u32(at);
    pushAfter(body, 1, refTo(at));
  } else if (way === 1) {
    body.value(field.type, depth);
    length(body);
    body.op(OP.arrayNew).u32(at);
    pushAfter(body, 2, refTo(at));
  } else {
    const segment = way === 2 ? random.pickAny(segmentsFor(shape, field)) : undefined;
    if (segment === undefined) {
      const count = FEW + random.below(3);
      for (let i = 0; i < count; i++) body.value(field.type, 1);
      body.op(OP.arrayNewFixed).u32(at).u32(count);
      pushAfter(body, count, refTo(at));
      return;
    }
    index(body, I32, 2);
    index(body, I32, 2);
    body
      .op(isReference(field.type) ? OP.arrayNewElem : OP.arrayNewData)
      .u32(at)
      .u32(segment);
    pushAfter(body, 2, refTo(at));
  }
}

function segmentsFor({ elements, data }: Shape, field: Field): number[] {
  if (!isReference(field.type)) return data.map((_, i) => i);
  return elements.flatMap(({ type }, i) => (type === field.type ? [i] : []));
}

/** A new struct or array of exactly this type. */
function create(body: Body, type: ValueType, depth: number): void {
  const at = definedIndex(type) ?? -1;
  const defined = body.shape.types[at];
  if (defined?.kind === 'struct') newStruct(body, at, defined, depth);
  else if (defined?.kind === 'array') newArray(body, at, defined, depth);
  else body.leaf(type);
  pushAfter(body, 1, type);
}

/** Types below each abstract one, so that a value of theirs is one of it. */
function belowAbstract(type: ValueType, { types }: Shape): ValueType[] {
  const of = (kind: string) =>
    types.flatMap((defined, i) => (defined.kind === kind ? [reference(definedHeap(i))] : []));
  switch (type) {
    case STRUCTREF:
      return of('struct');
    case ARRAYREF:
      return of('array');
    case EQREF:
      return [I31REF, STRUCTREF, ARRAYREF];
    case ANYREF:
      return [EQREF, I31REF, STRUCTREF, ARRAYREF];
    default:
      return [];
  }
}

function get(body: Body, type: ValueType, depth: number): void {
  const { random, shape } = body;
  const place = random.pickAny(placesOf(shape, (field) => field.type === type));
  if (place === undefined) {
    body.leaf(type);
    return;
  }
  const { packed } = place.field;
  body.value(withNull(refTo(place.type), random.oneIn(30)), depth);
  const signed = random.below(2);
  const step = packed === undefined ? 0 : 1 + signed;
  if (place.array) {
    index(body, I32, FEW, 1);
    body.op(OP.arrayGet + step).u32(place.type);
    pushAfter(body, 2, type);
  } else {
    body
      .op(OP.structGet + step)
      .u32(place.type)
      .u32(place.at);
    pushAfter(body, 1, type);
  }
}

function set(body: Body): void {
  const place = body.random.pickAny(placesOf(body.shape, ({ mutable }) => mutable));
  if (place === undefined) return;
  body.value(refTo(place.type), 2);
  if (!place.array) {
    body.value(place.field.type, 2);
    body.op(OP.structSet).u32(place.type).u32(place.at);
    body.pop(2);
    return;
  }
  index(body, I32, FEW);
  body.value(place.field.type, 2);
  if (body.random.oneIn(2)) {
    body.op(OP.arraySet).u32(place.type);
    body.pop(3);
  } else {
    index(body, I32, 2);
    body.op(OP.arrayFill).u32(place.type);
    body.pop(4);
  }
}

/** Copies into an array, from another one or from a segment. */
function copy(body: Body): void {
  const { random, shape } = body;
  const arrays = placesOf(shape, ({ mutable }) => mutable).filter(({ array }) => array);
  const place = random.pickAny(arrays);
  if (place === undefined) return;
  const segment = random.pickAny(segmentsFor(shape, place.field));
  body.value(refTo(place.type), 2);
  index(body, I32, FEW);
  const fromArray = segment === undefined || random.oneIn(2);
  if (fromArray) body.value(refTo(place.type), 1);
  index(body, I32, 2);
  index(body, I32, 2);
  if (fromArray) body.op(OP.arrayCopy).u32(place.type).u32(place.type);
  else {
    const isElements = isReference(place.field.type);
    body
      .op(isElements ? OP.arrayInitElem : OP.arrayInitData)
      .u32(place.type)
      .u32(segment);
  }
  body.pop(fromArray ? 5 : 4);
}

const internal = (type: ValueType, shape: Shape) => shape.features.gc && isInternal(type, shape);

export const AGGREGATES: Family = {
  producers: [
    { weight: 6, gives: isAggregate, emit: create },
    {
      weight: 4,
      gives: (type, shape) => belowAbstract(type, shape).length > 0,
      emit: (body, type, depth) => {
        body.value(body.random.pick(belowAbstract(type, body.shape)), depth);
        pushAfter(body, 1, type);
      },
    },
    {
      weight: 3,
      gives: (type, shape) => placesOf(shape, (field) => field.type === type).length > 0,
      emit: get,
    },
    { weight: 1, gives: internal, emit: cast },
    { weight: 1, gives: internal, emit: branchOnCast },
    {
      weight: 1,
      gives: (type, shape) => internal(type, shape) && !isNullable(type),
      emit: (body, type, depth) => {
        body.value(withNull(type, true), depth);
        body.op(OP.refAsNonNull);
        pushAfter(body, 1, type);
      },
    },
    {
      weight: 4,
      gives: (type) => type === I31REF,
      emit: (body, type, depth) => {
        body.value(I32, depth);
        body.op(OP.refI31);
        pushAfter(body, 1, type);
      },
    },
    {
      weight: 1,
      gives: (type, { features }) => features.gc && (type === ANYREF || type === EXTERNREF),
      emit: (body, type, depth) => {
        body.value(type === ANYREF ? EXTERNREF : ANYREF, depth);
        body.op(type === ANYREF ? OP.anyConvertExtern : OP.externConvertAny);
        pushAfter(body, 1, type);
      },
    },
    {
      weight: 4,
      gives: (type, { features }) => features.gc && type === I32,
      emit: (body, _type, depth) => integerOf(body, depth),
    },
  ],
  statements: [
    { weight: 3, possible: ({ features }) => features.gc, emit: set },
    { weight: 2, possible: ({ features }) => features.gc, emit: copy },
  ],
};

/** An `i32` that tells something of references. */
function integerOf(body: Body, depth: number): void {
  const { random } = body;
  switch (random.below(4)) {
    case 0:
      test(body, depth);
      return;
    case 1:
      body.values([EQREF, EQREF], depth);
      body.op(OP.refEq);
      pushAfter(body, 2, I32);
      return;
    case 2:
      body.value(withNull(I31REF, random.oneIn(20)), depth);
      body.op(random.oneIn(2) ? OP.i31GetS : OP.i31GetU);
      pushAfter(body, 1, I32);
      return;
    default: {
      const arrays = placesOf(body.shape, () => true).filter(({ array }) => array);
      const array = random.pickAny(arrays);
      if (array === undefined) {
        body.leaf(I32);
        return;
      }
      body.value(refTo(array.type), depth);
      body.op(OP.arrayLen);
      pushAfter(body, 1, I32);
    }
  }
}
