// Which floating-point instructions can give a NaN whose bits somebody sees. The bits of an
// arithmetic NaN are not determined by the specification (4.3.3), so in the determinism profile they
// are made canonical, as its deterministic profile has it, right where they arise, unless the value
// goes straight into another instruction of the same shape that does not look at them.

const NOTHING = -1;

/** What shape of floats an instruction computes with. */
export type NanShape = 'f32' | 'f64' | 'f32x4' | 'f64x2';

function within(code: number, ...ranges: readonly (readonly [number, number])[]): boolean {
  return ranges.some(([first, last]) => code >= first && code <= last);
}

/**
 * The shape of the result of an instruction that may make a NaN of its own: everything that computes
 * with floats but abs, neg, copysign and pmin, pmax, which only move bits.
 */
export function nanShape(code: number): NanShape | undefined {
  if (code < 0x100) {
    if (within(code, [0x8d, 0x97], [0xb6, 0xb6])) return 'f32';
    if (within(code, [0x9b, 0xa5], [0xbb, 0xbb])) return 'f64';
    return undefined;
  }
  if (code >>> 16 !== 0xfd) return undefined;
  const sub = code & 0xffff;
  if (within(sub, [94, 94], [103, 106], [227, 233])) return 'f32x4';
  if (within(sub, [95, 95], [116, 117], [122, 122], [148, 148], [239, 245])) return 'f64x2';
  return undefined;
}

/** The shape of floats whose NaN bits an instruction cannot tell apart, whatever it does with them. */
function blindTo(code: number): NanShape | undefined {
  if (code < 0x100) {
    if (within(code, [0x5b, 0x60], [0x8d, 0x97], [0xa8, 0xa9], [0xae, 0xaf], [0xbb, 0xbb]))
      return 'f32';
    if (within(code, [0x61, 0x66], [0x9b, 0xa5], [0xaa, 0xab], [0xb0, 0xb1], [0xb6, 0xb6]))
      return 'f64';
    return undefined;
  }
  const sub = code & 0xffff;
  if (code >>> 16 === 0xfc) return sub > 7 ? undefined : (sub & 2) === 0 ? 'f32' : 'f64';
  if (code >>> 16 !== 0xfd) return undefined;
  if (within(sub, [65, 70], [95, 95], [103, 106], [227, 233], [248, 249])) return 'f32x4';
  const f64x2 = [71, 76] as const;
  if (within(sub, f64x2, [94, 94], [116, 117], [122, 122], [148, 148], [239, 245], [252, 253])) {
    return 'f64x2';
  }
  return undefined;
}

/** Follows operands through a function body, as far as they came from floating-point instructions. */
export class NanTracker {
  /** Offsets of the instructions whose result has to be made canonical. */
  readonly needed = new Set<number>();
  /** For each operand: the offset of the instruction that made it, where its NaN is not canonical. */
  private readonly makers: number[] = [];
  private readonly shapes: (NanShape | undefined)[] = [];
  /** Below this height no operand has a maker. */
  private clean = 0;

  /** An instruction that takes and gives operands; never more than there are above `base`. */
  operate(code: number, offset: number, taken: number, given: number, base: number): void {
    const blind = blindTo(code);
    for (let left = taken; left > 0 && this.makers.length > base; left--) {
      this.clean = Math.min(this.clean, this.makers.length - 1);
      const shape = this.shapes.pop();
      const maker = this.makers.pop() ?? NOTHING;
      const dropped = code === 0x1a;
      if (maker !== NOTHING && !dropped && shape !== blind) this.needed.add(maker);
    }
    const shape = nanShape(code);
    for (let left = given; left > 0; left--) {
      this.makers.push(shape === undefined ? NOTHING : offset);
      this.shapes.push(shape);
    }
  }

  /** Operands that go where their bits may be seen. */
  use(count: number): void {
    for (let left = count; left > 0 && this.makers.length > 0; left--) {
      this.shapes.pop();
      this.need(this.makers.pop());
      this.clean = Math.min(this.clean, this.makers.length);
    }
  }

  /** All operands may be seen: they are carried to a label, or stay below a block. */
  useAll(): void {
    for (let i = Math.min(this.clean, this.makers.length); i < this.makers.length; i++) {
      this.need(this.makers[i]);
      this.makers[i] = NOTHING;
    }
    this.clean = this.makers.length;
  }

  push(count: number): void {
    for (let left = count; left > 0; left--) {
      this.makers.push(NOTHING);
      this.shapes.push(undefined);
    }
  }

  /** Forgets the operands above a height. */
  cut(height: number): void {
    for (let i = height; i < this.makers.length; i++) this.need(this.makers[i]);
    this.makers.length = Math.min(this.makers.length, height);
    this.shapes.length = this.makers.length;
    this.clean = Math.min(this.clean, this.makers.length);
    while (this.makers.length < height) this.push(1);
  }

  private need(maker: number | undefined): void {
    if (maker !== undefined && maker !== NOTHING) this.needed.add(maker);
  }
}
