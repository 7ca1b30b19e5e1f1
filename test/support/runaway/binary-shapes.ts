// Shapes that are too long for text, or that the assembler does not know.

import { PREAMBLE, WasmWriter } from '../wasm-writer.ts';
import type { Shape } from './shape.ts';

/**
 * An executor whose plan is these instructions, for what the assembler does not know or what would be
 * too long as text.
 * @param types further types than that of the plan, in binary.
 */
function binary(
  plan: (code: WasmWriter) => void,
  types: readonly (readonly number[])[] = [],
): () => Uint8Array {
  return () => {
    const body = new WasmWriter().u32(0);
    plan(body);
    return new WasmWriter()
      .raw(PREAMBLE)
      .section(1, 1 + types.length, new WasmWriter().raw([0x60, 0, 0, ...types.flat()]))
      .section(3, 1, new WasmWriter().u32(0))
      .section(5, 1, new WasmWriter().raw([0, 1]))
      .section(7, 2, new WasmWriter().name('memory').raw([2, 0]).name('plan').raw([0, 0]))
      .section(10, 1, new WasmWriter().sized(body.byte(0x0b)))
      .bytes();
  };
}

const LABELS = 10_000;
const NESTING = 1_000;
const LONG = 500_000;

const LARGE: readonly Shape[] = [
  {
    name: 'a br_table of 10,000 labels in a loop',
    end: 'out-of-fuel',
    bytes: binary((code) => {
      code.raw([0x03, 0x40, 0x02, 0x40, 0x41, 7, 0x0e]).u32(LABELS);
      for (let i = 0; i < LABELS; i++) code.u32(i % 2);
      code.raw([0, 0x0b, 0x0c, 0, 0x0b]);
    }),
  },
  {
    name: 'a loop around 1,000 blocks in each other',
    end: 'out-of-fuel',
    bytes: binary((code) => {
      code.raw([0x03, 0x40]);
      for (let i = 0; i < NESTING; i++) code.raw([0x02, 0x40]);
      code.byte(0x0c).u32(NESTING);
      for (let i = 0; i <= NESTING; i++) code.byte(0x0b);
    }),
  },
  {
    name: '1,000 loops in each other',
    end: 'out-of-fuel',
    bytes: binary((code) => {
      for (let i = 0; i < NESTING; i++) code.raw([0x03, 0x40]);
      code.byte(0x0c).u32(NESTING - 1);
      for (let i = 0; i < NESTING; i++) code.byte(0x0b);
    }),
  },
  {
    name: 'a long function without a branch, for ever',
    end: 'out-of-fuel',
    bytes: binary((code) => {
      code.raw([0x03, 0x40]);
      for (let i = 0; i < LONG; i++) code.raw([0x41, 1, 0x1a]);
      code.raw([0x0c, 0, 0x0b]);
    }),
  },
  {
    name: 'a long function that calls itself last',
    end: 'out-of-fuel',
    bytes: binary((code) => {
      for (let i = 0; i < LONG; i++) code.raw([0x41, 1, 0x1a]);
      code.raw([0x12, 0]);
    }),
  },
];

const I31REF = 0x6c;
const FUNC = 0x70;
const ARRAY_OF_I64 = [0x5e, 0x7e, 1];

/** References of newer engines, for which the assembler has no text. */
const REFERENCES: readonly Shape[] = [
  {
    name: 'a tail call by reference',
    end: 'out-of-fuel',
    bytes: binary((code) => code.raw([0xd2, 0, 0x15, 0])),
  },
  {
    name: 'recursion by reference',
    end: 'call-depth',
    bytes: binary((code) => code.raw([0xd2, 0, 0x14, 0])),
  },
  {
    name: 'a loop by br_on_null alone',
    end: 'out-of-fuel',
    bytes: binary((code) => code.raw([0x03, 0x40, 0xd0, FUNC, 0xd5, 0, 0x1a, 0x0b])),
  },
  {
    name: 'a loop by br_on_cast alone',
    end: 'out-of-fuel',
    bytes: binary(
      (code) =>
        code
          .raw([0x41, 1, 0xfb, 28, 0x03, 1])
          .raw([0xfb, 24, 3, 0, I31REF, I31REF])
          .raw([0x1a, 0x0b]),
      [[0x60, 1, I31REF, 0]],
    ),
  },
  {
    name: 'large arrays in a loop',
    end: 'out-of-fuel',
    bytes: binary(
      (code) => code.raw([0x03, 0x40, 0x41]).s32(100_000).raw([0xfb, 7, 1, 0x1a, 0x0c, 0, 0x0b]),
      [ARRAY_OF_I64],
    ),
  },
  {
    name: 'an array larger than the fuel, in a loop',
    end: 'out-of-fuel',
    bytes: binary(
      (code) => code.raw([0x03, 0x40, 0x41]).s32(-1).raw([0xfb, 7, 1, 0x1a, 0x0c, 0, 0x0b]),
      [ARRAY_OF_I64],
    ),
  },
];

export const BINARY_SHAPES: readonly Shape[] = [...LARGE, ...REFERENCES];
