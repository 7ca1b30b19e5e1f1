// Memory instructions, scalar and vector (core specification 5.4.6, 5.4.8).

import type { Body } from './body.ts';
import { bitsOfNaN } from './numeric.ts';
import { OP } from './opcodes.ts';
import { groupBy } from './random.ts';
import type { Family } from './repertoire.ts';
import { addressType } from './shape.ts';
import { prefixed, VECTOR_PREFIX } from './simple-instructions.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './types.ts';

interface Access {
  readonly code: number;
  readonly type: ValueType;
  /** The natural alignment, as the exponent of 2. */
  readonly align: number;
  /** Number of lanes, for accesses of one lane. */
  readonly lanes?: number;
}

function scalar(first: number, rows: readonly (readonly [ValueType, ...number[]])[]): Access[] {
  let code = first;
  return rows.flatMap(([type, ...aligns]) =>
    aligns.map((align) => ({ code: code++, type, align })),
  );
}

function vector(first: number, aligns: readonly number[], lanes = false): Access[] {
  return aligns.map((align, i) => ({
    code: prefixed(VECTOR_PREFIX, first + i),
    type: V128,
    align,
    ...(lanes && { lanes: 16 >> align }),
  }));
}

const LOADS: readonly Access[] = [
  ...scalar(0x28, [
    [I32, 2],
    [I64, 3],
    [F32, 2],
    [F64, 3],
    [I32, 0, 0, 1, 1],
  ]),
  ...scalar(0x30, [[I64, 0, 0, 1, 1, 2, 2]]),
  ...vector(0, [4, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3]),
  ...vector(92, [2, 3]),
];
const LANE_LOADS: readonly Access[] = vector(84, [0, 1, 2, 3], true);
const STORES: readonly Access[] = [
  ...scalar(0x36, [
    [I32, 2],
    [I64, 3],
    [F32, 2],
    [F64, 3],
    [I32, 0, 1],
    [I64, 0, 1, 2],
  ]),
  ...vector(11, [4]),
];
const LANE_STORES: readonly Access[] = vector(88, [0, 1, 2, 3], true);

const loadsOf = groupBy(LOADS, ({ type }) => type);

/** An index of the type that is below `end`, a power of 2, but for the odd exception. */
export function index(body: Body, type: ValueType, end: number, depth = 1): void {
  if (body.random.oneIn(60)) body.value(type, depth);
  else below(body, type, end, depth);
}

/** A number of the type that is always below `end`, a power of 2. */
export function below(body: Body, type: ValueType, end: number, depth = 1): void {
  body.value(type, depth);
  if (type === I32) body.op(OP.i32Const).s32(end - 1);
  else body.op(OP.i64Const).s64(BigInt(end - 1));
  body.op(type === I32 ? OP.i32And : OP.i64And);
}

const NEAR = 2_048;
const SMALL = 64;

function pickMemory({ random, shape }: Body): number {
  return random.below(shape.memories.length);
}

function addressOf({ shape }: Body, memory: number): ValueType {
  return addressType(shape.memories[memory] ?? { wide: false });
}

/** Writes a memory access, whose operands are on the stack, with its immediates (5.4.6). */
function access(body: Body, { code, align, lanes }: Access, memory: number): void {
  const { random } = body;
  const writer = body.op(code);
  const least = random.oneIn(3) ? random.below(align + 1) : align;
  if (memory === 0 && !(body.shape.features.multiMemory && random.oneIn(8))) writer.u32(least);
  else writer.u32(least | 0x40).u32(memory);
  writer.u32(random.oneIn(80) ? random.bits() : random.below(3) * random.below(NEAR));
  if (lanes !== undefined) writer.byte(random.below(lanes));
}

function load(body: Body, type: ValueType, depth: number): void {
  const memory = pickMemory(body);
  index(body, addressOf(body, memory), NEAR, depth);
  const lane = type === V128 && body.random.oneIn(4);
  if (lane) body.value(V128, depth);
  access(body, body.random.pick(lane ? LANE_LOADS : (loadsOf.get(type) ?? [])), memory);
  body.pop(lane ? 2 : 1);
  body.push(type);
}

function store(body: Body): void {
  const memory = pickMemory(body);
  const kind = body.random.pick(body.random.oneIn(5) ? LANE_STORES : STORES);
  index(body, addressOf(body, memory), NEAR);
  body.value(kind.type, 2);
  if (body.shape.style.nan === 'hidden') body.makeCanonical(kind.type);
  access(body, kind, memory);
  body.pop(2);
}

/** Shows the bits of a NaN to everybody who looks at the memory. */
function storeNaN(body: Body): void {
  const memory = pickMemory(body);
  const kind = body.random.pick(STORES.filter(({ type }) => type !== F32 && type !== F64));
  index(body, addressOf(body, memory), NEAR);
  bitsOfNaN(body, kind.type);
  access(body, kind, memory);
  body.pop(2);
}

function fill(body: Body): void {
  const memory = pickMemory(body);
  const address = addressOf(body, memory);
  index(body, address, NEAR);
  body.value(I32, 1);
  index(body, address, SMALL);
  body.op(OP.memoryFill).u32(memory);
  body.pop(3);
}

function copy(body: Body): void {
  const [to, from] = [pickMemory(body), pickMemory(body)];
  const [toType, fromType] = [addressOf(body, to), addressOf(body, from)];
  index(body, toType, NEAR);
  index(body, fromType, NEAR);
  index(body, toType === I32 ? I32 : fromType, SMALL);
  body.op(OP.memoryCopy).u32(to).u32(from);
  body.pop(3);
}

function initialise(body: Body): void {
  const memory = pickMemory(body);
  const segment = body.random.below(body.shape.data.length);
  index(body, addressOf(body, memory), NEAR);
  index(body, I32, 16);
  index(body, I32, 16);
  body.op(OP.memoryInit).u32(segment).u32(memory);
  body.pop(3);
}

/**
 * Grows by little and seldom, so that memories stay small enough to compare, and never reach what
 * this machine can provide: there a plain module is told so, and a metered one ends.
 */
function grow(body: Body, memory: number): void {
  below(body, addressOf(body, memory), 2);
  body.op(OP.memoryGrow).u32(memory);
}

export const MEMORY: Family = {
  producers: [
    { weight: 5, gives: (type) => loadsOf.has(type), emit: load },
    {
      weight: 1,
      gives: (type) => type === I32 || type === I64,
      emit: (body, type) => {
        const fitting = body.shape.memories.flatMap((memory, i) =>
          addressType(memory) === type ? [i] : [],
        );
        const memory = body.random.pickAny(fitting);
        if (memory === undefined) {
          body.leaf(type);
        } else if (body.random.oneIn(3)) {
          grow(body, memory);
        } else {
          body.op(OP.memorySize).u32(memory);
          body.push(type);
        }
      },
    },
  ],
  statements: [
    { weight: 8, emit: store },
    { weight: 4, emit: storeNaN },
    { weight: 1, emit: fill },
    { weight: 1, emit: copy },
    { weight: 1, emit: initialise },
    {
      weight: 1,
      emit: (body) => {
        if (body.random.oneIn(3)) {
          body.op(OP.dataDrop).u32(body.random.below(body.shape.data.length));
        }
      },
    },
  ],
};
export const ACCESSES: readonly { readonly code: number }[] = [
  ...LOADS,
  ...LANE_LOADS,
  ...STORES,
  ...LANE_STORES,
];
