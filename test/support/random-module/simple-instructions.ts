// Instructions that take operands of fixed types and give one result: numeric and vector ones
// without memory (core specification 5.4.7, 5.4.8).

import { F32, F64, I32, I64, V128, type ValueType } from './types.ts';

/** What a following immediate is: a lane below the number, or sixteen bytes or lanes. */
export type Immediate = number | 'bytes' | 'lanes';

export interface SimpleInstruction {
  /** See {@link prefixed}. */
  readonly code: number;
  readonly params: readonly ValueType[];
  readonly result: ValueType;
  readonly immediate?: Immediate;
  /** What has to be made true of the last operand for it not to trap. */
  readonly guard?: 'divisor' | 'truncation';
  /**
   * Where the bits of a NaN, which the specification leaves open, would become visible: in the last
   * operand, or in the lanes of the result.
   */
  readonly shows?: 'operand' | 'f32' | 'f64';
  /** Whether it computes, so that a NaN in its result is a new one (4.3.3), and moves no bits. */
  readonly arithmetic?: boolean;
}

/** An opcode behind a prefix byte, as one number. */
export function prefixed(prefix: 0xfb | 0xfc | 0xfd, code: number): number {
  return prefix * 0x1000 + code;
}

export const VECTOR_PREFIX = 0xfd;

type Extra = Pick<SimpleInstruction, 'immediate' | 'guard' | 'shows' | 'arithmetic'>;

const all: SimpleInstruction[] = [];

function add(
  first: number,
  last: number,
  params: readonly ValueType[],
  result: ValueType,
  extra: Extra = {},
): void {
  for (let code = first; code <= last; code++) all.push({ code, params, result, ...extra });
}

function vector(
  codes: readonly (number | readonly [number, number])[],
  params: readonly ValueType[],
  result: ValueType,
  extra: Extra = {},
): void {
  for (const range of codes) {
    const [first, last] = typeof range === 'number' ? [range, range] : range;
    add(prefixed(VECTOR_PREFIX, first), prefixed(VECTOR_PREFIX, last), params, result, extra);
  }
}

const TRUNCATION = { guard: 'truncation' } as const;
const DIVISOR = { guard: 'divisor' } as const;
const SHOWN = { shows: 'operand' } as const;
const ARITHMETIC = { arithmetic: true } as const;

add(0x45, 0x45, [I32], I32);
add(0x46, 0x4f, [I32, I32], I32);
add(0x50, 0x50, [I64], I32);
add(0x51, 0x5a, [I64, I64], I32);
add(0x5b, 0x60, [F32, F32], I32);
add(0x61, 0x66, [F64, F64], I32);
for (const [type, first] of [
  [I32, 0x67],
  [I64, 0x79],
] as const) {
  add(first, first + 2, [type], type);
  add(first + 3, first + 5, [type, type], type);
  add(first + 6, first + 9, [type, type], type, DIVISOR);
  add(first + 10, first + 17, [type, type], type);
}
for (const [type, first] of [
  [F32, 0x8b],
  [F64, 0x99],
] as const) {
  add(first, first + 1, [type], type); // abs, neg
  add(first + 2, first + 6, [type], type, ARITHMETIC);
  add(first + 7, first + 12, [type, type], type, ARITHMETIC);
  add(first + 13, first + 13, [type, type], type, SHOWN); // copysign
}
add(0xa7, 0xa7, [I64], I32);
add(0xa8, 0xa9, [F32], I32, TRUNCATION);
add(0xaa, 0xab, [F64], I32, TRUNCATION);
add(0xac, 0xad, [I32], I64);
add(0xae, 0xaf, [F32], I64, TRUNCATION);
add(0xb0, 0xb1, [F64], I64, TRUNCATION);
add(0xb2, 0xb3, [I32], F32);
add(0xb4, 0xb5, [I64], F32);
add(0xb6, 0xb6, [F64], F32, ARITHMETIC);
add(0xb7, 0xb8, [I32], F64);
add(0xb9, 0xba, [I64], F64);
add(0xbb, 0xbb, [F32], F64, ARITHMETIC);
add(0xbc, 0xbc, [F32], I32, SHOWN);
add(0xbd, 0xbd, [F64], I64, SHOWN);
add(0xbe, 0xbe, [I32], F32);
add(0xbf, 0xbf, [I64], F64);
add(0xc0, 0xc1, [I32], I32);
add(0xc2, 0xc4, [I64], I64);
add(prefixed(0xfc, 0), prefixed(0xfc, 1), [F32], I32);
add(prefixed(0xfc, 2), prefixed(0xfc, 3), [F64], I32);
add(prefixed(0xfc, 4), prefixed(0xfc, 5), [F32], I64);
add(prefixed(0xfc, 6), prefixed(0xfc, 7), [F64], I64);

const ONE = [V128];
const TWO = [V128, V128];
const THREE = [V128, V128, V128];

vector([12], [], V128, { immediate: 'bytes' });
vector([13], TWO, V128, { immediate: 'lanes' });
vector([14], TWO, V128);
vector([[15, 17]], [I32], V128);
vector([18], [I64], V128);
vector([19], [F32], V128, { shows: 'f32' });
vector([20], [F64], V128, { shows: 'f64' });
vector([[21, 22]], ONE, I32, { immediate: 16 });
vector([23], [V128, I32], V128, { immediate: 16 });
vector([[24, 25]], ONE, I32, { immediate: 8 });
vector([26], [V128, I32], V128, { immediate: 8 });
vector([27], ONE, I32, { immediate: 4 });
vector([28], [V128, I32], V128, { immediate: 4 });
vector([29], ONE, I64, { immediate: 2 });
vector([30], [V128, I64], V128, { immediate: 2 });
vector([31], ONE, F32, { immediate: 4 });
vector([32], [V128, F32], V128, { immediate: 4, shows: 'f32' });
vector([33], ONE, F64, { immediate: 2 });
vector([34], [V128, F64], V128, { immediate: 2, shows: 'f64' });
// Comparisons, bitwise logic, narrowing, and the arithmetic of integer lanes.
vector([[35, 76], [78, 81], 101, 102, [110, 115], [118, 121], 123], TWO, V128);
vector([130, 133, 134, [142, 147], [149, 153], [155, 159]], TWO, V128);
vector([174, 177, [181, 186], [188, 191], 206, 209, [213, 223]], TWO, V128);
vector([77, [96, 98], [124, 129], [135, 138], 160, 161, [167, 170]], ONE, V128);
vector([192, 193, [199, 202], 224, 225, 236, 237, [248, 255]], ONE, V128);
vector([82], THREE, V128);
vector([83, 99, 100, 131, 132, 163, 164, 195, 196], ONE, I32);
vector(
  [
    [107, 109],
    [139, 141],
    [171, 173],
    [203, 205],
  ],
  [V128, I32],
  V128,
);
vector([234, 235, 246, 247], TWO, V128); // pmin, pmax: one of the operands, bit by bit
vector([94, [103, 106], 227], ONE, V128, { shows: 'f32', ...ARITHMETIC });
vector([95, 116, 117, 122, 148, 239], ONE, V128, { shows: 'f64', ...ARITHMETIC });
vector([[228, 233]], TWO, V128, { shows: 'f32', ...ARITHMETIC });
vector([[240, 245]], TWO, V128, { shows: 'f64', ...ARITHMETIC });

/** Every instruction of this kind that each V8 of today knows and whose results are determined. */
export const SIMPLE: readonly SimpleInstruction[] = all.slice();

all.length = 0;
vector([256, [269, 274]], TWO, V128);
vector([[257, 260]], ONE, V128);
vector([[261, 268], 275], THREE, V128);

/** The relaxed vector instructions, whose results depend on the machine. */
export const RELAXED: readonly SimpleInstruction[] = all.slice();
