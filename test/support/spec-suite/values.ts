// Values of scripts as bytes in slots of 16, so that no bit of a NaN and no vector is lost on a way
// through JavaScript numbers.

import type { ScriptValue } from './script.ts';

/** Bytes of one value in a slot. */
export const SLOT = 16;

const LANE_BYTES = { i8: 1, i16: 2, i32: 4, i64: 8, f32: 4, f64: 8 } as const;
const NUMBERS: ReadonlyMap<string, keyof typeof LANE_BYTES> = new Map([
  ['i32', 'i32'],
  ['i64', 'i64'],
  ['f32', 'f32'],
  ['f64', 'f64'],
]);

/** Whether a value of the type can lie in a slot; references cannot. */
export function isNumeric(type: string): boolean {
  return type === 'v128' || NUMBERS.has(type);
}

interface Lane {
  readonly bytes: number;
  readonly float: boolean;
  /** Absent where nothing is said of the value. */
  readonly text: string | undefined;
}

function lanesOf(value: ScriptValue): readonly Lane[] {
  const type = value.lane_type ?? NUMBERS.get(value.type) ?? 'i64';
  const bytes = LANE_BYTES[type];
  const float = type.startsWith('f');
  const texts = Array.isArray(value.value) ? value.value : [value.value];
  return texts.map((text) => ({ bytes, float, text }));
}

/** The value's bits, little-endian, as its slot holds them. */
export function slotOf(value: ScriptValue): Uint8Array {
  const slot = new Uint8Array(SLOT);
  let at = 0;
  for (const { bytes, text = '0' } of lanesOf(value)) {
    writeLane(slot, at, bytes, BigInt(text));
    at += bytes;
  }
  return slot;
}

function writeLane(slot: Uint8Array, at: number, bytes: number, bits: bigint): void {
  for (let i = 0; i < bytes; i++) slot[at + i] = Number((bits >> BigInt(8 * i)) & 0xffn);
}

function readLane(slot: Uint8Array, at: number, bytes: number): bigint {
  let bits = 0n;
  for (let i = bytes - 1; i >= 0; i--) bits = (bits << 8n) | BigInt(slot[at + i] ?? 0);
  return bits;
}

/** Quiet bit, exponent and significand of a float of so many bytes (4.3.3). */
function floatBits(bytes: number) {
  const significand = bytes === 4 ? 23n : 52n;
  const sign = 1n << BigInt(bytes * 8 - 1);
  const quiet = 1n << (significand - 1n);
  const exponent = sign - (1n << significand);
  return { sign, quiet, canonical: exponent | quiet };
}

function isNaNOf(pattern: string, bits: bigint, bytes: number): boolean {
  const { sign, quiet, canonical } = floatBits(bytes);
  const magnitude = bits & (sign - 1n);
  if (pattern === 'nan:canonical') return magnitude === canonical;
  return magnitude >= canonical && (magnitude & quiet) !== 0n;
}

/** Whether the slot holds what is expected, NaN patterns included. */
export function matches(expected: ScriptValue, slot: Uint8Array): boolean {
  let at = 0;
  return lanesOf(expected).every(({ bytes, text }) => {
    const bits = readLane(slot, at, bytes);
    at += bytes;
    if (text === undefined) return true;
    return text.startsWith('nan:') ? isNaNOf(text, bits, bytes) : bits === BigInt(text);
  });
}

/**
 * Whether every NaN for which the specification leaves a choice is the one that its deterministic
 * profile (core specification 3.0, appendix A.5) demands: canonical, with a positive sign.
 */
export function isDeterministic(expected: ScriptValue, slot: Uint8Array): boolean {
  let at = 0;
  return lanesOf(expected).every(({ bytes, text }) => {
    const bits = readLane(slot, at, bytes);
    at += bytes;
    return !text?.startsWith('nan:') || bits === floatBits(bytes).canonical;
  });
}
