// What each kernel must answer, by implementations that share nothing with the kernels': the
// platform's own where it has one (SHA-256, JSON, regular expressions, sorting), plain JavaScript
// elsewhere. Doubles are those of IEEE 754 on both sides, in the same order.

import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A data file that kernels hold too, as text. Tests and benchmarks run in the repository's root. */
function data(file: string): string {
  return readFileSync(join('bench', 'kernels', 'src', file), 'utf8');
}

/** The checksum of the kernel called `name` for the argument `n`, as a signed 32-bit number. */
type Reference = (n: number) => number;

const sieve: Reference = (n) => {
  let primes = 0;
  for (let i = 2; i < n; i++) if (isPrime(i)) primes++;
  return primes;
};

function isPrime(n: number): boolean {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return true;
}

const fib: Reference = (n) => {
  let [a, b] = [0, 1];
  for (let i = 0; i < n; i++) [a, b] = [b, a + b];
  return a;
};

const matmul: Reference = (n) => {
  const a = (i: number, k: number) => (((i * n + k) * 7) % 31) / 8;
  const b = (k: number, j: number) => (((k * n + j) * 13) % 29) / 4;
  let total = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      let sum = 0;
      for (let k = 0; k < n; k++) sum += a(i, k) * b(k, j);
      total += sum;
    }
  }
  return Math.trunc(total);
};

const sha256: Reference = (n) => {
  const words = Uint32Array.from(xorshift(n * 16));
  const digest = hash('sha256', new Uint8Array(words.buffer), 'hex');
  return Number.parseInt(digest.slice(-8), 16) | 0;
};

const sort: Reference = (n) => {
  const values = Int32Array.from(xorshift(n), (x) => x | 0).sort();
  return values.reduce((sum, value, i) => (sum + Math.imul(value, i + 1)) | 0, 0);
};

const json: Reference = () => {
  const counts = {
    objects: 0,
    arrays: 0,
    strings: 0,
    stringBytes: 0,
    numbers: 0,
    integers: 0,
    literals: 0,
    depth: 0,
  };
  const text = (value: string) => {
    counts.strings++;
    counts.stringBytes += Buffer.byteLength(value);
  };
  const visit = (value: unknown, depth: number): void => {
    if (typeof value === 'string') {
      text(value);
    } else if (typeof value === 'number') {
      counts.numbers++;
      // The document writes whole numbers, and these only, below 10^21 without a fraction or exponent.
      if (Number.isInteger(value) && Math.abs(value) < 1e21) counts.integers += value;
    } else if (typeof value !== 'object' || value === null) {
      counts.literals++;
    } else {
      counts.depth = Math.max(counts.depth, depth);
      if (Array.isArray(value)) counts.arrays++;
      else counts.objects++;
      for (const [key, item] of Object.entries(value)) {
        if (!Array.isArray(value)) text(key);
        visit(item, depth + 1);
      }
    }
  };
  visit(JSON.parse(data('document.json')), 1);
  return mix(Object.values(counts));
};

const nbody: Reference = (n) => {
  const solar = 4 * Math.PI * Math.PI;
  const year = 365.24;
  const planets = PLANETS.map(([x, y, z, vx, vy, vz, mass]) => ({
    place: [x, y, z],
    speed: [vx * year, vy * year, vz * year],
    mass: mass * solar,
  }));
  const bodies = [{ place: [0, 0, 0], speed: [0, 0, 0], mass: solar }, ...planets];
  const axes = [0, 1, 2] as const;
  const at = (vector: readonly number[], axis: number) => vector[axis] ?? Number.NaN;
  const [sun] = bodies;
  if (sun === undefined) throw new Error('there is no sun');
  sun.speed = axes.map((k) => -bodies.reduce((p, b) => p + at(b.speed, k) * b.mass, 0) / solar);
  const pairs = bodies.flatMap((a, i) => bodies.slice(i + 1).map((b) => ({ a, b })));
  const square = ([x = 0, y = 0, z = 0]: readonly number[]) => x * x + y * y + z * z;
  const between = ({ a, b }: (typeof pairs)[number]) =>
    axes.map((k) => at(a.place, k) - at(b.place, k));
  for (let step = 0; step < n; step++) {
    for (const pair of pairs) {
      const { a, b } = pair;
      const d = between(pair);
      const mag = 0.01 / (square(d) * Math.sqrt(square(d)));
      a.speed = axes.map((k) => at(a.speed, k) - at(d, k) * b.mass * mag);
      b.speed = axes.map((k) => at(b.speed, k) + at(d, k) * a.mass * mag);
    }
    for (const body of bodies) {
      body.place = axes.map((k) => at(body.place, k) + 0.01 * at(body.speed, k));
    }
  }
  let energy = 0;
  for (const a of bodies) {
    energy += 0.5 * a.mass * square(a.speed);
    for (const pair of pairs) {
      if (pair.a === a) energy -= (a.mass * pair.b.mass) / Math.sqrt(square(between(pair)));
    }
  }
  return Math.trunc(energy * 1e9);
};

/** Jupiter, Saturn, Uranus, Neptune: place (AU), speed (AU a day), mass (Suns). */
const PLANETS: readonly (readonly [number, number, number, number, number, number, number])[] = [
  [
    4.841431442464721, -1.1603200440274284, -0.10362204447112311, 0.001660076642744037,
    0.007699011184197404, -6.90460016972063e-5, 0.0009547919384243266,
  ],
  [
    8.34336671824458, 4.124798564124305, -0.4035234171143214, -0.0027674251072641104,
    0.004998528012349172, 2.3041729757376393e-5, 0.0002858859806661308,
  ],
  [
    12.894369562139131, -15.111151401698631, -0.22330757889265573, 0.002964601375647616,
    0.0023784717395948095, -2.9658956854023756e-5, 4.366244043351563e-5,
  ],
  [
    15.379697114850917, -25.919314609987964, 0.17925877295037118, 0.0026806777249038932,
    0.001628241700382423, -9.515922545197159e-5, 5.1513890204661145e-5,
  ],
];

const mandelbrot: Reference = (n) => {
  let sum = 0;
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const [cx, cy] = [(3 * column) / n - 2, (3 * row) / n - 1.5];
      let [x, y, steps] = [0, 0, 0];
      while (steps < 200 && x * x + y * y <= 4) {
        [x, y] = [x * x - y * y + cx, 2 * x * y + cy];
        steps++;
      }
      sum += steps;
    }
  }
  return sum;
};

const regex: Reference = (n) => {
  const patterns = [
    /[a-z]+ing\b/g,
    /`[^`]*`/g,
    /(sign|verif|certif)[a-z]*/g,
    /[A-Z][a-z]+( [A-Z][a-z]+)+|[0-9]+(,[0-9]+)*( bytes| KB)?/g,
  ];
  const text = data('text.txt');
  const matches = patterns.slice(0, n).flatMap((pattern) => [...text.matchAll(pattern)]);
  return mix(matches.flatMap(({ 0: { length }, index }) => [index, index + length]));
};

/** Adler-32 of the text (RFC 1950 section 8.2). */
const lz: Reference = () => {
  let [a, b] = [1, 0];
  for (const byte of Buffer.from(data('text.txt'))) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return (b << 16) | a;
};

const interpreter: Reference = (n) => {
  let sum = 0;
  for (let number = 1; number <= n; number++) {
    for (let value = number; ; value = value % 2 === 0 ? value / 2 : 3 * value + 1) {
      sum++;
      if (value === 1) break;
    }
  }
  return sum;
};

/** The first numbers of Marsaglia's xorshift32, as the kernels seed it. */
function* xorshift(count: number): Generator<number> {
  let x = 2463534242;
  for (let i = 0; i < count; i++) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    yield x >>> 0;
  }
}

/** FNV-1a, 32 bits, a word at a time. */
function mix(values: readonly number[]): number {
  return values.reduce((sum, value) => Math.imul(sum ^ value, 0x01000193), 0x811c9dc5 | 0);
}

/** The references, by the names of the kernels. */
export const REFERENCES = Object.freeze({
  sieve,
  fib,
  matmul,
  sha256,
  sort,
  json,
  nbody,
  mandelbrot,
  regex,
  lz,
  interpreter,
});
