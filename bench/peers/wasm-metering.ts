import metering from 'wasm-metering';
import { runOf } from '../kernels/instance.ts';

/** A kernel as wasm-metering meters it: by calls of a function of the host that counts down. */
export interface PeerMetered {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** A fresh instance's `run`; `refill` is for its host function. */
  readonly instantiate: (module: WebAssembly.Module) => (n: number) => number;
}

/** More than any kernel uses, exact in a double. */
const GAS = 2 ** 52;

/**
 * Meters a module with wasm-metering.
 * @returns `undefined` for a module that it cannot read, or writes back invalid.
 */
export function meterWithPeer(bytes: Uint8Array): PeerMetered | undefined {
  try {
    const metered = metering.meterWASM(Buffer.from(bytes), { meterType: 'i32' });
    if (!WebAssembly.validate(metered)) return undefined;
    return { bytes: new Uint8Array(metered), instantiate };
  } catch {
    return undefined;
  }
}

function instantiate(module: WebAssembly.Module): (n: number) => number {
  let left = GAS;
  const usegas = (amount: number) => {
    left -= amount;
    if (left < 0) throw new Error('out of gas');
  };
  const run = runOf(new WebAssembly.Instance(module, { metering: { usegas } }));
  return (n) => {
    left = GAS;
    return run(n);
  };
}
