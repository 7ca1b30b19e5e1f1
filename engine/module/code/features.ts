import { OperatorCodeNames } from 'wasmparser';
import type { Feature, NondeterministicInstruction } from '../types.ts';
import { FIRST_RELAXED_SIMD } from './opcodes.ts';

/** More nondeterministic instructions than this are not listed: one is enough to refuse a module. */
export const MAX_NONDETERMINISTIC = 100;

/** Features by ranges of opcodes of one byte. */
const PLAIN: readonly (readonly [first: number, last: number, feature: Feature])[] = [
  [0x06, 0x07, 'exceptions-legacy'],
  [0x09, 0x09, 'exceptions-legacy'],
  [0x0a, 0x0a, 'exceptions'],
  [0x12, 0x13, 'tail-call'],
  [0x14, 0x14, 'function-references'],
  [0x15, 0x15, 'tail-call'],
  [0x15, 0x15, 'function-references'],
  [0x18, 0x19, 'exceptions-legacy'],
  [0x1c, 0x1c, 'reference-types'],
  [0x1f, 0x1f, 'exceptions'],
  [0x25, 0x26, 'reference-types'],
  [0xc0, 0xc4, 'sign-extension'],
  [0xd0, 0xd2, 'reference-types'],
  [0xd3, 0xd3, 'gc'],
  [0xd4, 0xd6, 'function-references'],
];

/** Features by ranges of opcodes with prefix 0xfc. */
const MISC: typeof PLAIN = [
  [0, 7, 'saturating-float-to-int'],
  [8, 14, 'bulk-memory'],
  [15, 17, 'reference-types'],
];

const THROW = 0x08;
const MEMORY_SIZE = 0x3f;
const MEMORY_GROW = 0x40;
const FIRST_STORE = 0x36;
const MEMORY_COPY = 0xfc_000a;
const LAST_VECTOR_LOAD = 10;
const VECTOR_LOAD_LANE = [84, 87] as const;
const VECTOR_LOAD_ZERO = [92, 93] as const;

/** Gathers, instruction by instruction, the features that code uses and what is nondeterministic. */
export class FeatureScan {
  readonly nondeterministic: NondeterministicInstruction[] = [];
  private readonly used = new Set<Feature>();
  /** The opcodes of one byte that were met. */
  readonly seen = new Uint8Array(256);
  private readonly misc = new Uint8Array(256);
  private readonly sharedMemories: ReadonlySet<number>;

  /** @param sharedMemories indices of shared memories. */
  constructor(sharedMemories: ReadonlySet<number>) {
    this.sharedMemories = sharedMemories;
  }

  use(feature: Feature): void {
    this.used.add(feature);
  }

  /** Takes an opcode with its prefix in the bits from 16 up. */
  prefixed(code: number, functionIndex: number, offset: number): void {
    const sub = code & 0xffff;
    switch (code >>> 16) {
      case 0xfb:
        this.used.add('gc');
        return;
      case 0xfc:
        this.misc[sub] = 1;
        return;
      case 0xfd:
        this.used.add('simd');
        if (sub < FIRST_RELAXED_SIMD) return;
        this.used.add('relaxed-simd');
        this.report(code, functionIndex, offset, 'relaxed-simd');
        return;
      case 0xfe:
        this.used.add('threads');
        this.report(code, functionIndex, offset, 'shared-memory');
    }
  }

  /** Takes an instruction that uses a memory: what it reads from a shared one may vary. */
  memoryAccess(code: number, memoryIndex: number, functionIndex: number, offset: number): void {
    if (memoryIndex > 0) this.used.add('multi-memory');
    if (this.sharedMemories.size === 0 || !this.sharedMemories.has(memoryIndex)) return;
    if (readsMemory(code)) this.report(code, functionIndex, offset, 'shared-memory');
  }

  /** All features seen so far. */
  features(): ReadonlySet<Feature> {
    const features = new Set(this.used);
    for (const [ranges, seen] of [
      [PLAIN, this.seen],
      [MISC, this.misc],
    ] as const) {
      for (const [first, last, feature] of ranges) {
        if (seen.subarray(first, last + 1).includes(1)) features.add(feature);
      }
    }
    // Both proposals have tags and `throw`: alone they belong to the one in the standard.
    if (this.seen[THROW] === 1 && !features.has('exceptions-legacy')) features.add('exceptions');
    return features;
  }

  private report(
    code: number,
    functionIndex: number,
    offset: number,
    reason: NondeterministicInstruction['reason'],
  ): void {
    if (this.nondeterministic.length >= MAX_NONDETERMINISTIC) return;
    const instruction = instructionName(code);
    this.nondeterministic.push({ instruction, functionIndex, offset, reason });
  }
}

/** Loads, sizes and copies. Atomic instructions are reported for themselves, stores yield nothing. */
function readsMemory(code: number): boolean {
  if (code < 256) return code < FIRST_STORE || code === MEMORY_SIZE || code === MEMORY_GROW;
  if (code === MEMORY_COPY) return true;
  if (code >>> 16 !== 0xfd) return false;
  const sub = code & 0xffff;
  return (
    sub <= LAST_VECTOR_LOAD ||
    (sub >= VECTOR_LOAD_LANE[0] && sub <= VECTOR_LOAD_LANE[1]) ||
    (sub >= VECTOR_LOAD_ZERO[0] && sub <= VECTOR_LOAD_ZERO[1])
  );
}

/** The text format's name of an opcode. wasmparser numbers those with prefix 0xfd from 0xfd000. */
function instructionName(code: number): string {
  const prefix = code >>> 16;
  const sub = code & 0xffff;
  const index = prefix === 0 ? sub : prefix === 0xfd ? 0xfd000 + sub : (prefix << 8) + sub;
  return OperatorCodeNames[index] ?? `0x${prefix.toString(16)} 0x${sub.toString(16)}`;
}
