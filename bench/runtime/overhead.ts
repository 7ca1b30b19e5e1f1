// What fuel costs a compute kernel, beside the plain module and wasm-metering.

import { setTimeout } from 'node:timers/promises';
import { readLayout } from '../../engine/module/walker.ts';
import { runOf } from '../kernels/instance.ts';
import { expectedChecksum, type Kernel, readKernel } from '../kernels/kernels.ts';
import { meterKernel } from '../kernels/metered.ts';
import { meterWithPeer } from '../peers/wasm-metering.ts';
import { inTurns, medianRatio, processorTime, quantile, undisturbedRatio } from '../turns.ts';

/** One variant of a kernel's module against the plain one. */
export interface Ratio {
  readonly median: number;
  readonly undisturbed: number;
  /** Bytes of the code section, over the plain module's. */
  readonly size: number;
}

export interface KernelOverhead {
  /** Milliseconds of processor time that one call of the plain module takes, median. */
  readonly plain: number;
  readonly metered: Ratio;
  /** With canonical NaN results; absent for kernels without floating point. */
  readonly canonical: Ratio | undefined;
  /** Absent where wasm-metering cannot read the module. */
  readonly peer: Ratio | undefined;
}

type Run = (n: number) => number;

/** A variant of a kernel: its bytes, and how an instance of them is made ready to run. */
interface Variant {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly instantiate: (module: WebAssembly.Module) => Run;
}

/** Where V8 places code matters by some percent, so each kernel is compiled anew this many times. */
const COMPILATIONS = 7;
/** Rounds for each compilation. */
const ROUNDS = 40;
/** wasm-metering is so much slower that less will do. */
const PEER_COMPILATIONS = 2;
const PEER_ROUNDS = 6;
/** Until V8 has compiled every hot function with its optimizing compiler, and put it to use. */
const WARMUP_MS = 60;

/** Measures one kernel. @throws {Error} when a variant answers another checksum than the reference. */
export async function measureOverhead(kernel: Kernel): Promise<KernelOverhead> {
  const bytes = readKernel(kernel);
  const plain: Variant = {
    bytes,
    instantiate: (module) => runOf(new WebAssembly.Instance(module)),
  };
  const subjects = [plain, metered(bytes, false), ...(kernel.floats ? [metered(bytes, true)] : [])];
  const [times = [], over = [], canonical] = await measureVariants(
    kernel,
    subjects,
    COMPILATIONS,
    ROUNDS,
  );
  const peer = meterWithPeer(bytes);
  const [, peerOver] =
    peer === undefined
      ? []
      : await measureVariants(kernel, [plain, peer], PEER_COMPILATIONS, PEER_ROUNDS);
  const ratio = (variant: Variant, ratios: readonly Pair[]): Ratio => ({
    median: quantile(
      ratios.map(({ median }) => median),
      0.5,
    ),
    undisturbed: quantile(
      ratios.map(({ undisturbed }) => undisturbed),
      0.5,
    ),
    size: codeSize(variant.bytes) / codeSize(bytes),
  });
  const [, meteredVariant = plain, canonicalVariant = plain] = subjects;
  return {
    plain:
      quantile(
        times.map(({ time }) => time),
        0.5,
      ) / 1000,
    metered: ratio(meteredVariant, over),
    canonical: canonical && ratio(canonicalVariant, canonical),
    peer: peer && peerOver && ratio(peer, peerOver),
  };
}

/** One variant against the first, in one compilation of both. */
interface Pair {
  /** Microseconds of processor time for one call, median. */
  readonly time: number;
  readonly median: number;
  readonly undisturbed: number;
}

/** Measures variants in turns; for each of them, one pair for every compilation. */
async function measureVariants(
  kernel: Kernel,
  variants: readonly Variant[],
  compilations: number,
  rounds: number,
): Promise<Pair[][]> {
  const pairs: Pair[][] = variants.map(() => []);
  for (let compilation = 0; compilation < compilations; compilation++) {
    const runs = variants.map(({ bytes, instantiate }) => {
      // V8 shares one compilation among modules of the same bytes.
      const run = instantiate(new WebAssembly.Module(withMark(bytes, compilation)));
      return () => run(kernel.n);
    });
    await warmUp(kernel, runs);
    const times = inTurns(runs, rounds, processorTime);
    const [floor = []] = times;
    times.forEach((time, i) => {
      pairs[i]?.push({
        time: quantile(time, 0.5),
        median: medianRatio(time, floor),
        undisturbed: undisturbedRatio(time, floor),
      });
    });
  }
  return pairs;
}

async function warmUp(kernel: Kernel, runs: readonly (() => number)[]): Promise<void> {
  const expected = expectedChecksum(kernel);
  for (const run of runs) {
    const checksum = run();
    if (checksum !== expected) {
      throw new Error(`${kernel.name} answered ${checksum}; ${expected} was expected`);
    }
    const end = performance.now() + WARMUP_MS;
    while (performance.now() < end) run();
    await setTimeout(5); // the optimizing compiler works in the background
    for (let i = 0; i < 3; i++) run();
  }
}

function metered(bytes: Uint8Array, canonicalNaN: boolean): Variant {
  const kernel = meterKernel(bytes, { canonicalNaN });
  return { bytes: kernel.bytes, instantiate: (module) => kernel.instantiate(module).run };
}

/** The module with a custom section of its own behind it, which changes nothing but its identity. */
function withMark(bytes: Uint8Array, mark: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(...bytes, 0, 2, 1, mark);
}

function codeSize(bytes: Uint8Array): number {
  return readLayout(bytes).sections.find(({ id }) => id === 10)?.size ?? 0;
}
