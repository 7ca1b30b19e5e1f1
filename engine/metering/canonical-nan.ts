import type { BodyEmitter, Temporary } from './emitter.ts';
import type { NanShape } from './nan-tracker.ts';
import { OP } from './opcodes.ts';

const BITSELECT = 82;

/** How the NaNs of a shape are made canonical (4.3.3): quiet, with an empty payload. */
const CANONICAL = Object.freeze({
  f32: { local: 'f32', constant: [0x43, 0, 0, 0xc0, 0x7f], equal: OP.f32Eq },
  f64: { local: 'f64', constant: [0x44, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f], equal: OP.f64Eq },
  f32x4: { local: 'v128', constant: vectorOf([0, 0, 0xc0, 0x7f]), equal: 65 },
  f64x2: { local: 'v128', constant: vectorOf([0, 0, 0, 0, 0, 0, 0xf8, 0x7f]), equal: 71 },
} as const satisfies Record<
  NanShape,
  { readonly local: Temporary; readonly constant: readonly number[]; readonly equal: number }
>);

/** `v128.const` with a lane repeated. */
function vectorOf(lane: readonly number[]): readonly number[] {
  const lanes = Array.from({ length: 16 }, (_, i) => lane[i % lane.length] ?? 0);
  return [0xfd, 12, ...lanes];
}

/** Makes the NaNs of the topmost operand canonical. */
export function makeCanonical(emit: BodyEmitter, shape: NanShape): void {
  const { out } = emit;
  const { local, constant, equal } = CANONICAL[shape];
  emit.localTee(local);
  out.bytes(constant);
  emit.localGet(local);
  emit.localGet(local);
  if (shape === 'f32' || shape === 'f64') {
    out.byte(equal);
    out.byte(OP.select);
    return;
  }
  out.byte(0xfd);
  out.unsigned(equal);
  out.byte(0xfd);
  out.unsigned(BITSELECT);
}
