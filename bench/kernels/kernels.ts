// The compute kernels that the price of fuel is measured on.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REFERENCES } from './references.ts';

export type KernelName = keyof typeof REFERENCES;

export interface Kernel {
  readonly name: KernelName;
  /** What it was built from: `C`, `Rust` or `AssemblyScript`. */
  readonly language: string;
  /** The argument of `run`: some milliseconds of work. */
  readonly n: number;
  /** Whether it computes with doubles, so that canonical NaN results cost something. */
  readonly floats: boolean;
}

const C = { language: 'C', floats: false };
const RUST = { language: 'Rust', floats: false };
const ASSEMBLYSCRIPT = { language: 'AssemblyScript', floats: false };

export const KERNELS: readonly Kernel[] = Object.freeze([
  { ...C, name: 'sieve', n: 1_000_000 },
  { ...ASSEMBLYSCRIPT, name: 'fib', n: 29 },
  { ...ASSEMBLYSCRIPT, name: 'matmul', n: 160, floats: true },
  { ...RUST, name: 'sha256', n: 8_000 },
  { ...RUST, name: 'json', n: 80 },
  { ...C, name: 'sort', n: 50_000 },
  { ...C, name: 'nbody', n: 50_000, floats: true },
  { ...ASSEMBLYSCRIPT, name: 'mandelbrot', n: 176, floats: true },
  { ...RUST, name: 'regex', n: 4 },
  { ...C, name: 'lz', n: 24 },
  { ...C, name: 'interpreter', n: 3_000 },
]);

/** The bytes of a kernel, as `bench/build.mjs` left them. */
export function readKernel({ name }: Kernel): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join('bench', 'kernels', 'build', `${name}.wasm`)));
}

/** What `run(n)` of a kernel must answer. */
export function expectedChecksum({ name, n }: Kernel): number {
  return REFERENCES[name](n);
}
