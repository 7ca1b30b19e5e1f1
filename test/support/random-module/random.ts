/** Random numbers from a seed: the same seed gives the same numbers, everywhere (mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 32 random bits, as an unsigned number. */
  bits(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number from 0 up to, but not including, `end`. */
  below(end: number): number {
    return this.bits() % end;
  }

  /** True once in `n` times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  /** One of the things, which must not be none. */
  pick<T>(things: readonly T[]): T {
    const thing = things[this.below(things.length)];
    if (thing === undefined) throw new RangeError('nothing to pick from');
    return thing;
  }

  /** One of the things, if there are any. */
  pickAny<T>(things: readonly T[]): T | undefined {
    return things.length === 0 ? undefined : this.pick(things);
  }

  /** An integer of so many bits, signed: small, at an edge, or anything. */
  integer(bits: 32 | 64): bigint {
    const edge = 1n << BigInt(bits - 1);
    switch (this.below(6)) {
      case 0:
        return this.pick([edge - 1n, -edge, -1n, 0n, 1n, 0x80n, 0xffffn, 1n - edge]);
      case 1:
        return BigInt.asIntN(bits, (BigInt(this.bits()) << 32n) | BigInt(this.bits()));
      default:
        return BigInt(this.below(300) - 40);
    }
  }

  /** The bits of a float of so many bits: a small number, a special one, or anything. */
  float(bits: 32 | 64): bigint {
    const view = new DataView(new ArrayBuffer(8));
    switch (this.below(6)) {
      case 0:
        return BigInt.asUintN(bits, (BigInt(this.bits()) << 32n) | BigInt(this.bits()));
      case 1: {
        const special = this.pick([Number.NaN, Infinity, -Infinity, -0, 1e-40, 1e300, 2 ** 31]);
        view.setFloat64(0, special);
        if (bits === 32) view.setFloat32(0, special);
        break;
      }
      default: {
        const number = this.below(4_000) / 8 - 100;
        view.setFloat64(0, number);
        if (bits === 32) view.setFloat32(0, number);
      }
    }
    return bits === 32 ? BigInt(view.getUint32(0)) : view.getBigUint64(0);
  }
}

/** The things by what they have in common (`Map.groupBy`, which Node 20 lacks). */
export function groupBy<T, K>(things: readonly T[], keyOf: (thing: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const group = groups.get(keyOf(thing));
    if (group === undefined) groups.set(keyOf(thing), [thing]);
    else group.push(thing);
  }
  return groups;
}
