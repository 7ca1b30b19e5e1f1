// Numeric and vector instructions, variables and plain stack traffic (core specification 5.4.3 - 5.4.8).

import type { Body } from './body.ts';
import { writeFloat } from './leaf.ts';
import { OP } from './opcodes.ts';
import { groupBy } from './random.ts';
import type { Family } from './repertoire.ts';
import { SIMPLE, type SimpleInstruction } from './simple-instructions.ts';
import { F32, F64, I32, I64, V128, type ValueType } from './types.ts';

const byResult = groupBy(SIMPLE, ({ result }) => result);
const byParams = groupBy(
  SIMPLE.filter(({ guard }) => guard === undefined),
  ({ params }) => params.join(),
);

/** Writes the instruction itself, whose operands are on the stack. */
function apply(body: Body, instruction: SimpleInstruction): void {
  const { params, result, code, immediate, shows, arithmetic = false } = instruction;
  const { nan } = body.shape.style;
  if (shows === 'operand' && nan === 'hidden') {
    body.makeCanonical(params[params.length - 1] ?? F32);
  }
  const writer = body.op(code);
  if (typeof immediate === 'number') writer.byte(body.random.below(immediate));
  else if (immediate === 'lanes') for (let i = 0; i < 16; i++) writer.byte(body.random.below(32));
  else if (immediate === 'bytes') for (let i = 0; i < 16; i++) writer.byte(body.random.below(256));
  body.pop(params.length);
  body.push(result);
  if (nan === 'raw' || (nan === 'canonical' && !arithmetic)) return;
  if (shows === 'f32' || shows === 'f64') body.makeLanesCanonical(shows);
  else if (nan === 'canonical') body.makeCanonical(result);
}

/** A float that fits into every integer type. */
function smallFloat(body: Body, type: ValueType, depth: number): void {
  body.value(I32, depth);
  body.constant(0x7f);
  body.op(OP.i32And);
  body.op(type === F32 ? OP.f32ConvertI32 : OP.f64ConvertI32);
  body.pop(2);
  body.push(type);
}

function operands(body: Body, { params, guard }: SimpleInstruction, depth: number): void {
  const guarded = guard !== undefined && !body.random.oneIn(12);
  const [type = I32] = params;
  if (guarded && guard === 'truncation') {
    smallFloat(body, type, depth);
    return;
  }
  body.values(params, depth);
  if (!guarded) return;
  if (type === I32) body.op(OP.i32Const).s32(1);
  else body.op(OP.i64Const).s64(1n);
  body.op(type === I32 ? OP.i32Or : OP.i64Or);
}

function globalsOf(body: Body, type: ValueType, settable: boolean): number[] {
  return body.shape.globals.flatMap((global, i) =>
    i > 0 && global.type === type && (global.mutable || !settable) ? [i] : [],
  );
}

/** Puts a value into a local or global, or leaves it for what follows. */
function keep(body: Body): void {
  const type = body.random.pick(body.shape.valueTypes);
  body.value(type);
  const global = body.random.oneIn(2)
    ? body.random.pickAny(globalsOf(body, type, true))
    : undefined;
  if (global !== undefined) {
    body.op(OP.globalSet).u32(global);
    body.pop(1);
  } else if (!body.random.oneIn(4)) {
    body.consume();
  }
}

/** An instruction on what happens to be on the stack. */
function onStack(body: Body): void {
  const base = body.labels[body.labels.length - 1]?.base ?? 0;
  const params = body.stack.slice(base).slice(-body.random.pick([1, 2, 2, 3]));
  const instruction = params.length > 0 && body.random.pickAny(byParams.get(params.join()) ?? []);
  if (instruction) apply(body, instruction);
}

const NAN_BITS = [0x7fc00000n, 0xffc00000n, 0x7fa00001n, 0xff800001n, 0x7f800000n] as const;
const REINTERPRET = 0xbc;

/** An operand that makes a NaN likely. */
function oddOperand(body: Body, type: ValueType): void {
  const { random } = body;
  const bits = random.pick(NAN_BITS);
  if (random.oneIn(3)) {
    body.value(type, 1);
    return;
  }
  if (type === F32) writeFloat(body.op(OP.f32Const), bits, 4);
  else if (type === F64) writeFloat(body.op(OP.f64Const), bits << 32n, 8);
  else writeFloat(writeFloat(body.op(OP.v128Const), bits << 32n, 8), bits | (bits << 32n), 8);
  body.push(type);
}

/** The bits of what a chain of floating-point instructions makes of NaNs. */
export function bitsOfNaN(body: Body, type: ValueType): void {
  const { random } = body;
  const float = type === V128 ? V128 : type === I32 ? F32 : F64;
  const fitting = SIMPLE.filter(
    ({ params, result, arithmetic = false }) =>
      arithmetic && result === float && params.every((param) => param === float),
  );
  oddOperand(body, float);
  for (let n = 1 + random.below(3); n > 0; n--) {
    const instruction = random.pick(fitting);
    for (let i = 1; i < instruction.params.length; i++) oddOperand(body, float);
    apply(body, instruction);
  }
  const bits = SIMPLE.find(({ code }) => code === REINTERPRET + (type === I32 ? 0 : 1));
  if (type !== V128 && bits !== undefined) apply(body, bits);
}

export const NUMERIC: Family = {
  producers: [
    { weight: 3, gives: () => true, emit: (body, type) => body.leaf(type) },
    {
      weight: 16,
      gives: (type) => byResult.has(type),
      emit: (body, type, depth) => {
        const instruction = body.random.pick(byResult.get(type) ?? []);
        operands(body, instruction, depth);
        apply(body, instruction);
      },
    },
    {
      weight: 2,
      gives: (type) => type === I32 || type === I64 || type === V128,
      emit: bitsOfNaN,
    },
    {
      weight: 2,
      gives: () => true,
      emit: (body, type, depth) => {
        const global = body.random.pickAny(globalsOf(body, type, false));
        if (global === undefined) {
          body.value(type, depth);
          return;
        }
        body.op(OP.globalGet).u32(global);
        body.push(type);
      },
    },
    {
      weight: 2,
      gives: () => true,
      emit: (body, type, depth) => {
        body.value(type, depth);
        const local = body.random.pickAny(body.localsOf(type));
        if (local !== undefined) body.op(OP.localTee).u32(local);
      },
    },
  ],
  statements: [
    { weight: 8, emit: keep },
    { weight: 6, emit: onStack },
    { weight: 1, emit: (body) => body.value(I64) },
  ],
};
